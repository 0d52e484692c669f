"""The programs of the quickstart page: taken from the page as they stand and run, at a broker that
nothing else uses. Only the port that they listen on is another, so that none is assumed to be free.

Swift, Kotlin, C#, Java and Rust are not run here: they need toolchains or registries of their own.
"""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from harness.foreign import APPS, UNREACHABLE, running, tool
from harness.house import PASSWORD, House
from harness.russet import RUN, free_port, remember
from harness.user_agent import Landing, Page, UserAgent, choose

API = "https://orders.example"
# Its own transport is loopback, for which Authlib asks to be told.
ENV = {"AUTHLIB_INSECURE_TRANSPORT": "1", "SESSION_SECRET": "only for this test"}


@pytest.fixture(scope="module")
def house():
    with House("quickstart") as house:
        house.cli("api", "create", "--identifier", API, "--name", "Orders", "--scope", "read=Read")
        house.person("ada", "--name", "Ada Lovelace")
        yield house


@pytest.fixture(scope="module")
def owner(house):
    return house.admin()


@pytest.fixture(scope="module")
def folder():
    """Where the programs are written: the packages of the suites are found from there."""
    folder = Path(RUN) / "quickstart"
    (folder / "go").mkdir(parents=True, exist_ok=True)
    modules = Path(__file__).parents[1] / "node_modules"
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules.resolve())
    for name in ("go.mod", "go.sum"):
        shutil.copy(APPS / "go" / name, folder / "go" / name)
    return folder


def programs(page: str) -> dict[str, str]:
    found = re.findall(r'<pre class="block" id="program-([a-z-]+)"[^>]*>(.*?)</pre>', page, re.S)
    assert found, page
    return {name: html.unescape(text) for name, text in found}


def of_client(owner, client: dict) -> dict[str, str]:
    return programs(owner.get(f"/admin/clients/{client['client_id']}/quickstart").text)


def of_api(owner) -> dict[str, str]:
    return programs(owner.get(f"/admin/apis/edit?identifier={API}").text)


def command(folder: Path, language: str, name: str, text: str) -> list[str]:
    """Writes a program, builds it if it is built, and says how it is run."""
    if language == "javascript":
        file = folder / f"{name}.mjs"
        file.write_text(text)
        return [tool("node", "nodejs"), str(file)]
    if language == "python":
        file = folder / f"{name}.py"
        file.write_text(text)
        return [sys.executable, str(file)]
    # One program in a folder; what they need is what the relying party in Go needs.
    place = folder / "go" / name
    place.mkdir(exist_ok=True)
    (place / "main.go").write_text(text)
    binary = folder / f"{name}-go"
    done = subprocess.run(
        [tool("go", "golang-go"), "build", "-mod=mod", "-o", str(binary), f"./{name}"],
        cwd=folder / "go", capture_output=True, text=True, timeout=600,
    )
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode and any(words in said.lower() for words in UNREACHABLE):
        pytest.skip("the module proxy of Go is not reachable from here")
    assert done.returncode == 0, said
    return [str(binary)]


