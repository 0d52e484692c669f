"""Config OP: `oidcc-config-certification-test-plan`, and the key set rules of every other plan."""

import base64
import re
from urllib.parse import urlsplit

import httpx
import pytest

# RFC 8414, OIDC Discovery, and the extensions whose members IANA lists. The suite warns of others.
KNOWN = set(
    "issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported"
    " response_types_supported response_modes_supported grant_types_supported acr_values_supported"
    " subject_types_supported id_token_signing_alg_values_supported"
    " userinfo_signing_alg_values_supported request_object_signing_alg_values_supported"
    " token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported"
    " display_values_supported claim_types_supported claims_supported service_documentation"
    " claims_locales_supported ui_locales_supported claims_parameter_supported"
    " request_parameter_supported request_uri_parameter_supported require_request_uri_registration"
    " op_policy_uri op_tos_uri revocation_endpoint revocation_endpoint_auth_methods_supported"
    " revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint"
    " introspection_endpoint_auth_methods_supported"
    " introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported"
    " userinfo_endpoint end_session_endpoint check_session_iframe backchannel_logout_supported"
    " backchannel_logout_session_supported frontchannel_logout_supported"
    " frontchannel_logout_session_supported device_authorization_endpoint"
    " pushed_authorization_request_endpoint require_pushed_authorization_requests"
    " authorization_response_iss_parameter_supported dpop_signing_alg_values_supported"
    " require_signed_request_object tls_client_certificate_bound_access_tokens"
    " mtls_endpoint_aliases prompt_values_supported client_id_metadata_document_supported"
    " protected_resources".split()
)
# A loopback installation may do without TLS; `serve` refuses any other issuer that is not https.
SCHEMES = {"http", "https"}


@pytest.fixture(scope="module")
def answer(house):
    return httpx.get(f"{house.issuer}/.well-known/openid-configuration")


def endpoints(document: dict) -> dict[str, str]:
    ends = ("_endpoint", "_uri", "_iframe")
    return {name: value for name, value in document.items() if name.endswith(ends)}


def test_oidcc_discovery_endpoint_verification(house, answer):
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    document = answer.json()
    assert document["issuer"] == house.issuer
    assert document.keys() <= KNOWN, document.keys() - KNOWN
    for name, value in endpoints(document).items():
        parts = urlsplit(value)
        assert parts.scheme in SCHEMES and not parts.fragment and not parts.username, name
        assert value.startswith(house.issuer), name
    for name, value in document.items():
        if name.endswith("_supported") and not isinstance(value, bool):
            assert value and all(isinstance(one, str) for one in value), name
            assert len(set(value)) == len(value), name
    assert document["response_types_supported"] == ["code"]
    assert set(document["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "RS256" in document["request_object_signing_alg_values_supported"]
    assert "openid" in document["scopes_supported"]
    assert document["claims_supported"] and document["userinfo_endpoint"]
    assert "S256" in document["code_challenge_methods_supported"]
    # Absent means true.
    assert document["request_uri_parameter_supported"] is False
    for locale in document.get("ui_locales_supported", []):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", locale), locale


def test_the_key_set_is_public_and_unambiguous(answer):
    keys = httpx.get(answer.json()["jwks_uri"]).json()["keys"]
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    needed = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}
    for key in keys:
        assert not key.keys() & private
        assert key.keys() >= {"kid", "alg", "use"} | needed[key["kty"]]
        for member in needed[key["kty"]] - {"crv"}:
            assert re.fullmatch(r"[A-Za-z0-9_-]+", key[member])
        if key["kty"] == "RSA":
            assert len(base64.urlsafe_b64decode(key["n"] + "==")) >= 256
    assert len({key["kid"] for key in keys}) == len(keys)


def test_the_same_document_for_oauth_clients(house, answer):
    url = f"{house.issuer}/.well-known/oauth-authorization-server"
    assert httpx.get(url).json() == answer.json()
