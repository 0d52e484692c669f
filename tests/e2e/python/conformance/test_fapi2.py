"""FAPI 2.0 Security Profile, `private_key_jwt` and DPoP, `openid_connect`, `plain_fapi`: tests are
named like the plan's modules without their prefix. What lies in the very seconds (an expired code, an
expired request) is proven with a turned clock in tests/it/fapi.rs."""

import json
import secrets
import time
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwk

from harness.examiner import Browser, Party, pkce
from harness.user_agent import Landing, Page

FIRST = "https://suite.example/test/a/russet/callback"
SECOND = f"{FIRST}?dummy1=lorem&dummy2=ipsum"
SCOPE = "openid profile offline_access"


def ec(kid: str) -> jwk.ECKey:
    return jwk.ECKey.generate_key("P-256", {"kid": kid})


def fapi(house, name: str, redirect_uri: str, key, alg: str) -> Party:
    public = {**key.as_dict(private=False), "alg": alg, "use": "sig"}
    client = house.client(
        kind="web",
        client_name=name,
        first_party=True,
        redirect_uri=redirect_uri,
        scope=SCOPE,
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        id_token_signed_response_alg="PS256",
        dpop_bound_access_tokens=True,
        jwks=json.dumps({"keys": [public]}),
    )
    return Party(house.issuer, client, scope=SCOPE, key=key, alg=alg, dpop_key=ec("proof"))


@pytest.fixture(scope="module")
def parties(house):
    rsa = jwk.RSAKey.generate_key(2048, {"kid": "second"})
    return [
        fapi(house, "FAPI", FIRST, ec("first"), "ES256"),
        fapi(house, "FAPI, second", SECOND, rsa, "PS256"),
    ]


@pytest.fixture
def party(parties):
    return parties[0]


@pytest.fixture
def second(parties):
    return parties[1]


def push(party: Party, proof=True, **more):
    """A pushed request: the verifier, what was asked, and the answer."""
    verifier, challenge = pkce()
    request = party.parameters(**{**challenge, **more})
    sent = {name: value for name, value in request.items() if name != "client_id"}
    return verifier, request, party.post("pushed_authorization_request_endpoint", sent, proof=proof)


def visit(party: Party, browser: Browser, pushed, request: dict, press="allow", **outer):
    """The authorization endpoint with what was pushed, and nothing but what `outer` says."""
    assert pushed.status_code == 201, pushed.text
    assert pushed.json()["expires_in"] >= 5 and len(pushed.json()["request_uri"]) > 50
    sent = {"client_id": party.client["client_id"], "request_uri": pushed.json()["request_uri"]}
    at = browser.visit(party.url({**sent, **outer}), party.redirect_uri.split("?")[0], press)
    if isinstance(at, Landing):
        party.check_answer(at, request)
    return at


def land(party: Party, browser: Browser | None = None, **more):
    verifier, request, pushed = push(party, **more)
    at = visit(party, browser or Browser(), pushed, request)
    assert isinstance(at, Landing), at.heading
    return verifier, request, at


def whole(party: Party, **more):
    verifier, request, at = land(party, **more)
    answer = party.redeem(at, code_verifier=verifier)
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tokens["token_type"] == "DPoP"
    party.check_id_token(tokens["id_token"], {**request, "claims": ""})
    resource = party.userinfo(tokens["access_token"])
    assert resource.status_code == 200 and resource.headers["date"]
    return request, tokens


def refused(answer: httpx.Response, *codes: str, status=(400,)) -> None:
    assert answer.status_code in status, answer.text
    assert answer.json()["error"] in codes, answer.text


def no_code(at: Landing | Page, *codes: str) -> None:
    """A page of the provider's own, or an error by redirect."""
    if isinstance(at, Landing):
        assert at.parameters.get("error") in codes, at.parameters
    else:
        assert at.status == 400, at.heading


def test_discovery_end_point_verification(party):
    server = party.server
    assert "code" in server["response_types_supported"]
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["pushed_authorization_request_endpoint"]
    assert isinstance(server.get("require_pushed_authorization_requests", False), bool)
    good = {"PS256", "ES256", "EdDSA", "Ed25519"}
    for name in ("dpop", "id_token", "token_endpoint_auth"):
        assert good & set(server[f"{name}_signing_alg_values_supported"]), name
    assert "none" not in server["dpop_signing_alg_values_supported"]
    assert "private_key_jwt" in server["token_endpoint_auth_methods_supported"]
    assert server["code_challenge_methods_supported"] == ["S256"]


