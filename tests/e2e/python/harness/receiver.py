"""A relying party's receiving end: logout tokens and security events, verified with joserfc."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.parse import parse_qs

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from .russet import DEV, remember


class Receiver:
    """Notes what is posted; answers `status`, which a test may change at any time."""

    def __init__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                answered = receiver.status
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.put((self.path, headers, body, answered))
                # The broker may have been killed meanwhile.
                with suppress(OSError):
                    self.send_response(answered)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.status = 200
        self.received: Queue = Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def taken(self) -> list[tuple[str, dict, str]]:
        """Everything answered 200 so far."""
        all_of_it = []
        while not self.received.empty():
            path, headers, body, answered = self.received.get()
            if answered == 200:
                all_of_it.append((path, headers, body))
        return all_of_it

    def stop(self):
        self.server.shutdown()


def verified(token: str, client_id: str, origin: str, typ: str) -> dict:
    """The claims of a token that one of the published keys signed for this client."""
    keys = KeySet.import_key_set(httpx.get(f"{origin}/jwks").json())
    remember(token)
    decoded = jwt.decode(token, keys, algorithms=["RS256", "ES256", "EdDSA", "Ed25519", "PS256"])
    assert decoded.header["typ"] == typ
    claims = json.loads(json.dumps(decoded.claims))
    assert claims["iss"] == DEV["issuer"]
    assert claims["aud"] == client_id
    return claims


def logout_token(body: str) -> str:
    form = parse_qs(body)
    assert list(form) == ["logout_token"]
    return form["logout_token"][0]