def printed(run: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        run, cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, **ENV, **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def come_in(agent: UserAgent, at, redirect_uri: str | None = None):
    """Presses what a person with a local account would press, until there is nothing left."""
    for _ in range(10):
        if isinstance(at, Landing) or at.status >= 400:
            return at
        local = [f for f in at.forms if any(name == "password" for name, _ in f["fields"])]
        device = [f for f in at.forms if any(b.get("id") == "device-allow" for b in f["buttons"])]
        if local:
            fill = {"username": "ada", "password": PASSWORD}
            at = agent.press(at, local[0], None, redirect_uri, fill)
        elif device:
            return agent.press(at, device[0], device[0]["buttons"][0])
        else:
            form, button = choose(at, "Ada")
            at = agent.press(at, form, button, redirect_uri)
    return at


def machine(house) -> dict:
    return house.client(
        kind="machine", client_name="Nightly", resource=API, default_resource=API
    )


@pytest.mark.parametrize("language", ["javascript", "python", "go"])
def test_a_machine_gets_a_token_that_the_apis_programs_accept(house, owner, folder, language):
    client = machine(house)
    text = of_client(owner, client)[language]
    run = command(folder, language, f"machine-{language}", text)
    said = printed(run, folder, {"OIDC_CLIENT_SECRET": client["client_secret"]})
    token = said.split()[0]
    remember(token)
    assert token.count(".") == 2, said

    api = of_api(owner)
    (folder / "api_check.py").write_text(api["python"] + "\nimport sys\nprint(verify(sys.argv[1]))\n")
    checked = printed([sys.executable, "api_check.py", token], folder, {})
    assert client["client_id"] in checked and API in checked
    (folder / "api_verify.mjs").write_text(api["javascript"])
    (folder / "api_check.mjs").write_text(
        "import { verify } from './api_verify.mjs';\n"
        "console.log(JSON.stringify(await verify(process.argv[2])));\n"
    )
    node = tool("node", "nodejs")
    checked = printed([node, "api_check.mjs", token], folder, {})
    assert client["client_id"] in checked and API in checked
    forged = token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB")
    for refuses in ([sys.executable, "api_check.py"], [node, "api_check.mjs"]):
        refused = subprocess.run([*refuses, forged], cwd=folder, capture_output=True, timeout=60)
        assert refused.returncode != 0, "a forged token is refused"


@pytest.mark.parametrize("language", ["javascript", "python", "go"])
def test_a_web_app_signs_a_person_in(house, owner, folder, language):
    port = free_port()
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    client = house.client(
        kind="web", client_name=f"Shop {language}", redirect_uri=redirect_uri, first_party=True
    )
    text = of_client(owner, client)[language].replace("3000", str(port))
    run = command(folder, language, f"web_{language}", text)
    if language == "python":
        run = [sys.executable, "-m", "flask", "--app", run[-1], "run", "--port", str(port)]
    env = {**ENV, "OIDC_CLIENT_SECRET": client["client_secret"]}
    with running(f"quickstart-{language}", run, None, env, f"http://127.0.0.1:{port}/login"):
        agent = UserAgent()
        at = come_in(agent, agent.open(f"http://127.0.0.1:{port}/login", redirect_uri), redirect_uri)
        assert isinstance(at, Landing), at
        told = agent.send("GET", at.url)
        assert told.status_code == 200, told.text
        claims = told.json()
        assert claims["iss"] == house.issuer and claims["aud"] in (
            client["client_id"], [client["client_id"]],
        )
        stranger = httpx.get(f"{redirect_uri}?code=x&state=y")
        assert stranger.status_code >= 400, "an answer that nobody asked for"


@pytest.mark.parametrize("language", ["javascript", "python", "go"])
def test_a_device_without_a_browser_signs_a_person_in(house, owner, folder, language):
    client = house.client(kind="device", client_name=f"TV {language}", first_party=True)
    text = of_client(owner, client)[language]
    run = command(folder, language, f"device_{language}", text)
    if language == "python":
        run.insert(1, "-u")
    process = subprocess.Popen(
        run, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **ENV},
    )
    try:
        line = process.stdout.readline()
        found = re.match(r"Open (\S+) and enter (\S+)", line)
        assert found, line + (process.stderr.read() if process.poll() is not None else "")
        address, user_code = found.groups()
        agent = UserAgent()
        page = agent.open(address)
        [form] = [f for f in page.forms if any(n == "user_code" for n, _ in f["fields"])]
        page = agent.press(page, form, None, fill={"user_code": user_code})
        page = come_in(agent, page)
        assert isinstance(page, Page) and page.status == 200, page
        said, complained = process.communicate(timeout=120)
        assert process.returncode == 0, complained
        assert "sub" in said or said.count(".") >= 2, said
    finally:
        process.kill()
