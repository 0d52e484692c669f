"""Authlib as relying party, and as the API that validates by RFC 9068."""

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

from harness.russet import DEV, remember
from harness.user_agent import UserAgent

WEB = DEV["clients"]["web"]
API = DEV["demo_api"]["identifier"]


@pytest.fixture(scope="module")
def metadata():
    return httpx.get(f"{DEV['issuer']}/.well-known/openid-configuration").json()


@pytest.fixture
def session():
    with OAuth2Client(
        WEB["client_id"],
        WEB["client_secret"],
        redirect_uri=WEB["redirect_uris"][0],
        scope="openid profile email offline_access orders:read",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    ) as client:
        yield client


def sign_in(session, metadata):
    verifier = "v" * 64
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, resource=API
    )
    landing = UserAgent().sign_in(url, WEB["redirect_uris"][0])
    assert landing.parameters["state"] == state
    tokens = session.fetch_token(
        metadata["token_endpoint"], authorization_response=landing.url, code_verifier=verifier
    )
    remember(tokens["access_token"], tokens["refresh_token"], tokens["id_token"])
    return tokens


class Validator(JWTBearerTokenValidator):
    """The API: it knows the issuer, its own identifier, and fetches the published keys."""

    def get_jwks(self):
        document = httpx.get(f"{self.issuer}/.well-known/openid-configuration").json()
        return httpx.get(document["jwks_uri"]).json()


def test_authlib_signs_in_refreshes_and_reads_userinfo(session, metadata):
    tokens = sign_in(session, metadata)
    assert session.get(metadata["userinfo_endpoint"]).json()["sub"]
    renewed = session.refresh_token(metadata["token_endpoint"], tokens["refresh_token"])
    remember(renewed["access_token"], renewed["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert renewed["access_token"] != tokens["access_token"]
    assert session.get(metadata["userinfo_endpoint"]).status_code == 200


def test_authlib_revokes_and_introspects(session, metadata):
    tokens = sign_in(session, metadata)
    answer = session.introspect_token(metadata["introspection_endpoint"], tokens["access_token"])
    assert answer.json()["active"] is True
    session.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"])
    answer = session.introspect_token(metadata["introspection_endpoint"], tokens["access_token"])
    assert answer.json() == {"active": False}


def test_the_rfc_9068_validator_accepts_the_access_token(session, metadata):
    tokens = sign_in(session, metadata)
    validator = Validator(DEV["issuer"], API)
    token = validator.authenticate_token(tokens["access_token"])
    validator.validate_token(token, ["orders:read"], None)
    assert token["client_id"] == WEB["client_id"]
    with pytest.raises(InsufficientScopeError):
        validator.validate_token(token, ["orders:everything"], None)


def test_the_rfc_9068_validator_refuses_an_id_token(session, metadata):
    tokens = sign_in(session, metadata)
    validator = Validator(DEV["issuer"], API)
    with pytest.raises(InvalidTokenError):
        token = validator.authenticate_token(tokens["id_token"])
        validator.validate_token(token, [], None)


def test_the_rfc_9068_validator_of_another_api_refuses_the_access_token(session, metadata):
    tokens = sign_in(session, metadata)
    validator = Validator(DEV["issuer"], "https://other.example/api")
    with pytest.raises(InvalidTokenError):
        validator.validate_token(validator.authenticate_token(tokens["access_token"]), [], None)
