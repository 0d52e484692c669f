"""Attacks on pages: injected markup, forged forms, open redirects, fixed sessions.

What the list in docs/security.md names M1 to M4, A16, A20, A23 and B1, tried over HTTP on every page
that a crawler finds.
"""

import re
from pathlib import Path
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx
import pytest

from harness.examiner import Browser, Party, pkce
from harness.forms import Document
from harness.house import PASSWORD, House
from harness.user_agent import Landing, Page, UserAgent

# Raw, each of these would be an element, an attribute or a script of the attacker's.
PAYLOAD = "<xss-canary>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea></title>"
RAW = re.compile(r"<xss-canary|<img src=x|\"'><")
REDIRECT = "https://shop.example/callback"
# Which routes there are is read where they are written, so that none escapes.
SOURCES = Path(__file__).parents[3] / "src" / "web"
# A form whose pressing ends the walk, or what it walks through.
LEAVE = re.compile(r"/(logout|delete|disable|retire|end|revoke|sign-out|verify)\b")


@pytest.fixture(scope="module")
def house():
    connection = """
[[connections]]
id = "hostile"
name = "<xss-canary>"
issuer = "http://127.0.0.1:9"
client_id = "russet"
client_secret = "not much of a secret"
"""
    with House("security", f'[registration]\nmode = "open"\n{connection}') as house:
        house.person("ada", "--name", PAYLOAD[:60], "--given-name", "<xss-canary>")
        yield house


@pytest.fixture
def owner(house):
    return house.admin("owner")


@pytest.fixture(scope="module")
def client(house):
    """Everything that an operator may write about a client holds markup."""
    return house.client(
        kind="web",
        client_name=PAYLOAD,
        redirect_uri=REDIRECT,
        post_logout_redirect_uri="https://shop.example/bye",
        require_pkce=False,
        first_party=False,
    )


def sound(page: httpx.Response, where: str) -> None:
    """No markup of the attacker's, and the headers that every page has."""
    if "text/html" not in page.headers.get("content-type", ""):
        return
    found = RAW.search(page.text)
    assert not found, f"{where}: {page.text[max(0, found.start() - 200) : found.end() + 50]}"
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy, where
    assert "frame-ancestors 'none'" in policy, where
    assert page.headers["x-content-type-options"] == "nosniff", where
    assert page.headers["referrer-policy"] == "no-referrer", where
    assert page.headers["cache-control"] == "no-store", where


def walk(console) -> dict[str, httpx.Response]:
    """Every page of the console that links lead to, once for each kind of page."""
    seen: dict[str, httpx.Response] = {}
    ahead = ["/admin"]
    while ahead and len(seen) < 300:
        path = ahead.pop()
        if path in seen:
            continue
        page = seen[path] = console.get(path)
        for link in Document(page.text).links if page.status_code == 200 else ():
            target = urlsplit(urljoin(f"{console.issuer}{path}", link))
            if f"{target.scheme}://{target.netloc}" == console.issuer and "/admin" in target.path:
                ahead.append(target.path + (f"?{target.query}" if target.query else ""))
    return seen


def test_markup_stays_text_in_every_field_of_the_console(house, owner, client):
    """Types it into every field of every form, then reads every page."""
    tried = set()
    for path, page in walk(owner).items():
        sound(page, path)
        for form in Document(page.text).forms:
            action = urlsplit(form.action or path).path
            # Another password of its own would end the walk.
            empty = all(name == "csrf" for name, *_ in form.fields)
            if empty or LEAVE.search(action) or owner.username in action:
                continue
            key = (form.method, re.sub(r"/[A-Za-z0-9_-]{20,}", "/{id}", action))
            if key in tried:
                continue
            tried.add(key)
            # The whole payload, and a short one that fits where length is limited.
            for text in (PAYLOAD, "<xss-canary>"):
                fields = form.filled(text)
                if form.method == "post":
                    url = urljoin(f"{house.issuer}{path}", form.action or path)
                    answer = owner.agent.send("POST", url, fields, house.issuer)
                else:
                    answer = owner.get(f"{action}?{urlencode(fields)}")
                assert answer.status_code < 500, (key, answer.status_code)
                sound(answer, f"{key}")
                if answer.is_redirect:
                    sound(owner.get(answer.headers["location"]), f"after {key}")
    assert len(tried) >= 8, tried
    pages = walk(owner)
    for path, page in pages.items():
        assert page.status_code < 500, path
        sound(page, path)
    assert any("&#60;xss-canary" in page.text for page in pages.values()), "it was shown somewhere"


