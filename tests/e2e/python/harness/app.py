"""An application of the broker's: builds authorization requests and redeems what comes back.

Plain requests, so that a test can send exactly what it means, right or wrong. Authlib does the same
by its own lights in test_authlib.py.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

import httpx

from .russet import DEV, noting
from .user_agent import Landing, UserAgent

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass
class App:
    """`origin` is where token requests go: the issuer, or one of its replicas."""

    client: dict
    origin: str = DEV["issuer"]
    scope: str = "openid profile email offline_access"

    @property
    def redirect_uri(self) -> str:
        return self.client["redirect_uris"][0]

    @cached_property
    def metadata(self) -> dict:
        """Discovery, its endpoints moved to `origin`."""
        document = httpx.get(f"{self.origin}/.well-known/openid-configuration").json()
        return {
            name: value.replace(DEV["issuer"], self.origin)
            if name.endswith(("_endpoint", "_uri")) and isinstance(value, str)
            else value
            for name, value in document.items()
        }

    def authorization_request(self, **parameters) -> tuple[str, str]:
        """The URL for the browser, and the code_verifier."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.client["client_id"],
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
            **parameters,
        }
        endpoint = self.metadata["authorization_endpoint"].replace(self.origin, DEV["issuer"])
        return f"{endpoint}?{urlencode(query)}", verifier

    def code(self, agent: UserAgent, person: str = "Ada", **parameters) -> tuple[str, str]:
        """Signs `person` in; a fresh code and its verifier."""
        url, verifier = self.authorization_request(**parameters)
        landing = agent.sign_in(url, self.redirect_uri, person)
        assert isinstance(landing, Landing), f"{landing.status} {landing.heading}"
        assert "code" in landing.parameters, landing.parameters
        return landing.parameters["code"], verifier

    def post(self, endpoint: str, **form) -> httpx.Response:
        """A request to one of the endpoints a client authenticates at."""
        secret = self.client.get("client_secret")
        authentication = (self.client["client_id"], secret) if secret else None
        if not secret:
            form.setdefault("client_id", self.client["client_id"])
        return httpx.post(
            self.metadata[endpoint],
            data={name: value for name, value in form.items() if value is not None},
            auth=authentication,
            timeout=30,
        )

    def redeem(self, code: str, verifier: str, **form) -> httpx.Response:
        return self.post(
            "token_endpoint",
            **{
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": self.redirect_uri,
                **form,
            },
        )

    def refresh(self, refresh_token: str, **form) -> httpx.Response:
        return self.post(
            "token_endpoint", grant_type="refresh_token", refresh_token=refresh_token, **form
        )

    def exchange(self, identity_token: str | None, **form) -> httpx.Response:
        """Native sign-in: Apple's identity token for the broker's own tokens."""
        return self.post(
            "token_endpoint",
            **{
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": identity_token,
                "subject_token_type": ID_TOKEN,
                "subject_issuer": "apple",
                "scope": self.scope,
                **form,
            },
        )

    def sign_in(self, person: str = "Ada", agent: UserAgent | None = None) -> dict:
        """A whole sign-in; the token response."""
        answer = self.redeem(*self.code(agent or UserAgent(), person))
        assert answer.status_code == 200, answer.text
        return noting(answer)

    def userinfo(self, access_token: str) -> httpx.Response:
        return httpx.get(
            self.metadata["userinfo_endpoint"],
            headers={"authorization": f"Bearer {access_token}"},
        )

    def is_active(self, token: str) -> bool:
        return self.post("introspection_endpoint", token=token).json()["active"]


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and OAuth error code of a refusal; its form is checked by the way."""
    assert response.headers["content-type"].startswith("application/json")
    assert "no-store" in response.headers["cache-control"]
    return response.status_code, response.json()["error"]
