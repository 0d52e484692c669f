"""Basic OP and Form Post OP: each test is a module of `oidcc-basic-certification-test-plan` and of
`oidcc-formpost-basic-certification-test-plan`, and named like it."""

import time

import httpx
import pytest

from harness.examiner import Browser, Party, claims_of, pkce
from harness.user_agent import Landing, Page

REDIRECT = "https://suite.example/test/a/russet/callback"
EVERY = "openid profile email address phone"
PROFILE = set(
    "name given_name family_name middle_name nickname preferred_username profile picture website"
    " gender birthdate zoneinfo locale updated_at".split()
)


@pytest.fixture(scope="module", params=["basic", "formpost"])
def plan(request):
    return None if request.param == "basic" else "form_post"


@pytest.fixture(scope="module")
def statics(house):
    """Two clients as an operator registers them: the plan sends no PKCE, and asks nobody twice."""
    common = {"kind": "web", "first_party": True, "require_pkce": False, "redirect_uri": REDIRECT}
    common["scope"] = EVERY + " offline_access"
    return [
        house.client(client_name="Suite", **common),
        house.client(client_name="Suite, second", **common),
        house.client(
            client_name="Suite, post",
            token_endpoint_auth_method="client_secret_post",
            **common,
        ),
    ]


@pytest.fixture
def party(house, statics, plan):
    return Party(house.issuer, statics[0], plan)


@pytest.fixture
def second(house, statics, plan):
    return Party(house.issuer, statics[1], plan)


def userinfo(party: Party, tokens: dict, claims: dict, **more) -> dict:
    answer = party.userinfo(tokens["access_token"], **more)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    told = answer.json()
    assert told["sub"] == claims["sub"]
    assert all(value not in ("", None) for value in told.values())
    return told


def refused(at: Landing | Page, *codes: str) -> None:
    """By redirect, with one of these errors."""
    assert isinstance(at, Landing), at.heading
    assert at.parameters["error"] in codes, at.parameters


def test_oidcc_server(party, browser):
    _, tokens, _ = party.sign_in(browser)
    assert tokens["token_type"].lower() == "bearer"


def test_oidcc_response_type_missing(party, browser):
    _, at = party.authorize(browser, response_type=None)
    refused(at, "unsupported_response_type", "invalid_request")


def registered(house, plan, **metadata) -> Party:
    """A client that registers itself (the dynamic variant of the plan)."""
    server = httpx.get(f"{house.issuer}/.well-known/openid-configuration").json()
    asked = {
        "client_name": "Suite, dynamic",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "contacts": ["suite@example.com"],
        **metadata,
    }
    answer = httpx.post(server["registration_endpoint"], json=asked)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    assert client["client_secret_expires_at"] == 0 and client["registration_client_uri"]
    return Party(house.issuer, client, plan)


def deregister(party: Party) -> None:
    headers = {"authorization": f"Bearer {party.client['registration_access_token']}"}
    answer = httpx.delete(party.client["registration_client_uri"], headers=headers)
    assert answer.status_code == 204


def test_oidcc_idtoken_signature(house, plan, browser):
    party = registered(house, plan)
    verifier, proof = pkce()
    request, landing = party.authorize(browser, **proof)
    tokens = party.redeem(landing, code_verifier=verifier).json()
    party.check_id_token(tokens["id_token"], request)
    deregister(party)


def test_oidcc_idtoken_unsigned(party):
    assert "none" not in party.server["id_token_signing_alg_values_supported"], "so it is skipped"


def test_oidcc_userinfo_get(party, browser):
    _, tokens, claims = party.sign_in(browser)
    userinfo(party, tokens, claims)


def test_oidcc_userinfo_post_header(party, browser):
    _, tokens, claims = party.sign_in(browser)
    userinfo(party, tokens, claims, method="POST", data={})