def test_markup_stays_text_on_the_pages_that_people_see(house, client):
    party = Party(house.issuer, client, scope="openid profile offline_access")
    shown = []

    class Noting(Browser):
        def send(self, *args, **more):
            answer = super().send(*args, **more)
            sound(answer, str(args[1]))
            shown.append(answer.text)
            return answer

    browser = Noting()
    _, landing = party.authorize(browser, login_hint=PAYLOAD, ui_locales=PAYLOAD)
    assert isinstance(landing, Landing)
    hostile = {"state": PAYLOAD, "response_mode": "form_post", "nonce": "n"}
    party.authorize(browser, **hostile)
    for name in ("redirect_uri", "client_id", "scope", "response_type", "request_uri", "request"):
        browser.open(party.url(party.parameters(**{name: PAYLOAD})), REDIRECT)
    end = party.server["end_session_endpoint"]
    for query in (
        {"post_logout_redirect_uri": PAYLOAD, "state": PAYLOAD},
        {"id_token_hint": PAYLOAD},
        {"client_id": PAYLOAD, "logout_hint": PAYLOAD},
    ):
        browser.open(f"{end}?{urlencode(query)}")
    for path in ("/account", "/account/identities", f"/device?user_code={quote(PAYLOAD)}", f"/{quote(PAYLOAD)}"):
        browser.send("GET", house.issuer + path)
    browser.send("POST", f"{house.issuer}/device", [("user_code", PAYLOAD)], house.issuer)
    for provider in ("hostile", "none"):
        query = urlencode({"error": PAYLOAD, "error_description": PAYLOAD, "state": PAYLOAD})
        browser.send("GET", f"{house.issuer}/upstream/{provider}/callback?{query}")
    everything = "".join(shown)
    assert "&#60;xss-canary&#62;" in everything, "the name was shown"


def test_a_script_as_address_is_refused_wherever_one_is_registered(house, owner):
    for scheme in ("javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"):
        with pytest.raises(RuntimeError):
            house.client(kind="web", client_name="x", redirect_uri=scheme)
        for member in ("client_uri", "logo_uri", "tos_uri", "policy_uri", "initiate_login_uri"):
            asked = {"redirect_uris": [REDIRECT], "client_name": "x", member: scheme}
            answer = httpx.post(f"{house.issuer}/register", json=asked)
            assert answer.status_code == 400, (member, scheme, answer.text)


# --- forged forms ---


def routes() -> list[str]:
    """The console's own table of what changes something."""
    source = (SOURCES / "admin" / "rights.rs").read_text()
    table = re.search(r"pub const WRITE.*?\n\];", source, re.S)
    found = re.findall(r'\("(/admin/[^"]*)"', table[0])
    assert len(found) > 15
    return found


def test_no_form_of_the_console_is_taken_without_its_token(house, owner, client):
    other = house.admin("owner")
    strangers = other.csrf
    ids = {"client_id": client["client_id"], "kind": "web", "alg": "ES256", "act": "disable"}
    before = house.cli("client", "show", client["client_id"])
    for route in routes():
        path = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "1"), route)
        url = f"{house.issuer}{path}"
        for fields in ([], [("csrf", "")], [("csrf", "x" * 43)], [("csrf", strangers)]):
            fields = [*fields, ("client_name", "Forged"), ("confirm", "yes")]
            answer = owner.agent.send("POST", url, fields, house.issuer)
            assert answer.status_code == 403, (path, answer.status_code)
        # With the right token, but from another site: its cookie is not sent at all.
        fields = [("csrf", owner.csrf)]
        answer = owner.agent.send("POST", url, fields, "https://evil.example")
        assert answer.status_code in (303, 403), path
        assert "login" in answer.headers.get("location", "login"), path
    assert house.cli("client", "show", client["client_id"]) == before
    assert owner.get("/admin").status_code == 200, "and nobody was signed out"