def test_happy_flow(party, second):
    _, tokens = whole(party, state="s" * 128, nonce="n" * 43)
    url = party.server["userinfo_endpoint"]
    in_query = httpx.get(f"{url}?access_token={tokens['access_token']}")
    assert in_query.status_code in (400, 401)
    for accept in ("application/json", "application/json;charset=utf-8", "*/*"):
        assert party.userinfo(tokens["access_token"], headers={"accept": accept}).status_code == 200
    _, other = whole(second, dpop_jkt=second.dpop_key.thumbprint())
    stolen = party.userinfo(other["access_token"])
    assert 400 <= stolen.status_code < 500, "client 2's token with client 1's key"


def test_user_rejects_authentication(party, second):
    for one in (party, second):
        _, request, pushed = push(one)
        at = visit(one, Browser(), pushed, request, "cancel")
        assert at.parameters["error"] == "access_denied"


def test_ensure_authorization_request_without_state_success(party):
    _, _, at = land(party, state=None)
    assert "state" not in at.parameters


@pytest.mark.parametrize("nonce", [None, "n" * 64, "n" * 384])
def test_ensure_authorization_request_with_any_nonce_success(party, nonce):
    whole(party, nonce=nonce)


def test_ensure_authorization_request_with_long_state(party):
    whole(party, state="s" * 1000)


def test_ensure_other_scope_order_succeeds(party):
    whole(party, scope=" ".join(reversed(SCOPE.split())))


def test_test_claims_parameter_identity_claims(party):
    claims = {name: None for name in [*party.server["claims_supported"], "unknown_to_anybody"]}
    asked = json.dumps({"id_token": claims, "userinfo": claims})
    _, tokens = whole(party, claims=asked)
    assert party.userinfo(tokens["access_token"]).json()["name"] == "Ada Lovelace"


def test_access_token_type_header_case_sensitivity(party):
    _, tokens = whole(party)
    assert party.userinfo(tokens["access_token"], scheme="dPoP").status_code == 200


def test_check_dpop_proof_nbf_exp(party):
    _, tokens = whole(party)
    now, url = int(time.time()), party.server["userinfo_endpoint"]
    proof = party.proof("GET", url, tokens["access_token"], nbf=now - 5, exp=now + 60, other="x")
    answer = party.userinfo(tokens["access_token"], headers={"dpop": proof})
    assert answer.status_code == 200


@pytest.mark.parametrize("shift", [-10, 8])
def test_ensure_dpopproof_with_iat_10seconds_succeeds(party, shift):
    def proof(endpoint, token=None, method="POST"):
        url = party.server[endpoint]
        return party.proof(method, url, token, iat=int(time.time()) + shift)

    verifier, request, pushed = push(party, proof=proof("pushed_authorization_request_endpoint"))
    at = visit(party, Browser(), pushed, request)
    form = {
        "grant_type": "authorization_code",
        "code": at.parameters["code"],
        "redirect_uri": FIRST,
        "code_verifier": verifier,
    }
    answer = party.post("token_endpoint", form, proof=proof("token_endpoint"))
    token = answer.json()["access_token"]
    sent = {"dpop": proof("userinfo_endpoint", token, "GET")}
    assert party.userinfo(token, headers=sent).status_code == 200


def test_ensure_mismatched_dpop_jkt_fails(party):
    _, _, pushed = push(party, dpop_jkt=ec("other").thumbprint())
    refused(pushed, "invalid_request", "invalid_dpop_proof")


@pytest.mark.parametrize("bound_by", ["proof", "dpop_jkt"])
def test_ensure_token_endpoint_fails_with_mismatched_dpop(party, bound_by):
    more = {} if bound_by == "proof" else {"dpop_jkt": party.dpop_key.thumbprint(), "proof": None}
    verifier, _, at = land(party, **more)
    form = {"grant_type": "authorization_code", "code": at.parameters["code"]}
    form |= {"redirect_uri": FIRST, "code_verifier": verifier}
    other = party.proof("POST", party.server["token_endpoint"], key=ec("other"))
    answer = party.post("token_endpoint", form, proof=other)
    refused(answer, "invalid_request", "invalid_grant", "invalid_dpop_proof")


def test_ensure_dpopproof_at_par_endpoint_binding_success(party):
    whole(party, proof=True)
    whole(party, proof=None, dpop_jkt=party.dpop_key.thumbprint())


@pytest.mark.parametrize("name", ["state", "nonce", "scope"])
def test_ensure_different_inside_and_outside_pushed_request(party, name):
    verifier, request, pushed = push(party)
    outer = {name: "outside" if name != "scope" else "openid email"}
    at = visit(party, Browser(), pushed, request, **outer)
    answer = party.redeem(at, code_verifier=verifier)
    party.check_id_token(answer.json()["id_token"], {**request, "claims": ""})
    assert "email" not in answer.json().get("scope", "")


def test_state_only_outside_request_object_not_used(party):
    _, request, pushed = push(party, state=None)
    at = visit(party, Browser(), pushed, request, state="outside")
    assert "state" not in at.parameters


