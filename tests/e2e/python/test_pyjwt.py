"""An API that validates with PyJWT and the published keys alone, for every algorithm."""

import httpx
import jwt
import pytest

from harness.app import App
from harness.russet import DEV, cli, create_client, noting

ALGORITHMS = ["RS256", "ES256", "EdDSA", "PS256"]


@pytest.fixture(scope="module")
def keys():
    metadata = httpx.get(f"{DEV['issuer']}/.well-known/openid-configuration").json()
    return jwt.PyJWKClient(metadata["jwks_uri"])


def token_for(algorithm: str) -> tuple[str, str]:
    """An access token for a fresh API that signs with `algorithm`, and the API's identifier."""
    identifier = f"https://{algorithm.lower()}.api.example"
    existing = {api["identifier"] for api in listed_apis()}
    if identifier not in existing:
        cli(
            "api", "create", "--identifier", identifier, "--name", f"An API of {algorithm}",
            "--scope", "things:read", "--signing-alg", algorithm, "--access-token-ttl", "120",
        )  # fmt: skip
    client = create_client(kind="machine", client_name=f"Robot {algorithm}", resource=identifier)
    answer = App(client).post(
        "token_endpoint",
        grant_type="client_credentials",
        resource=identifier,
        scope="things:read",
    )
    assert answer.status_code == 200, answer.text
    body = noting(answer)
    assert body["expires_in"] == 120
    return body["access_token"], identifier


def listed_apis() -> list[dict]:
    answer = cli("api", "list")
    return answer if isinstance(answer, list) else answer.get("items", answer.get("apis"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_published_keys_are_enough(keys, algorithm):
    token, identifier = token_for(algorithm)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=[algorithm],
        audience=identifier,
        issuer=DEV["issuer"],
        options={"require": ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"]},
    )
    assert claims["scope"] == "things:read"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_token_is_refused(keys, algorithm):
    token, identifier = token_for(algorithm)
    head, payload, signature = token.split(".")
    flipped = ("A" if payload[10] != "A" else "B").join([payload[:10], payload[11:]])
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(
            f"{head}.{flipped}.{signature}",
            keys.get_signing_key_from_jwt(token),
            algorithms=[algorithm],
            audience=identifier,
        )


def test_the_published_keys_hold_no_private_part():
    metadata = httpx.get(f"{DEV['issuer']}/.well-known/openid-configuration").json()
    published = httpx.get(metadata["jwks_uri"])
    assert "max-age" in published.headers["cache-control"]
    for key in published.json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        assert key["use"] == "sig" and key["kid"] and key["alg"] in ALGORITHMS