def test_no_form_of_the_persons_own_page_is_taken_without_its_token(house, client):
    source = (SOURCES / "mod.rs").read_text()
    resource = r'web::resource\(\s*"(/account/[^"{]*)"\s*,?\s*\)((?:\s*\.route\([^;]*?\)\))+)'
    posts = [path for path, rest in re.findall(resource, source) if "web::post" in rest]
    assert len(posts) >= 4, posts
    browser = Browser()
    Party(house.issuer, client).sign_in(browser)
    for path in posts:
        for fields in ([], [("csrf", "x" * 43)]):
            fields = [*fields, ("confirm", "yes"), ("connection", "hostile")]
            fields += [("authority", "local"), ("subject", "ada")]
            answer = browser.send("POST", f"{house.issuer}{path}", fields, house.issuer)
            assert answer.status_code in (400, 403), (path, answer.status_code)
    assert browser.send("GET", f"{house.issuer}/account").status_code == 200


# --- open redirects ---

ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/admin",
    "/%5cevil.example",
    "/admin/../..//evil.example",
    "javascript:alert(1)",
    "\t//evil.example",
    "/admin\r\nLocation: https://evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_console_leads_nowhere_else_after_a_sign_in(house, owner, target):
    agent = UserAgent()
    page = agent.send("GET", f"{house.issuer}/admin/login?{urlencode({'next': target})}")
    [form] = [form for form in Document(page.text).forms if form.method == "post"]
    fields = dict(form.filled("")) | {"username": owner.username, "password": PASSWORD}
    fields["next"] = target
    answer = agent.send("POST", f"{house.issuer}/admin/login", fields, house.issuer)
    assert answer.status_code == 303
    stays(house, answer)
    # The same, where a dangerous act wants a fresh proof.
    proof = {"password": PASSWORD, "totp": "", "next": target}
    stays(house, owner.post("/admin/prove", **proof))


def stays(house, answer: httpx.Response) -> None:
    to = urlsplit(urljoin(house.issuer, answer.headers["location"]))
    assert f"{to.scheme}://{to.netloc}" == house.issuer
    assert to.path.startswith("/admin") and "evil" not in to.netloc


NEAR = [
    f"{REDIRECT}/",
    f"{REDIRECT}/x",
    f"{REDIRECT}?x=1",
    f"{REDIRECT}#x",
    f"{REDIRECT};x",
    f"{REDIRECT}%00",
    f"{REDIRECT}%0a",
    f"{REDIRECT}\n",
    f"{REDIRECT}\t",
    f" {REDIRECT}",
    "https://shop.example/Callback",
    "https://SHOP.example/callback",
    "HTTPS://shop.example/callback",
    "http://shop.example/callback",
    "https://shop.example:443/callback",
    "https://shop.example./callback",
    "https://shop.example/./callback",
    "https://shop.example/x/../callback",
    "https://shop.example/%63allback",
    "https://shop.example//callback",
    "https://shop.example/%2fcallback",
    "https://shop.example\\callback",
    "https://shop.example@evil.example/callback",
    "https://user:pass@shop.example/callback",
    "https://shop.example.evil.example/callback",
    "https://evil.example/callback?https://shop.example/callback",
    "//shop.example/callback",
    "/callback",
    "shop.example/callback",
    "https:shop.example/callback",
    "https:/shop.example/callback",
    "https://xn--shop-.example/callback",
    "https://ѕhop.example/callback",
    "https://shop。example/callback",
    "https://127.0.0.1/callback",
    "https://[::1%25lo]/callback",
    "javascript://shop.example/callback",
    "data:text/html,callback",
    "*",
]


