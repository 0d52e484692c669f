"""A broker with an issuer of its own: local accounts, a console, and nobody else's traffic."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

import httpx

from .russet import RUN, Broker, cli, create_client, free_port, remember
from .user_agent import Forms, UserAgent

PASSWORD = "correct horse battery staple"


class House:
    """`toml` is what its configuration says besides the necessary; `database` a URL, or SQLite."""

    def __init__(self, name: str, toml: str = "", database: str | None = None):
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=RUN))
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.config = str(self.folder / "russet.toml")
        key = self.folder / "master.key"
        key.write_text(base64.b64encode(os.urandom(32)).decode())
        key.chmod(0o600)
        Path(self.config).write_text(
            f"""[server]
listen = "127.0.0.1:{port}"
issuer = "{self.issuer}"
[database]
url = "{database or f"sqlite://{self.folder}/russet.db"}"
[secrets]
master_key_file = "{key}"
[local_accounts]
enabled = true
[outbound]
allow_private = ["127.0.0.0/8"]
[rate_limit]
enabled = false
{toml}"""
        )
        self.broker = Broker(name, {}, port, self.config)

    def __enter__(self) -> "House":
        self.broker.start()
        return self

    def __exit__(self, *_) -> None:
        assert self.broker.stop() == 0, "SIGTERM ends with 0"

    def cli(self, *arguments: str, password: str = ""):
        return cli(*arguments, config=self.config, password=password)

    def client(self, **metadata) -> dict:
        return create_client(config=self.config, **metadata)

    def person(self, username: str, *claims: str) -> None:
        account = ("user", "create", "--username", username, "--password-stdin")
        self.cli(*account, *claims, password=PASSWORD)

    def admin(self, role: str = "owner") -> "Console":
        """A new console account, signed in."""
        username = f"{role}-{secrets.token_hex(3)}"
        account = ("admin", "create", "--username", username, "--role", role)
        self.cli(*account, "--password-stdin", password=PASSWORD)
        return Console(self.issuer, username, PASSWORD)


class Console:
    """The console as one admin sees it."""

    def __init__(self, issuer: str, username: str, password: str):
        self.issuer = issuer
        self.username = username
        self.agent = UserAgent()
        [form] = Forms(self.get("/admin/login").text).forms
        fields = dict(form["fields"]) | {"username": username, "password": password}
        answer = self.agent.send("POST", f"{issuer}/admin/login", fields, issuer)
        assert answer.status_code == 303, answer.text

    def get(self, path: str) -> httpx.Response:
        return self.agent.send("GET", f"{self.issuer}{path}")

    def post(self, path: str, **fields) -> httpx.Response:
        """A form of the console's own: with its token, from its own origin."""
        fields = {"csrf": self.csrf, **fields}
        pairs = [(n, one) for n, v in fields.items() for one in (v if isinstance(v, list) else [v])]
        return self.agent.send("POST", f"{self.issuer}{path}", pairs, self.issuer)

    @property
    def csrf(self) -> str:
        for form in Forms(self.get("/admin").text).forms:
            if token := dict(form["fields"]).get("csrf"):
                return token
        raise AssertionError(f"no form with a token for {self.username}")

    def api_key(self) -> str:
        """A key of the admin API that may do everything there."""
        document = httpx.get(f"{self.issuer}/admin/api/openapi.json").json()
        scopes = {
            scope
            for path in document["paths"].values()
            for operation in path.values()
            for scope in operation["security"][0]["api_key"]
        }
        made = self.post(
            "/admin/settings/keys", key_name="suite", key_days="1", key_scope=sorted(scopes)
        )
        assert made.status_code == 303, made.text
        shown = self.get(made.headers["location"]).text
        key = shown.split('id="api_key"')[1].split(">")[1].split("<")[0]
        remember(key)
        return key
