"""What the README shows works as it stands there, for another issuer and another API."""

import os
import re
import subprocess
import types
from pathlib import Path

import httpx
import jwt
import pytest

from harness.app import App
from harness.russet import BINARY, DEV, RUN, noting

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
API = DEV["demo_api"]["identifier"]
# The README's own names, and what they are here.
STANDS_FOR = {"https://id.example.com": DEV["issuer"], "https://api.example.com": API}


def block(language: str, after: str = "") -> str:
    start = README.index(after)
    found = re.search(rf"```{language}\n(.*?)```", README[start:], re.DOTALL)
    assert found, f"the README has no {language} block after {after!r}"
    return found.group(1)


def here(source: str) -> str:
    for written, meant in STANDS_FOR.items():
        assert written in source
        source = source.replace(written, meant)
    return source


def access_token() -> str:
    answer = App(DEV["clients"]["machine"]).post(
        "token_endpoint", grant_type="client_credentials", resource=API, scope="orders:read"
    )
    return noting(answer)["access_token"]


@pytest.fixture(scope="module")
def snippet():
    module = types.ModuleType("snippet")
    exec(here(block("python", "<!-- tested: python -->")), module.__dict__)
    return module


def test_the_python_check_accepts_an_access_token(snippet):
    assert snippet.claims_of(access_token())["scope"] == "orders:read"


def test_the_python_check_refuses_an_id_token_and_another_audience(snippet):
    tokens = App(DEV["clients"]["web"]).sign_in()
    with pytest.raises(jwt.InvalidTokenError):
        snippet.claims_of(tokens["id_token"])
    snippet.AUDIENCE = "https://other.example"
    with pytest.raises(jwt.InvalidTokenError):
        snippet.claims_of(access_token())


def test_the_javascript_check_accepts_an_access_token_and_refuses_an_id_token():
    folder = ROOT / "tests" / "e2e"
    source = here(block("js", "<!-- tested: js -->"))
    tokens = App(DEV["clients"]["web"]).sign_in()
    source += """
const claims = await claimsOf(process.env.ACCESS_TOKEN);
const refused = await claimsOf(process.env.ID_TOKEN).then(() => false, () => true);
console.log(claims.scope, refused);
"""
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", source],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "ACCESS_TOKEN": access_token(), "ID_TOKEN": tokens["id_token"]},
    )
    assert done.stdout.strip() == "orders:read true", done.stderr


def test_the_jwks_uri_is_where_the_readme_says():
    metadata = httpx.get(f"{DEV['issuer']}/.well-known/openid-configuration").json()
    assert metadata["jwks_uri"] == f"{DEV['issuer']}/jwks"
    assert metadata["token_endpoint"] == f"{DEV['issuer']}/token"


def test_the_configuration_is_accepted():
    folder = RUN / "readme"
    folder.mkdir(exist_ok=True)
    (folder / "russet.toml").write_text(block("toml"))
    (folder / "master.key").write_bytes((Path(DEV["config_file"]).parent / "master.key").read_bytes())
    key = next(Path(DEV["config_file"]).parent.glob("*.p8"))
    (folder / "AuthKey_KEY1234567.p8").write_bytes(key.read_bytes())
    for secret in ("master.key", "AuthKey_KEY1234567.p8"):
        (folder / secret).chmod(0o600)
    # `migrate` reads the whole configuration and asks nobody on the network.
    done = subprocess.run(
        [BINARY, "--config", "russet.toml", "migrate"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"^\| `russet ([a-z-]+)", README, re.MULTILINE)))
)
def test_every_command_of_the_readme_has_help(command):
    done = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