def test_ensure_request_object_without_redirect_uri_fails(party):
    _, _, pushed = push(party, redirect_uri=None)
    refused(pushed, "invalid_request")


def test_plain_fapi_tolerate_unregistered_redirect_uri(party):
    _, _, pushed = push(party, redirect_uri="https://suite.example/elsewhere")
    refused(pushed, "invalid_request")


def test_ensure_unsigned_authorization_request_without_using_par_fails(party):
    _, challenge = pkce()
    _, at = party.authorize(Browser(), **challenge)
    no_code(at, "invalid_request")


@pytest.mark.parametrize("response_type", ["code id_token", "token", "id_token"])
def test_ensure_response_type_fails(party, response_type):
    _, _, pushed = push(party, response_type=response_type)
    refused(pushed, "unsupported_response_type", "invalid_request", "unauthorized_client")


def test_ensure_client_id_in_token_endpoint(party, second):
    verifier, _, at = land(party)
    other = {"client_id": second.client["client_id"]}
    answer = party.redeem(at, code_verifier=verifier, **other)
    refused(answer, "invalid_client", "invalid_grant", status=(400, 401))


def test_ensure_holder_of_key_required(party):
    verifier, _, at = land(party)
    form = {"grant_type": "authorization_code", "code": at.parameters["code"]}
    form |= {"redirect_uri": FIRST, "code_verifier": verifier}
    answer = party.post("token_endpoint", form, proof=None)
    refused(answer, "invalid_request", "invalid_grant", "invalid_dpop_proof")


def test_ensure_authorization_code_is_bound_to_client(party, second):
    verifier, _, at = land(party, dpop_jkt=None)
    answer = second.redeem(at, code_verifier=verifier, redirect_uri=FIRST)
    refused(answer, "invalid_grant")


def test_attempt_reuse_authorization_code_after_one_second(party):
    verifier, _, at = land(party)
    tokens = party.redeem(at, code_verifier=verifier).json()
    refused(party.redeem(at, code_verifier=verifier), "invalid_grant")
    assert party.userinfo(tokens["access_token"]).status_code == 401


def assertion(party: Party, **claims) -> httpx.Response:
    """The pushed request of a client that proves itself so."""
    _, challenge = pkce()
    sent = {**party.parameters(**challenge), "client_assertion": party.assertion(**claims)}
    return party.post("pushed_authorization_request_endpoint", sent)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 300},
        {"aud": "https://other.example"},
        {"sub": None},
        {"iss": None},
        {"exp": None},
        {"jti": None},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
    ],
    ids=lambda claims: "-".join(claims),
)
def test_ensure_client_assertion_fails(party, claims):
    refused(assertion(party, **claims), "invalid_client", "invalid_request", status=(400, 401))


@pytest.mark.parametrize("audience", ["array", "par", "token"])
def test_par_test_audience_fails(party, audience):
    aud = {
        "array": [party.issuer],
        "par": party.server["pushed_authorization_request_endpoint"],
        "token": party.server["token_endpoint"],
    }[audience]
    refused(assertion(party, aud=aud), "invalid_client", "invalid_request", status=(400, 401))


def test_ensure_signed_client_assertion_with_rs256_fails(second):
    refused(assertion(second, alg="RS256"), "invalid_client", status=(400, 401))


def test_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(party):
    assert assertion(party, nbf=int(time.time()) + 8).status_code == 201


def test_ensure_client_assertion_in_token_endpoint(party):
    verifier, _, at = land(party)
    form = {"grant_type": "authorization_code", "code": at.parameters["code"]}
    form |= {"redirect_uri": FIRST, "code_verifier": verifier}
    form |= {"client_id": party.client["client_id"]}
    answer = party.post("token_endpoint", form, authenticate=False)
    refused(answer, "invalid_client", "invalid_request", status=(400, 401))


