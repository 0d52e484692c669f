"""Native sign-in: Apple's identity token for the broker's own tokens (RFC 8693)."""

import base64
import hashlib
import json
import secrets

import httpx
import jwt
import pytest

from harness.apple import BUNDLE_ID, native_sign_in, new_person
from harness.app import ID_TOKEN, App, error_of
from harness.russet import DEV, create_client, noting

API = DEV["demo_api"]["identifier"]


@pytest.fixture
def app() -> App:
    return App(DEV["clients"]["native"])


@pytest.fixture
def person() -> dict:
    return new_person("Nina")


def hashed(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()


def sign_in(app: App, person: dict, **form) -> httpx.Response:
    """The app's part as it should be; `form` replaces what it posts."""
    nonce = secrets.token_urlsafe(16)
    credential = native_sign_in(person["id"], hashed(nonce))
    return app.exchange(
        form.pop("subject_token", credential["identityToken"]),
        **{"nonce": nonce, "authorization_code": credential["authorizationCode"], **form},
    )


def test_one_call_answers_with_the_brokers_own_tokens(app, person):
    answer = sign_in(app, person, resource=API)
    assert answer.status_code == 200, answer.text
    tokens = noting(answer)
    assert tokens["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert tokens["token_type"].lower() == "bearer"
    assert "no-store" in answer.headers["cache-control"]
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    keys = jwt.PyJWKClient(app.metadata["jwks_uri"])
    for token, audience in (
        (tokens["access_token"], API),
        (tokens["id_token"], app.client["client_id"]),
    ):
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["RS256", "ES256", "EdDSA", "PS256"],
            audience=audience,
            issuer=DEV["issuer"],
        )
        assert not claims["sub"].startswith("001234."), "Apple's sub must stay with the broker"


def test_native_and_web_sign_in_know_the_same_person(app, person):
    tokens = noting(sign_in(app, person))
    native = app.userinfo(tokens["access_token"]).json()["sub"]
    web = App(DEV["clients"]["web"])
    signed_in = web.sign_in(person["display_name"])
    assert web.userinfo(signed_in["access_token"]).json()["sub"] == native


def test_the_name_the_app_sends_is_kept_as_display_text(app, person):
    user = json.dumps({"name": {"firstName": "Nína\u202e<b>", "lastName": " Simone "}})
    tokens = noting(sign_in(app, person, user=user))
    name = app.userinfo(tokens["access_token"]).json()["name"]
    assert name.startswith("Nína") and name.endswith("Simone")
    assert "\u202e" not in name


def test_an_email_the_app_sends_is_ignored(app, person):
    user = json.dumps({"name": {}, "email": "victim@example.com"})
    tokens = noting(sign_in(app, person, user=user))
    assert app.userinfo(tokens["access_token"]).json()["email"] == person["email"]


@pytest.mark.parametrize("user", ["{", "null", "[]", '"Nina"', '{"name": 7}'])
def test_a_malformed_user_never_fails_the_sign_in(app, person, user):
    assert sign_in(app, person, user=user).status_code == 200


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(lambda nonce: nonce, id="raw"),
        pytest.param(hashed, id="hex"),
        pytest.param(
            lambda nonce: base64.urlsafe_b64encode(hashlib.sha256(nonce.encode()).digest())
            .decode()
            .rstrip("="),
            id="base64url",
        ),
    ],
)
def test_the_nonce_may_be_raw_or_hashed(app, person, claim):
    nonce = secrets.token_urlsafe(16)
    credential = native_sign_in(person["id"], claim(nonce))
    answer = app.exchange(credential["identityToken"], nonce=nonce)
    assert answer.status_code == 200, answer.text


def test_an_identity_token_is_good_once(app, person):
    nonce = secrets.token_urlsafe(16)
    credential = native_sign_in(person["id"], hashed(nonce))
    assert app.exchange(credential["identityToken"], nonce=nonce).status_code == 200
    again = app.exchange(credential["identityToken"], nonce=nonce)
    assert error_of(again) == (400, "invalid_grant")


