"""Attacks below the pages: odd HTTP, odd bytes, members that nobody may assign.

Groups L, M and N of docs/security.md, on PostgreSQL, which is stricter about bytes than SQLite.
"""

import json
import secrets
import socket
from contextlib import suppress
from urllib.parse import quote, urlsplit

import httpx
import pytest

from harness.databases import postgres_env
from harness.examiner import Browser, Party, pkce
from harness.house import House

REDIRECT = "https://shop.example/callback"


@pytest.fixture(scope="module")
def house():
    url = postgres_env("security")["RUSSET_DATABASE__URL"]
    toml = '[registration]\nmode = "open"\n'
    with House("security-http", toml, database=url) as house:
        house.person("ada")
        house.cli("api", "create", "--identifier", "https://api.example.com", "--name", "Orders")
        yield house


@pytest.fixture(scope="module")
def client(house):
    return house.client(
        kind="web",
        client_name="Shop",
        redirect_uri=REDIRECT,
        first_party=True,
        require_pkce=False,
        token_endpoint_auth_method="client_secret_post",
    )


@pytest.fixture(scope="module")
def owner(house):
    return house.admin("owner")


@pytest.fixture(scope="module")
def api(house, owner):
    headers = {"authorization": f"Bearer {owner.api_key()}"}
    return httpx.Client(base_url=f"{house.issuer}/admin/api/v1", headers=headers, timeout=30)


# --- bytes ---

# NUL, lone continuation bytes, an overlong NUL, a surrogate, a non-character, direction overrides.
BYTES = ["%00", "a%00b", "%80", "%c0%80", "%ed%a0%80", "%ef%bf%bf", "%e2%80%ae", "%0d%0aX:1", "%ff"]


@pytest.mark.parametrize("odd", BYTES)
def test_odd_bytes_are_never_a_fault(house, client, owner, api, odd):
    client_id, secret = client["client_id"], client["client_secret"]
    known = f"client_id={client_id}&redirect_uri={quote(REDIRECT, safe='')}&response_type=code"
    paths = [
        f"/authorize?client_id={odd}",
        f"/authorize?client_id={client_id}&redirect_uri={odd}&response_type=code",
        f"/authorize?{known}&scope=openid&state={odd}&nonce={odd}",
        f"/authorize?{known}&scope={odd}",
        f"/authorize?{known}&scope=openid&login_hint={odd}&ui_locales={odd}&claims={odd}",
        f"/authorize?{known}&scope=openid&resource={odd}&prompt={odd}",
        f"/authorize?client_id={client_id}&request_uri={odd}",
        f"/authorize?{known}&request={odd}",
        f"/logout?client_id={odd}",
        f"/logout?id_token_hint={odd}&post_logout_redirect_uri={odd}&state={odd}",
        f"/device?user_code={odd}",
        f"/interaction/{odd}",
        f"/upstream/{odd}/callback?state={odd}&code={odd}",
        f"/account/deletions/{odd}",
        f"/register/{odd}",
        f"/{odd}",
        f"/static/{odd}",
    ]
    for path in paths:
        answer = httpx.get(house.issuer + path, follow_redirects=False)
        assert answer.status_code < 500, path
        assert "x" not in answer.headers, path
    for path in ("people", "clients", "audit", "sessions", "apis/edit", "people/{}", "clients/{}"):
        names = ("q", "actor", "kind", "target", "after", "before", "identifier", "request_id")
        query = "&".join(f"{name}={odd}" for name in names)
        assert owner.get(f"/admin/{path.format(odd)}?{query}").status_code < 500, path
    for path in (
        *(f"/{name}?q={odd}" for name in ("clients", "users")),
        *(f"/{name}/{odd}" for name in ("clients", "users", "apis", "deletions")),
        *(f"/events?{name}={odd}" for name in ("kind", "actor", "target", "request_id", "after")),
        f"/sessions?after={odd}",
    ):
        assert api.get(path).status_code < 500, path
    for path in (f"/sessions/{odd}", f"/grants/{odd}", f"/clients/{odd}", f"/apis/{odd}"):
        assert api.delete(path).status_code < 500, path
    form = {"content-type": "application/x-www-form-urlencoded"}
    mine = f"client_id={client_id}&client_secret={quote(secret)}"
    for path, body in [
        ("/token", f"grant_type=authorization_code&code=x&client_id={odd}&client_secret={odd}"),
        ("/token", f"grant_type=authorization_code&code={odd}&code_verifier={odd}&{mine}"),
        ("/token", f"grant_type=refresh_token&refresh_token={odd}&scope={odd}&{mine}"),
        ("/token", f"grant_type={odd}&{mine}"),
        ("/introspect", f"token={odd}&token_type_hint={odd}&{mine}"),
        ("/revoke", f"token={odd}&{mine}"),
        ("/par", f"{mine}&redirect_uri={odd}&response_type=code&scope=openid"),
        ("/upstream/apple/challenge", f"client_id={odd}"),
        ("/upstream/apple/notifications", f"payload={odd}"),
        ("/device_authorization", f"client_id={odd}&scope={odd}"),
        ("/admin/login", f"username={odd}&password={odd}&next={odd}"),
    ]:
        answer = httpx.post(house.issuer + path, content=body, headers=form)
        assert answer.status_code < 500, (path, body)
    basic = httpx.BasicAuth("a\0b", "c\0d")
    answer = httpx.post(f"{house.issuer}/token", auth=basic, data={"grant_type": "x"})
    assert answer.status_code < 500


