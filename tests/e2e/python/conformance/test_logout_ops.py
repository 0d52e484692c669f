"""RP-Initiated, Back-Channel, Front-Channel and Session Management OP; tests are named like the
plans' modules."""

import re
from html import unescape
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwk, jwt

from harness.examiner import Browser, Party, b64, claims_of
from harness.receiver import Receiver, logout_token
from harness.russet import remember
from harness.user_agent import Landing, Page

REDIRECT = "https://suite.example/test/a/russet/callback"
AFTER = "https://suite.example/test/a/russet/post_logout_redirect"


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def client(house, receiver):
    return house.client(
        kind="web",
        client_name="Suite, logout",
        first_party=True,
        require_pkce=False,
        redirect_uri=REDIRECT,
        post_logout_redirect_uri=AFTER,
        backchannel_logout_uri=receiver.url("/backchannel"),
        backchannel_logout_session_required=True,
        frontchannel_logout_uri="https://suite.example/frontchannel_logout",
        frontchannel_logout_session_required=True,
    )


@pytest.fixture
def party(house, client):
    return Party(house.issuer, client)


@pytest.fixture
def signed_in(party, browser):
    _, tokens, claims = party.sign_in(browser)
    return tokens["id_token"], claims


def end(party: Party, browser: Browser, **parameters) -> Landing | Page:
    url = party.server["end_session_endpoint"]
    return browser.open(f"{url}?{urlencode(parameters)}" if parameters else url, AFTER)


def leave_frames(at: Landing | Page, browser: Browser) -> Landing | Page:
    """A page with the clients' frames leads on by itself: a script follows the link on it."""
    if isinstance(at, Landing):
        return at
    onward = re.search(r'href="([^"]*suite\.example[^"]*)"', at.text)
    return browser.open(unescape(onward[1]), AFTER) if onward else at


def is_signed_out(party: Party, browser: Browser) -> bool:
    _, at = party.authorize(browser, prompt="none")
    return at.parameters.get("error") in ("login_required", "interaction_required")


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(party):
    assert party.server["end_session_endpoint"]


def test_oidcc_rp_initiated_logout(party, browser, signed_in):
    state = "s" * 128
    hint = {"id_token_hint": signed_in[0], "post_logout_redirect_uri": AFTER, "state": state}
    at = leave_frames(end(party, browser, **hint), browser)
    assert isinstance(at, Landing) and at.parameters == {"state": state}
    assert is_signed_out(party, browser)


def test_oidcc_rp_initiated_logout_no_state(party, browser, signed_in):
    hint = {"id_token_hint": signed_in[0], "post_logout_redirect_uri": AFTER}
    at = leave_frames(end(party, browser, **hint), browser)
    assert isinstance(at, Landing) and at.parameters == {}
    assert is_signed_out(party, browser)


@pytest.mark.parametrize("uri", [f"{AFTER}/extra", f"{AFTER}?foo=bar", "https://evil.example/"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(party, browser, signed_in, uri):
    at = end(party, browser, id_token_hint=signed_in[0], post_logout_redirect_uri=uri)
    assert isinstance(at, Page) and uri not in at.headers.get("location", "")
    assert "post_logout_redirect_uri is not registered" in at.text
    assert not re.search(r'(href|action|src)="[^"]*(evil|extra|foo=bar)', at.text)


def test_oidcc_rp_initiated_logout_modified_id_token_hint(party, browser, signed_in):
    header = b64(b'{"alg":"none"}')
    unsigned = f"{header}.{signed_in[0].split('.')[1]}."
    at = end(party, browser, id_token_hint=unsigned, post_logout_redirect_uri=AFTER)
    assert isinstance(at, Page) and "id_token_hint is not valid" in at.text


def test_oidcc_rp_initiated_logout_bad_id_token_hint(party, browser, signed_in):
    key = jwk.ECKey.generate_key("P-256", {"kid": "of-the-suite"})
    hint = jwt.encode({"alg": "ES256", "kid": key.kid}, signed_in[1], key)
    remember(hint)
    at = end(party, browser, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    assert isinstance(at, Page) and "id_token_hint is not valid" in at.text


def test_oidcc_rp_initiated_logout_no_id_token_hint(party, browser, signed_in):
    at = end(party, browser, post_logout_redirect_uri=AFTER)
    assert isinstance(at, Page), "never a redirect"


@pytest.mark.parametrize("parameters", [{}, {"state": "only"}])
def test_oidcc_rp_initiated_logout_no_params(party, browser, signed_in, parameters):
    page = end(party, browser, **parameters)
    assert isinstance(page, Page) and page.status == 200
    # Nobody is signed out by a link somewhere: there is a question, and it is answered.
    buttons = {b.get("id"): (form, b) for form in page.forms for b in form["buttons"]}
    done = browser.press(page, *buttons["logout-confirm"], AFTER)
    assert isinstance(done, Page) and done.heading == "You are signed out"
    assert is_signed_out(party, browser)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(party, browser, signed_in):
    page = end(party, browser, id_token_hint=signed_in[0])
    assert isinstance(page, Page) and page.heading == "You are signed out"
    assert is_signed_out(party, browser)


def test_oidcc_backchannel_logout_discovery_endpoint_verification(party):
    assert party.server["backchannel_logout_supported"] is True
    assert party.server["backchannel_logout_session_supported"] is True


def test_oidcc_backchannel_rp_initiated_logout(party, browser, signed_in, receiver):
    hint, claims = signed_in
    receiver.taken()
    end(party, browser, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="x")
    path, headers, body, _ = receiver.received.get(timeout=30)
    assert path == "/backchannel"
    assert headers["content-type"].startswith("application/x-www-form-urlencoded")
    token = logout_token(body)
    keys = jwk.KeySet.import_key_set(httpx.get(party.server["jwks_uri"]).json())
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    assert decoded.header["typ"] == "logout+jwt"
    told = decoded.claims
    assert (told["iss"], told["aud"]) == (party.issuer, party.client["client_id"])
    assert told["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert (told["sub"], told["sid"]) == (claims["sub"], claims["sid"])
    assert told["jti"] and "nonce" not in told and told["exp"] - told["iat"] <= 120
    assert is_signed_out(party, browser)


def test_oidcc_frontchannel_logout_discovery_endpoint_verification(party):
    assert party.server["frontchannel_logout_supported"] is True
    assert party.server["frontchannel_logout_session_supported"] is True


def test_oidcc_frontchannel_rp_initiated_logout(party, browser, signed_in):
    hint, claims = signed_in
    hints = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "x"}
    page = end(party, browser, **hints)
    assert isinstance(page, Page)
    [frame] = re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)
    expected = urlencode({"iss": party.issuer, "sid": claims["sid"]})
    assert unescape(frame) == f"https://suite.example/frontchannel_logout?{expected}"
    at = leave_frames(page, browser)
    assert isinstance(at, Landing) and at.parameters == {"state": "x"}


def test_oidcc_session_management_discovery_endpoint_verification(party):
    page = httpx.get(party.server["check_session_iframe"])
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]


def test_oidcc_session_management_rp_initiated_logout(party, browser):
    # What the frame answers is tried in Chromium (tests/e2e/node/logout.test.js).
    _, landing = party.authorize(browser)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", landing.parameters["session_state"])


def test_the_sid_is_the_sessions(party, browser, signed_in):
    _, again, _ = party.sign_in(browser)
    assert claims_of(again["id_token"])["sid"] == signed_in[1]["sid"]