def test_dpop_negative_tests(party):
    _, tokens = whole(party)
    token, url = tokens["access_token"], party.server["userinfo_endpoint"]
    key = party.dpop_key

    def answers(proof, scheme="DPoP") -> int:
        headers = [("authorization", f"{scheme} {token}")]
        headers += [("dpop", one) for one in (proof if isinstance(proof, list) else [proof]) if one]
        return httpx.get(url, headers=headers).status_code

    def proof(**more) -> str:
        return party.proof(**{"method": "GET", "url": url, "token": token, **more})

    good = proof()
    hour = int(time.time())
    bad = {
        "two headers": [proof(), proof()],
        "junk": "junk",
        "none at all": None,
        "bad signature": good[:-8] + "AAAAAAAA",
        "without typ": proof(header={"typ": None}),
        "wrong typ": proof(header={"typ": "JWT"}),
        "without jwk": proof(header={"jwk": None}),
        "private jwk": proof(header={"jwk": key.as_dict(private=True)}),
        "without jti": proof(jti=None),
        "without htm": proof(htm=None),
        "without htu": proof(htu=None),
        "without iat": proof(iat=None),
        "without ath": proof(ath=None),
        "wrong htm": proof(method="POST"),
        "wrong htu": proof(url=f"{party.issuer}/elsewhere"),
        "wrong ath": proof(ath=secrets.token_urlsafe(32)),
        "old": proof(iat=hour - 3600),
        "of tomorrow": proof(iat=hour + 3600),
        "another key": proof(key=ec("other")),
    }
    for name, sent in bad.items():
        assert answers(sent) in (400, 401), name
    assert answers(proof(), "Bearer") in (400, 401)
    assert answers(None, "Bearer") in (400, 401)
    assert answers(proof(htu=f"{url}?a=b#c")) == 200
    assert answers(proof(htu=url.replace("http://", "HTTP://"))) == 200
    once = proof(other="x")
    assert answers(once) == 200
    assert answers(once) in (400, 401), "a proof is good once"


def test_dpop_negative_tests_rs256(party):
    rsa = jwk.RSAKey.generate_key(2048)
    url = party.server["pushed_authorization_request_endpoint"]
    _, _, pushed = push(party, proof=party.proof("POST", url, key=rsa, header={"alg": "RS256"}))
    refused(pushed, "invalid_dpop_proof", "invalid_request")


def test_refresh_token(party, second):
    _, tokens = whole(party)
    _, others = whole(second)
    old = tokens["refresh_token"]
    party.dpop_key = ec("fresh")
    answer = party.refresh(old)
    assert answer.status_code == 200 and answer.json()["token_type"] == "DPoP"
    assert party.refresh(old).status_code == 200, "the old one still works"
    unknown = ("invalid_client", "invalid_grant", "invalid_request")
    refused(party.refresh(old, authenticate=False), *unknown, status=(400, 401))
    unproven = ("invalid_request", "invalid_grant", "invalid_dpop_proof")
    refused(party.refresh(old, proof=None), *unproven)
    refused(party.refresh(others["refresh_token"]), "invalid_grant")


def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(party, browser):
    _, request, pushed = push(party)
    sent = {"client_id": party.client["client_id"], "request_uri": pushed.json()["request_uri"]}
    assert browser.open(party.url(sent)).status == 200
    assert "code" in visit(party, browser, pushed, request).parameters


def test_par_attempt_reuse_request_uri(party, browser):
    _, request, pushed = push(party)
    visit(party, browser, pushed, request)
    no_code(visit(party, Browser(), pushed, {}), "invalid_request_uri")


def test_par_attempt_to_use_request_uri_for_different_client(party, second):
    _, _, pushed = push(party)
    other = {"client_id": second.client["client_id"]}
    at = visit(party, Browser(), pushed, {}, **other)
    assert isinstance(at, Page) and at.status == 400


def test_par_authorization_request_containing_request_uri_form_param(party):
    _, _, pushed = push(party, request_uri="urn:ietf:params:oauth:request_uri:x")
    refused(pushed, "invalid_request", "invalid_request_object", "request_uri_not_supported")


def test_par_attempt_invalid_http_method(party):
    url = party.server["pushed_authorization_request_endpoint"]
    assert httpx.put(url, data={"a": "b"}).status_code == 405


def test_par_ensure_pkce_required(party):
    _, _, pushed = push(party, code_challenge=None, code_challenge_method=None)
    refused(pushed, "invalid_request")


def test_par_plain_pkce_rejected(party):
    _, _, pushed = push(party, code_challenge="v" * 43, code_challenge_method="plain")
    refused(pushed, "invalid_request")


@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_ensure_pkce_code_verifier_required(party, verifier):
    _, _, at = land(party)
    refused(party.redeem(at, code_verifier=verifier), "invalid_grant")


def test_par_without_duplicate_parameters(party):
    assert "code" in land(party)[2].parameters


def test_a_request_with_what_was_pushed_repeated_outside(party):
    _, request, pushed = push(party)
    repeated = {name: request[name] for name in ("response_type", "scope", "redirect_uri")}
    at = visit(party, Browser(), pushed, request, **repeated)
    assert "code" in at.parameters


def test_an_unknown_request_uri_is_an_error_page(party):
    sent = {"client_id": party.client["client_id"]}
    sent["request_uri"] = "urn:ietf:params:oauth:request_uri:x"
    answer = httpx.get(f"{party.server['authorization_endpoint']}?{urlencode(sent)}")
    assert answer.status_code == 400 and "text/html" in answer.headers["content-type"]
