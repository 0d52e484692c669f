"""What an outside examiner of an OpenID Provider has: a browser driven by form ids, requests of its
own, and the rules that every answer is held to (OIDC Core, RFC 6749, RFC 9207; FAPI 2.0)."""

import base64
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
from joserfc import jwk, jwt

from .house import PASSWORD
from .russet import noting, remember
from .user_agent import Landing, Page, UserAgent

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# RFC 6749 §4.1.2.1: what an error_description may be made of.
DESCRIPTION = re.compile(r"^[\x20-\x21\x23-\x5b\x5d-\x7e]*$")
# What an ID token may hold when nothing but `openid` was asked for.
ID_TOKEN_CLAIMS = set(
    "iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn".split()
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def pkce() -> tuple[str, dict[str, str]]:
    verifier = secrets.token_urlsafe(32)
    challenge = b64(hashlib.sha256(verifier.encode()).digest())
    return verifier, {"code_challenge": challenge, "code_challenge_method": "S256"}


def claims_of(token: str) -> dict:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class Browser(UserAgent):
    """Signs in and consents by the ids of conformance.md D. `asked`: how often it had to sign in."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def visit(self, url, redirect_uri, press="allow", method="GET", fields=None):
        """Goes there and does what a person does; a Landing, or the Page it cannot get past."""
        at = self.open(url, redirect_uri, method, fields)
        for _ in range(10):
            if isinstance(at, Landing) or at.status >= 400:
                return at
            buttons = {b.get("id"): (f, b) for f in at.forms for b in f["buttons"]}
            if press == "cancel" and "login-cancel" in buttons:
                at = self.press(at, *buttons["login-cancel"], redirect_uri)
            elif "login-submit" in buttons:
                self.asked += 1
                fill = {"username": "ada", "password": PASSWORD}
                at = self.press(at, *buttons["login-submit"], redirect_uri, fill)
            elif "consent-allow" in buttons:
                at = self.press(at, *buttons["consent-allow"], redirect_uri)
            elif "form-post-continue" in buttons:
                at = self.press(at, *buttons["form-post-continue"], redirect_uri)
            else:
                return at
        raise AssertionError(f"no end of pages, the last was {at.heading!r}")


@dataclass
class Party:
    """A client of the provider, and what it sends."""

    issuer: str
    client: dict
    response_mode: str | None = None
    scope: str = "openid"
    # For private_key_jwt and DPoP.
    key: jwk.ECKey | jwk.RSAKey | None = None
    alg: str = "ES256"
    dpop_key: jwk.ECKey | None = None
    nonces: dict = field(default_factory=dict)

    @property
    def redirect_uri(self) -> str:
        return self.client["redirect_uris"][0]

    @property
    def server(self) -> dict:
        if not hasattr(self, "_server"):
            self._server = httpx.get(f"{self.issuer}/.well-known/openid-configuration").json()
        return self._server

    # --- the front channel ---

    def parameters(self, **more) -> dict:
        """`None` takes a parameter away."""
        request = {
            "response_type": "code",
            "client_id": self.client["client_id"],
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "response_mode": self.response_mode,
            **more,
        }
        return {name: value for name, value in request.items() if value is not None}

    def url(self, parameters: dict) -> str:
        return f"{self.server['authorization_endpoint']}?{urlencode(parameters)}"

    def authorize(self, browser: Browser, press="allow", method="GET", **more):
        """An authorization request and where it ended."""
        request = self.parameters(**more)
        if method == "POST":
            endpoint = self.server["authorization_endpoint"]
            at = browser.visit(endpoint, self.redirect_uri, press, "POST", list(request.items()))
        else:
            at = browser.visit(self.url(request), self.redirect_uri, press)
        if isinstance(at, Landing):
            self.check_answer(at, request)
        return request, at

    def check_answer(self, landing: Landing, request: dict) -> None:
        given = landing.parameters
        assert not urlsplit(landing.url).fragment
        assert given.get("state") == request.get("state")
        assert given["iss"] == self.issuer
        query = parse_qs(urlsplit(landing.url).query)
        own = parse_qs(urlsplit(request.get("redirect_uri", "")).query)
        assert own.items() <= query.items(), "the redirect URI keeps its own query"
        if request.get("response_mode") == "form_post":
            assert landing.form is not None and query == own, "everything is posted"
        else:
            assert landing.form is None
        if "error" in given:
            assert "code" not in given
            assert DESCRIPTION.match(given.get("error_description", ""))
            known = {"error", "error_description", "error_uri", "state", "session_state", "iss"}
            assert given.keys() <= known | own.keys()
        else:
            assert len(given["code"]) >= 22, "128 bits"

    # --- the back channel ---

    def assertion(self, alg=None, key=None, **more) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client["client_id"],
            "sub": self.client["client_id"],
            "aud": self.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(12),
            **more,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        key = key or self.key
        header = {"alg": alg or self.alg, "kid": key.kid, "typ": "JWT"}
        algorithms = ["ES256", "PS256", "RS256"]
        token = jwt.encode(header, claims, key, algorithms=algorithms)
        remember(token)
        return token

    def authentication(self) -> tuple[dict, dict]:
        """Form members and headers by which the client proves itself."""
        client_id, method = self.client["client_id"], self.client["token_endpoint_auth_method"]
        if method == "private_key_jwt":
            assertion = {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()}
            return {"client_id": client_id, **assertion}, {}
        secret = self.client["client_secret"]
        if method == "client_secret_post":
            return {"client_id": client_id, "client_secret": secret}, {}
        # RFC 6749 §2.3.1: both are form-urlencoded first.
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        return {}, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def proof(self, method: str, url: str, token: str | None = None, key=None, **more) -> str:
        """A DPoP proof (RFC 9449 §4.2). `header` among `more` changes the header."""
        key = key or self.dpop_key
        header = {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": key.as_dict(private=False),
            **more.pop("header", {}),
        }
        claims = {
            "jti": secrets.token_urlsafe(12),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
            **({"ath": b64(hashlib.sha256(token.encode()).digest())} if token else {}),
            **({"nonce": self.nonces[url]} if url in self.nonces else {}),
            **more,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(header, claims, key, algorithms=["ES256", "RS256"])

    def post(self, endpoint: str, form: dict, headers=None, proof=True, authenticate=True):
        """To a back-channel endpoint, as itself; again when the first answer gave a nonce."""
        url = self.server[endpoint]
        for _ in range(2):
            members, own = self.authentication() if authenticate else ({}, {})
            sent = {**own, **(headers or {})}
            if self.dpop_key and proof and "dpop" not in sent:
                sent["dpop"] = self.proof("POST", url) if proof is True else proof
            body = {k: v for k, v in {**members, **form}.items() if v is not None}
            answer = httpx.post(url, data=body, headers=sent)
            if "dpop-nonce" in answer.headers:
                self.nonces[url] = answer.headers["dpop-nonce"]
            if answer.status_code != 400 or answer.json().get("error") != "use_dpop_nonce":
                break
        self.check_json(answer)
        return answer

    def check_json(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        body = noting(answer)
        if answer.status_code >= 400:
            assert answer.status_code == 400 or (
                answer.status_code == 401 and body["error"] == "invalid_client"
            ), answer.text
            assert DESCRIPTION.match(body.get("error_description", ""))
        elif "access_token" in body:
            assert len(body["access_token"]) >= 22 and body["token_type"]
            assert isinstance(body["expires_in"], int) and 1 <= body["expires_in"] <= 31_536_000

    def redeem(self, landing: Landing, **more) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": landing.parameters["code"],
            "redirect_uri": self.redirect_uri,
        }
        return self.post("token_endpoint", {**form, **more})

    def refresh(self, token: str, **more) -> httpx.Response:
        proof = {name: more.pop(name) for name in ("proof", "authenticate") if name in more}
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        return self.post("token_endpoint", form, **proof)

    def userinfo(self, token: str, method="GET", scheme=None, headers=None, **more):
        url = self.server["userinfo_endpoint"]
        scheme = scheme or ("DPoP" if self.dpop_key else "Bearer")
        for _ in range(2):
            sent = {"authorization": f"{scheme} {token}", **(headers or {})}
            if self.dpop_key and "dpop" not in sent:
                sent["dpop"] = self.proof(method, url, token)
            answer = httpx.request(method, url, headers=sent, **more)
            if "dpop-nonce" in answer.headers:
                self.nonces[url] = answer.headers["dpop-nonce"]
            if "use_dpop_nonce" not in answer.headers.get("www-authenticate", ""):
                break
        return answer

    def sign_in(self, browser: Browser, **more) -> tuple[dict, dict, dict]:
        """The whole flow: the request, the token response, the ID token's claims."""
        request, landing = self.authorize(browser, **more)
        assert isinstance(landing, Landing), f"{landing.status} {landing.heading}"
        assert "code" in landing.parameters, landing.parameters
        answer = self.redeem(landing)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        return request, tokens, self.check_id_token(tokens["id_token"], request)

    def check_id_token(self, token: str, request: dict) -> dict:
        keys = httpx.get(self.server["jwks_uri"]).json()["keys"]
        head = token.split(".")[0]
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        [key] = [key for key in keys if key["kid"] == header["kid"]]
        wanted = self.client.get("id_token_signed_response_alg", "RS256")
        assert header["alg"] == key["alg"] == wanted and key["use"] == "sig"
        decoded = jwt.decode(token, jwk.import_key(key), algorithms=[header["alg"]])
        claims, now = decoded.claims, time.time()
        assert claims["iss"] == self.issuer
        assert claims["aud"] == self.client["client_id"]
        assert now < claims["exp"] < now + 86_400 and abs(claims["iat"] - now) < 300
        assert claims.get("nonce") == request.get("nonce")
        assert claims["sub"].isascii() and claims["sub"].isprintable() and len(claims["sub"]) < 256
        assert all(value not in (None, "") for value in claims.values())
        if "claims" not in request:
            assert claims.keys() <= ID_TOKEN_CLAIMS, "nothing that was not asked for"
        return claims