TEXTS = ["\0", "a\0b", "\ud800", "\u202e", "x" * 100_000, "'; DROP TABLE clients; --", "%", "\\"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_odd_texts_in_json_are_never_a_fault(house, api, text):
    metadata = {"redirect_uris": [REDIRECT], "client_name": "x", "contacts": ["x"]}
    for member in ("client_name", "redirect_uris", "contacts", "software_id", "scope", "jwks"):
        value = [text] if isinstance(metadata.get(member), list) else text
        body = json.dumps({**metadata, member: value})
        headers = {"content-type": "application/json"}
        answer = httpx.post(f"{house.issuer}/register", content=body, headers=headers)
        assert answer.status_code < 500, member
        body = json.dumps({"kind": "web", member: value})
        answer = api.post("/clients", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, member
    for member in ("identifier", "name", "scopes"):
        value = [{"name": text, "description": text}] if member == "scopes" else text
        body = json.dumps({"identifier": "https://a.example", "name": "x", member: value})
        answer = api.post("/apis", content=body, headers={"content-type": "application/json"})
        assert answer.status_code < 500, member
        if answer.status_code == 201:
            api.delete(f"/apis/{quote(answer.json()['identifier'], safe='')}")


def test_nesting_without_end_is_refused(house, api):
    deep = "[" * 100_000 + "]" * 100_000
    headers = {"content-type": "application/json"}
    for url in (f"{house.issuer}/register", "/clients", "/apis"):
        body = f'{{"client_name":{deep}}}'
        assert 400 <= api.post(url, content=body, headers=headers).status_code < 500
    claims = {"claims": f'{{"userinfo":{deep[:4000]}}}'}
    assert httpx.get(f"{house.issuer}/authorize", params=claims).status_code == 400
    assert httpx.get(f"{house.issuer}/healthz").status_code == 200


# --- mass assignment ---


def test_nothing_of_a_clients_keeping_can_be_assigned(house, client, api):
    path = f"/clients/{client['client_id']}"
    tag = {"if-match": api.get(path).headers["etag"]}
    before = api.get(path).json()
    for member, value in {
        "client_id": "mine",
        "client_secret": "mine",
        "client_id_issued_at": 1,
        "client_secret_expires_at": 1,
        "client_id_metadata_fetched_at": 1,
        "kind": "machine",
        "application_type": "native",
        "version": 9,
        "created_at": 1,
        "updated_at": 1,
        "disabled_at": 1,
        "registration_access_token": "mine",
        "registration_client_uri": "https://evil.example/",
        "owner": "me",
        "role": "owner",
        "is_admin": True,
        "trusted": True,
        "skip_consent": True,
        "__proto__": {},
    }.items():
        answer = api.patch(path, json={member: value}, headers=tag)
        assert answer.status_code == 422, (member, answer.text)
        answer = api.post("/clients", json={"kind": "web", "client_name": "x", member: value})
        assert member == "kind" or answer.status_code == 422, (member, answer.text)
    assert api.get(path).json() == before


def test_nothing_of_an_apis_or_a_persons_keeping_can_be_assigned(house, api):
    path = f"/apis/{quote('https://api.example.com', safe='')}"
    tag = {"if-match": api.get(path).headers["etag"]}
    for member in ("identifier", "version", "created_at", "id", "owner"):
        assert api.patch(path, json={member: "x"}, headers=tag).status_code == 422, member
    [person] = api.get("/users").json()["items"]
    for member in ("sub", "id", "email", "email_verified", "created_at", "identities", "role"):
        assigned = {member: "x", "disabled": False}
        answer = api.patch(f"/users/{person['id']}", json=assigned, headers={"if-match": "*"})
        assert answer.status_code == 422, member
    assert api.get("/users").json()["items"] == [person]
    for member in ("kid", "private_key", "state"):
        assert api.post("/keys", json={"alg": "ES256", member: "x"}).status_code == 422


def test_a_client_that_registers_itself_gives_itself_nothing(house):
    wanted = {
        "client_id": "chosen-by-the-attacker",
        "client_secret": "chosen-too",
        "first_party": True,
        "disabled": False,
        "kind": "machine",
        "resources": ["https://api.example.com"],
        "default_resource": "https://api.example.com",
        "apple_bundle_ids": ["com.example.app"],
        "token_exchange_impersonation": True,
        "token_exchange_subject_clients": ["x"],
        "allowed_connections": [],
        "claims": [{"claim": "role", "value": "admin"}],
        "may_act": "x",
        "client_id_metadata_fetched_at": 1,
        "registration_access_token": "chosen",
    }
    asked = {"redirect_uris": [REDIRECT], "client_name": "x", **wanted}
    answer = httpx.post(f"{house.issuer}/register", json=asked)
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        made = answer.json()
        kept = house.cli("client", "show", made["client_id"])
        for member, value in wanted.items():
            assert kept.get(member) != value or value in (False, []), member
        assert not kept["first_party"]
        assert made["registration_access_token"] != "chosen"


def test_a_registration_token_reaches_its_own_client_alone(house):
    def register() -> dict:
        asked = {"redirect_uris": [REDIRECT], "client_name": "x"}
        return httpx.post(f"{house.issuer}/register", json=asked).json()

    mine, other = register(), register()
    token = {"authorization": f"Bearer {mine['registration_access_token']}"}
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": {"client_id": other["client_id"], "redirect_uris": [REDIRECT]}}
        more = body if method == "PUT" else {}
        answer = httpx.request(method, other["registration_client_uri"], headers=token, **more)
        assert answer.status_code == 401, method
    moved = {"client_id": other["client_id"], "redirect_uris": [REDIRECT]}
    answer = httpx.put(mine["registration_client_uri"], headers=token, json=moved)
    assert answer.status_code in (400, 401)


# --- HTTP ---


def raw(house, request: bytes) -> bytes:
    """What is answered until the connection ends; nothing, if it is closed without a word."""
    at = urlsplit(house.issuer)
    answer = b""
    # A refused request may be answered by a reset, at any moment.
    with suppress(OSError), socket.create_connection((at.hostname, at.port), timeout=5) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        while part := wire.recv(65536):
            answer += part
    return answer


def status(answer: bytes) -> int:
    """Its status; 0 for a connection that was closed without a word."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def test_the_issuer_is_not_what_a_header_says(house):
    paths = ("/.well-known/openid-configuration", "/jwks", "/admin/api/openapi.json")
    for path in paths:
        said = httpx.get(house.issuer + path).text
        for headers in (
            {"host": "evil.example"},
            {"x-forwarded-host": "evil.example"},
            {"x-forwarded-proto": "https"},
            {"x-forwarded-prefix": "/evil"},
            {"forwarded": "host=evil.example;proto=https"},
        ):
            answer = httpx.get(house.issuer + path, headers=headers)
            assert answer.status_code in (200, 400, 421)
            assert "evil" not in answer.text
            assert answer.status_code != 200 or answer.text == said
    page = httpx.get(f"{house.issuer}/admin/login", headers={"host": "evil.example"})
    assert "evil.example" not in page.text


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
SMUGGLED = [
    b"Content-Length: 4\r\n" + CHUNKED + b"GET /smuggled HTTP/1.1\r\n\r\n",
    b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nabcd",
    b"Content-Length: +4\r\n\r\nabcd",
    b"Content-Length: 0x4\r\n\r\nabcd",
    b"Content-Length: 4, 9\r\n\r\nabcd",
    b"Content-Length: -1\r\n\r\nabcd",
    b"Content-Length: 99999999999999999999\r\n\r\nabcd",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabcd\r\n0\r\n\r\n",
    b"X: a\r\n b\r\nContent-Length: 4\r\n\r\nabcd",
]


@pytest.mark.parametrize("head", SMUGGLED, ids=range(len(SMUGGLED)))
def test_a_request_of_two_minds_about_its_length_is_refused(house, head):
    request = b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head
    answer = raw(house, request)
    assert answer.count(b"HTTP/1.1 ") <= 1, "no second request hides in the first"
    assert status(answer) == 0 or 400 <= status(answer) < 500, answer[:200]


def test_methods_that_nobody_needs_are_refused(house):
    for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "FOO"):
        for path in ("/", "/token", "/admin", "/account", "/admin/api/v1/clients"):
            request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: echo\r\n\r\n"
            answer = raw(house, request.encode())
            assert b"X-Secret" not in answer, (method, path)
            assert status(answer) == 0 or status(answer) >= 300, (method, path)
    for header in ("x-http-method-override", "x-method-override", "x-http-method"):
        headers = {header: "DELETE"}
        answer = httpx.post(f"{house.issuer}/admin/api/v1/clients/x", headers=headers)
        assert answer.status_code in (401, 404, 405)


def test_another_spelling_of_a_path_opens_nothing(house, api):
    for path in (
        "//admin",
        "/%61dmin",
        "/admin/..;/admin/people",
        "/admin%2fpeople",
        "/ADMIN",
        "/admin/people/",
        "/admin/people/..",
        "/admin/people%20",
        "/admin/people.css",
        "/userinfo/x.css",
        "/account/x.js",
        "/account/../admin/people",
        "/static/../admin/people",
        "/static/..%2f..%2fetc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        answered = status(raw(house, request.encode()))
        assert answered in (303, 400, 401, 404), (path, answered)


def test_what_is_too_large_is_refused_before_it_is_read(house):
    for path in ("/token", "/par", "/authorize", "/register", "/admin/login"):
        # Only the length is told; nobody waits for the rest.
        request = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n"
        request += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        answer = raw(house, request.encode())
        assert status(answer) in (0, 400, 413, 415), (path, answer[:80])
    form = {"content-type": "application/x-www-form-urlencoded"}
    big = f"grant_type=x&scope={'a' * 1_000_000}"
    with suppress(httpx.TransportError):
        # The rest of it may be cut off.
        answer = httpx.post(f"{house.issuer}/token", content=big, headers=form)
        assert answer.status_code in (400, 413)
    long = "a" * 200_000
    for sent in (f"X: {long}\r\n", "X: a\r\n" * 5_000, f"Cookie: a={long}\r\n"):
        answer = raw(house, f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{sent}\r\n".encode())
        assert status(answer) == 0 or 400 <= status(answer) < 500, answer[:80]
    answer = raw(house, f"GET /{'a' * 500_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert status(answer) == 0 or 400 <= status(answer) < 500, answer[:80]
    assert httpx.get(f"{house.issuer}/healthz").status_code == 200


def test_a_compressed_request_is_not_unpacked(house):
    headers = {"content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{house.issuer}/token", content=secrets.token_bytes(2000), headers=headers)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("name", ["russet_console", "russet_session", "russet_binding"])
def test_a_cookie_that_nobody_gave_out_is_no_session(house, name):
    for value in ("", "x", "x" * 4000, '"', "a=b=c", "%00", "../../x", "null", "\x80"):
        headers = {"cookie": f"{name}={value}; {name}={value}".encode("latin-1")}
        for path in ("/admin", "/account", "/admin/people"):
            answer = httpx.get(house.issuer + path, headers=headers)
            assert answer.status_code < 500 and "ada" not in answer.text, (path, value)
        assert httpx.get(f"{house.issuer}/admin/people", headers=headers).status_code in (303, 400)


def test_an_address_in_a_header_is_nobodys_unless_a_proxy_is_trusted(house, owner):
    for forwarded in ("a", "127.0.0.1, a", "999.1.1.1", "::1", "'"):
        headers = {"x-forwarded-for": forwarded}
        assert httpx.get(f"{house.issuer}/admin/people", headers=headers).status_code == 303
        form = {"username": "x", "password": "x"}
        answer = httpx.post(f"{house.issuer}/admin/login", data=form, headers=headers)
        assert answer.status_code in (400, 401, 403)


def test_only_303_follows_a_posted_form(house, client):
    """RFC 9700 §4.12: 307 would post the password on to the client."""
    seen = []

    class Noting(Browser):
        def send(self, method, *args, **more):
            answer = super().send(method, *args, **more)
            seen.append((method, answer.status_code))
            return answer

    _, challenge = pkce()
    Party(house.issuer, client).authorize(Noting(), **challenge)
    posts = [status for method, status in seen if method == "POST"]
    assert posts and all(status == 303 or status < 300 for status in posts), seen


def test_no_other_site_may_read_what_is_a_persons(house):
    for path in ("/authorize", "/account", "/admin", "/logout", "/admin/api/v1/clients", "/par"):
        headers = {"origin": "https://evil.example"}
        answer = httpx.get(house.issuer + path, headers=headers)
        granted = answer.headers.get("access-control-allow-origin")
        assert granted is None and "access-control-allow-credentials" not in answer.headers, path
