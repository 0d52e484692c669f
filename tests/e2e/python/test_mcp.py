"""The Python MCP SDK: a protected MCP server that knows only Russet's issuer, and an MCP client that
is nowhere registered before it comes.

The client finds its way by itself: 401, protected resource metadata (RFC 9728), discovery, dynamic
registration (RFC 7591) or its metadata document, PKCE, `resource` (RFC 8707), tokens.
"""

import asyncio
import threading
import time

import httpx
import jwt
import pytest
import uvicorn
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from harness.russet import DEV, cli, free_port, remember
from harness.user_agent import UserAgent

httpx2 = pytest.importorskip("httpx2")

REDIRECT_URI = "http://127.0.0.1:49883/callback"


class Verifier:
    """Checks tokens as an API would: signature, issuer, audience."""

    def __init__(self, resource: str):
        self.resource = resource
        document = httpx.get(f"{DEV['issuer']}/.well-known/oauth-authorization-server").json()
        self.keys = jwt.PyJWKClient(document["jwks_uri"])

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key, algorithms=["RS256"], audience=self.resource, issuer=DEV["issuer"]
            )
        except jwt.InvalidTokenError:
            return None
        return AccessToken(
            token=token,
            client_id=claims["client_id"],
            scopes=claims.get("scope", "").split(),
            expires_at=claims["exp"],
            resource=self.resource,
            subject=claims["sub"],
        )


class Storage:
    """What the client keeps."""

    def __init__(self):
        self.tokens = None
        self.client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        remember(tokens.access_token, tokens.refresh_token)
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        remember(client_info.client_secret)
        self.client_info = client_info


@pytest.fixture(scope="module")
def mcp_server():
    """An MCP server whose resource is registered at Russet, and open to clients that come by
    themselves."""
    port = free_port()
    resource = f"http://127.0.0.1:{port}/mcp"
    cli(
        "api", "create", "--identifier", resource, "--name", "Notes",
        "--scope", "notes:read=Read your notes", "--self-registered-clients", "true",
    )
    server = MCPServer(
        "Notes",
        token_verifier=Verifier(resource),
        auth=AuthSettings(
            issuer_url=DEV["issuer"], resource_server_url=resource, required_scopes=["notes:read"]
        ),
    )

    @server.tool()
    def latest_note() -> str:
        """The latest note."""
        return "Buy apples."

    config = uvicorn.Config(
        server.streamable_http_app(), host="127.0.0.1", port=port, log_level="warning"
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield resource
    running.should_exit = True
    thread.join(timeout=10)


def provider(resource: str, storage: Storage, agent: UserAgent, **more) -> OAuthClientProvider:
    landed = {}

    async def redirect(url: str) -> None:
        landed["at"] = await asyncio.to_thread(agent.sign_in, url, REDIRECT_URI)

    async def callback() -> AuthorizationCodeResult:
        parameters = landed["at"].parameters
        return AuthorizationCodeResult(
            code=parameters["code"], state=parameters["state"], iss=parameters["iss"]
        )

    metadata = OAuthClientMetadata(
        client_name="An assistant",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(resource, metadata, storage, redirect, callback, **more)


async def read_note(resource: str, auth: OAuthClientProvider) -> str:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        streamable_http_client(resource, http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        result = await session.call_tool("latest_note", {})
        return result.content[0].text


def test_a_client_that_is_nowhere_registered_reads_a_note(mcp_server):
    storage = Storage()
    note = asyncio.run(read_note(mcp_server, provider(mcp_server, storage, UserAgent())))
    assert note == "Buy apples."
    assert storage.client_info.client_id
    claims = jwt.decode(storage.tokens.access_token, options={"verify_signature": False})
    assert claims["aud"] == mcp_server
    assert "notes:read" in claims["scope"].split()


def test_tokens_for_another_resource_are_of_no_use_there(mcp_server):
    answer = httpx.post(
        f"{DEV['issuer']}/token",
        data={"grant_type": "client_credentials"},
        auth=(DEV["clients"]["machine"]["client_id"], DEV["clients"]["machine"]["client_secret"]),
    ).json()
    remember(answer["access_token"])
    refused = httpx.post(
        mcp_server, headers={"authorization": f"Bearer {answer['access_token']}"}, json={}
    )
    assert refused.status_code == 401
    assert "resource_metadata=" in refused.headers["www-authenticate"]