def test_a_challenge_is_good_once_and_for_its_client(app, person):
    def challenge(client: dict) -> str:
        url = f"{DEV['issuer']}/upstream/apple/challenge"
        answer = httpx.post(url, data={"client_id": client["client_id"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["expires_in"] == 300
        return answer.json()["nonce"]

    strict = App(
        create_client(
            kind="native",
            client_name="Demands a challenge",
            redirect_uri="com.example.demo:/callback",
            apple_bundle_id=BUNDLE_ID,
            require_native_challenge=True,
        )
    )

    def exchange(with_app: App, nonce: str) -> httpx.Response:
        credential = native_sign_in(person["id"], hashed(nonce))
        return with_app.exchange(credential["identityToken"], nonce=nonce)

    nonce = challenge(strict.client)
    assert exchange(strict, nonce).status_code == 200
    assert error_of(exchange(strict, nonce)) == (400, "invalid_grant")
    assert error_of(exchange(strict, "a nonce of the app's own")) == (400, "invalid_grant")
    assert error_of(exchange(strict, challenge(app.client))) == (400, "invalid_grant")


class TestRefusals:
    def test_a_wrong_nonce(self, app, person):
        answer = sign_in(app, person, nonce="another nonce")
        assert error_of(answer) == (400, "invalid_grant")

    def test_a_missing_nonce_when_the_token_holds_one(self, app, person):
        assert error_of(sign_in(app, person, nonce=None)) == (400, "invalid_request")

    def test_a_nonce_when_the_token_holds_none(self, app, person):
        credential = native_sign_in(person["id"])
        answer = app.exchange(credential["identityToken"], nonce="expected")
        assert error_of(answer) == (400, "invalid_grant")

    def test_another_persons_authorization_code(self, app, person):
        other = native_sign_in(new_person()["id"], hashed("x"))
        answer = sign_in(app, person, authorization_code=other["authorizationCode"])
        assert error_of(answer) == (400, "invalid_grant")

    def test_a_bundle_id_not_allowed_to_the_client(self, person):
        other = create_client(
            kind="native",
            client_name="Without a bundle ID",
            redirect_uri="com.example.other:/callback",
        )
        answer = sign_in(App(other), person)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "unauthorized_client")

    def test_a_client_of_another_kind(self, person):
        answer = sign_in(App(DEV["clients"]["web"]), person)
        assert error_of(answer) == (400, "unauthorized_client")

    def test_an_id_token_of_the_brokers_own(self, app, person):
        tokens = noting(sign_in(app, person))
        answer = app.exchange(tokens["id_token"], nonce="any")
        assert error_of(answer) == (400, "invalid_grant")

    def test_a_changed_identity_token(self, app, person):
        nonce = secrets.token_urlsafe(16)
        token = native_sign_in(person["id"], hashed(nonce))["identityToken"]
        head, payload, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        claims["email"] = "victim@example.com"
        forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        answer = app.exchange(f"{head}.{forged}.{signature}", nonce=nonce)
        assert error_of(answer) == (400, "invalid_grant")

    def test_an_identity_token_without_signature(self, app, person):
        nonce = secrets.token_urlsafe(16)
        payload = native_sign_in(person["id"], hashed(nonce))["identityToken"].split(".")[1]
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        answer = app.exchange(f"{head}.{payload}.", nonce=nonce)
        assert error_of(answer) == (400, "invalid_grant")

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "…", "." * 2000])
    def test_what_is_no_token_at_all(self, app, token):
        answer = app.exchange(token, nonce="any")
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "invalid_request")

    def test_a_missing_subject_token(self, app):
        assert error_of(app.exchange(None)) == (400, "invalid_request")

    def test_a_subject_token_type_that_is_not_spoken(self, app, person):
        other = ID_TOKEN.replace("id_token", "saml2")
        answer = sign_in(app, person, subject_token_type=other)
        assert error_of(answer) == (400, "invalid_request")

    def test_an_issuer_that_is_not_spoken(self, app, person):
        answer = sign_in(app, person, subject_issuer="google")
        assert error_of(answer) == (400, "invalid_request")

    def test_a_resource_that_is_not_registered(self, app, person):
        answer = sign_in(app, person, resource="https://nowhere.example/")
        assert error_of(answer) == (400, "invalid_target")

    def test_a_scope_that_is_not_allowed(self, app, person):
        answer = sign_in(app, person, scope="openid everything")
        assert error_of(answer) == (400, "invalid_scope")