def test_oidcc_userinfo_post_body(party, browser):
    _, tokens, claims = party.sign_in(browser)
    url, form = party.server["userinfo_endpoint"], {"access_token": tokens["access_token"]}
    answer = httpx.post(url, data=form)
    assert answer.status_code == 200 and answer.json()["sub"] == claims["sub"]


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(party, browser):
    _, _, claims = party.sign_in(browser, nonce=None)
    assert "nonce" not in claims


def scope(party: Party, browser: Browser, scope: str) -> dict:
    _, tokens, claims = party.sign_in(browser, scope=f"openid {scope}")
    return userinfo(party, tokens, claims)


def test_oidcc_scope_profile(party, browser):
    told = scope(party, browser, "profile")
    assert told.keys() == PROFILE | {"sub"}
    assert isinstance(told["updated_at"], int)
    assert 631_152_000 < told["updated_at"] < time.time() + 300


def test_oidcc_scope_email(party, browser):
    told = scope(party, browser, "email")
    assert told.keys() >= {"email", "email_verified"} and "name" not in told
    assert told["email_verified"] is True


def test_oidcc_scope_address(party, browser):
    address = scope(party, browser, "address")["address"]
    assert address and all(isinstance(value, str) and value for value in address.values())


def test_oidcc_scope_phone(party, browser):
    told = scope(party, browser, "phone")
    assert told["phone_number"] and told["phone_number_verified"] is True


def test_oidcc_scope_all(party, browser):
    told = scope(party, browser, "profile email address phone")
    assert told.keys() >= PROFILE | {"email", "address", "phone_number"}


def test_oidcc_alternate_happy_flow(party, browser):
    request = party.parameters(scope="email openid")
    backwards = dict(reversed(request.items()))
    at = browser.visit(party.url(backwards), party.redirect_uri)
    party.check_answer(at, request)
    assert party.redeem(at).status_code == 200


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(party, browser, display):
    party.sign_in(browser, display=display)


