"""Spring Security as relying party and as API, where Java and Maven's repository are."""

import httpx

from harness.foreign import APPS, build, running, tool
from harness.russet import DEV, RUN, create_client, free_port, remember
from harness.user_agent import Landing, UserAgent


def test_spring_security_signs_a_person_in_and_takes_their_access_token():
    java = tool("java", "default-jdk-headless")
    paths = RUN / "spring.classpath"
    build(
        "spring",
        tool("mvn", "maven"),
        *("-q", "-B", "compile", "dependency:build-classpath", f"-Dmdep.outputFile={paths}"),
    )
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    api = DEV["demo_api"]["identifier"]
    client = create_client(
        kind="web",
        client_name="Spring",
        redirect_uri=f"{site}/login/oauth2/code/russet",
        post_logout_redirect_uri=f"{site}/ready",
        resource=api,
        default_resource=api,
        first_party=True,
    )
    env = {
        "ISSUER": DEV["issuer"],
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "PORT": str(port),
        "API": api,
    }
    classes = APPS / "spring" / "target" / "classes"
    command = [java, "-XX:TieredStopAtLevel=1", "-Xmx256m"]
    command += ["-cp", f"{classes}:{paths.read_text().strip()}", "example.Application"]
    with running("spring", command, f"{site}/ready", env):
        agent = UserAgent()
        # Spring goes back to the page that was asked for, with a parameter of its own.
        at = agent.sign_in(f"{site}/me", f"{site}/me?continue")
        assert isinstance(at, Landing), at.heading
        me = agent.send("GET", f"{site}/me").json()
        remember(me["access_token"])
        assert me["iss"] == DEV["issuer"] and "Ada" in me["name"]

        orders = {"authorization": f"Bearer {me['access_token']}"}
        answer = httpx.get(f"{site}/api/orders", headers=orders)
        assert answer.status_code == 200, answer.headers.get("www-authenticate")
        assert answer.json()["sub"] == me["sub"] and "orders:read" in answer.json()["scope"]
        assert httpx.get(f"{site}/api/orders").status_code == 401

        assert isinstance(agent.open(f"{site}/logout", f"{site}/ready", "POST", []), Landing)
        asked = agent.send("GET", f"{site}/me")
        assert asked.is_redirect, "nobody is signed in any more"