@pytest.mark.parametrize("uri", NEAR)
def test_a_redirect_uri_that_is_nearly_right_is_an_error_page(house, client, uri):
    party = Party(house.issuer, client)
    # Whatever else is wrong, there is no redirect to what was not registered (RFC 9700 §4.11).
    for more in ({}, {"prompt": "none"}, {"response_type": "token"}, {"scope": "\x01"}):
        url = party.url(party.parameters(redirect_uri=uri, **more))
        answer = httpx.get(url)
        assert answer.status_code == 400 and "location" not in answer.headers, (uri, more)
        assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("uri", ["https://shop.example/bye/", "https://evil.example/", *ELSEWHERE])
def test_nobody_is_sent_to_an_unregistered_address_after_signing_out(house, client, uri):
    browser = Browser()
    party = Party(house.issuer, client)
    _, tokens, _ = party.sign_in(browser)
    for hint in ({"id_token_hint": tokens["id_token"]}, {"client_id": client["client_id"]}):
        query = urlencode({**hint, "post_logout_redirect_uri": uri})
        answer = browser.send("GET", f"{party.server['end_session_endpoint']}?{query}")
        assert answer.status_code in (200, 400) and "location" not in answer.headers
        assert not re.search(r'(href|src|content)="[^"]*evil', answer.text)


# --- sessions ---


def test_a_console_session_that_somebody_fixed_is_not_taken_over(house, owner):
    agent = UserAgent()
    agent.send("GET", f"{house.issuer}/admin/login")
    host = "127.0.0.1"
    for fixed in ("x" * 43, next(iter(owner.agent.cookies.values()))[0]):
        names = [name for owned, name in owner.agent.cookies if owned == host]
        for name in names:
            agent.cookies[(host, name)] = (fixed, "lax")
        page = agent.send("GET", f"{house.issuer}/admin/login")
        forms = [form for form in Document(page.text).forms if form.method == "post"]
        if forms:
            fields = dict(forms[0].filled("")) | {"username": owner.username, "password": PASSWORD}
            agent.send("POST", f"{house.issuer}/admin/login", fields, house.issuer)
        for name in names:
            held, _ = agent.cookies.get((host, name), ("", ""))
            assert "console" not in name or held != "x" * 43


def test_each_sign_in_has_a_session_of_its_own_and_the_old_one_dies(house, client):
    browser = Browser()
    party = Party(house.issuer, client)
    host = "127.0.0.1"
    browser.cookies[(host, "russet_session")] = ("x" * 43, "lax")
    party.sign_in(browser)
    first = dict(browser.cookies)
    assert first[(host, "russet_session")][0] != "x" * 43
    party.sign_in(browser, prompt="login")
    second = dict(browser.cookies)
    assert second[(host, "russet_session")] != first[(host, "russet_session")]
    old = UserAgent()
    old.cookies = first
    _, at = party.authorize(as_browser(old), prompt="none")
    assert at.parameters["error"] == "login_required"


def as_browser(agent: UserAgent) -> Browser:
    browser = Browser()
    browser.cookies = agent.cookies
    return browser


def test_a_sign_in_begun_in_another_browser_cannot_be_finished_here(house, client):
    """A9, BCP-upd §2.3: PKCE alone does not stop this."""
    party = Party(house.issuer, client)
    _, challenge = pkce()
    attacker, victim = Browser(), Browser()
    page = attacker.open(party.url(party.parameters(**challenge)), REDIRECT)
    assert isinstance(page, Page)
    [form] = [f for f in page.forms if f.get("id") == "login-form"]
    fields = dict(form["fields"]) | {"username": "ada", "password": PASSWORD}
    url = urljoin(page.url, form["action"])
    assert victim.send("POST", url, fields, house.issuer).status_code in (400, 403)
    assert victim.send("GET", page.url).status_code in (400, 403)