def later(browser: Browser, party: Party, request: dict) -> None:
    """Waits until a second has gone by for the provider: it then wants the person again."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        _, at = party.authorize(browser, prompt="none", **request)
        if at.parameters.get("error") == "login_required":
            return
    raise AssertionError("max_age never ran out")


def test_oidcc_prompt_login(party, browser):
    _, _, first = party.sign_in(browser, max_age="10000")
    later(browser, party, {"max_age": "1"})
    _, _, second = party.sign_in(browser, prompt="login")
    assert browser.asked == 2
    assert second["auth_time"] > first["auth_time"] and second["sub"] == first["sub"]


def test_oidcc_prompt_none_not_logged_in(party, browser):
    _, at = party.authorize(browser, prompt="none", state="s" * 128)
    refused(at, "login_required", "interaction_required")
    assert browser.asked == 0


def test_oidcc_prompt_none_logged_in(party, browser):
    _, _, first = party.sign_in(browser, max_age="10000")
    _, _, second = party.sign_in(browser, prompt="none", max_age="10000")
    assert browser.asked == 1
    assert (first["sub"], first["auth_time"]) == (second["sub"], second["auth_time"])


def test_oidcc_max_age_1(party, browser):
    _, _, first = party.sign_in(browser, max_age="10000")
    later(browser, party, {"max_age": "1"})
    _, _, second = party.sign_in(browser, max_age="1")
    assert browser.asked == 2
    assert second["auth_time"] > first["auth_time"]


def test_oidcc_max_age_10000(party, browser):
    _, _, first = party.sign_in(browser, max_age="15000")
    _, _, second = party.sign_in(browser, max_age="10000")
    assert browser.asked == 1 and second["auth_time"] == first["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(party, browser):
    party.sign_in(browser, extra="foobar")


def test_oidcc_id_token_hint(party, browser):
    _, tokens, first = party.sign_in(browser)
    _, _, second = party.sign_in(browser, prompt="none", id_token_hint=tokens["id_token"])
    assert browser.asked == 1 and second["sub"] == first["sub"]


def test_oidcc_login_hint(party, browser):
    party.sign_in(browser, login_hint="buffy@127.0.0.1")


@pytest.mark.parametrize("parameter", ["ui_locales", "claims_locales"])
def test_oidcc_locales(party, browser, parameter):
    party.sign_in(browser, **{parameter: "se"})


def test_oidcc_ensure_request_with_acr_values_succeeds(party, browser):
    advertised = party.server.get("acr_values_supported", ["1", "2"])
    _, _, claims = party.sign_in(browser, acr_values=" ".join(advertised))
    assert claims.get("acr") in [*advertised, None]


def reuse(party: Party, browser: Browser) -> None:
    _, landing = party.authorize(browser)
    tokens = party.redeem(landing).json()
    again = party.redeem(landing)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert party.userinfo(tokens["access_token"]).status_code == 401


def test_oidcc_codereuse(party, browser):
    reuse(party, browser)


def test_oidcc_codereuse_30seconds(party, browser):
    # That the code stays spent is a row, and no matter of seconds; tests/it turns the clock.
    reuse(party, browser)


def test_oidcc_ensure_registered_redirect_uri(party, browser):
    request = party.parameters(redirect_uri=f"{REDIRECT}/extra")
    page = browser.visit(party.url(request), "https://suite.example")
    assert isinstance(page, Page) and page.status == 400
    assert "redirect_uri is not registered" in page.text


def test_oidcc_ensure_post_request_succeeds(party, browser):
    _, landing = party.authorize(browser, method="POST")
    assert party.redeem(landing).status_code == 200


def test_oidcc_server_client_secret_post(house, statics, plan, browser):
    Party(house.issuer, statics[2], plan).sign_in(browser)


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected(party, browser):
    _, at = party.authorize(browser, request_uri="https://suite.example/request.jwt")
    refused(at, "request_uri_not_supported")


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected(party, browser):
    algorithms = party.server["request_object_signing_alg_values_supported"]
    assert "none" not in algorithms, "so it is skipped"
    assert "RS256" in algorithms
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    _, at = party.authorize(browser, request=unsigned)
    refused(at, "request_not_supported", "invalid_request_object")


def test_oidcc_claims_essential(party, browser):
    asked = '{"userinfo":{"name":{"essential":true}}}'
    _, tokens, claims = party.sign_in(browser, claims=asked)
    assert userinfo(party, tokens, claims)["name"] == "Ada Lovelace"
    assert "name" not in claims_of(tokens["id_token"])


def test_oidcc_ensure_request_object_with_redirect_uri(party, browser):
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    outer = "https://suite.example/elsewhere"
    request = party.parameters(redirect_uri=outer, request=unsigned)
    page = browser.visit(party.url(request), "https://suite.example")
    assert isinstance(page, Page) and page.status == 400


def test_oidcc_refresh_token(party, second, browser):
    assert "refresh_token" in party.server["grant_types_supported"]
    asked = {"scope": "openid offline_access", "prompt": "consent"}
    _, tokens, first = party.sign_in(browser, **asked)
    _, others, _ = second.sign_in(browser, **asked)
    while int(time.time()) <= first["iat"]:
        # The new ID token must be younger by a second at least: the plan waits for it too.
        httpx.get(f"{party.issuer}/healthz")
    answer = party.refresh(tokens["refresh_token"])
    assert answer.status_code == 200
    assert answer.json()["access_token"] != tokens["access_token"]
    again = claims_of(answer.json()["id_token"])
    for name in ("iss", "sub", "aud", "auth_time"):
        assert again.get(name) == first.get(name), name
    assert again["iat"] > first["iat"]
    foreign = party.refresh(others["refresh_token"])
    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")


def test_oidcc_ensure_request_with_valid_pkce_succeeds(party, browser):
    verifier, challenge = pkce()
    _, landing = party.authorize(browser, **challenge)
    assert party.redeem(landing, code_verifier=verifier).status_code == 200
