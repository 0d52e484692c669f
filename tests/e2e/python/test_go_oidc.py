"""go-oidc and golang.org/x/oauth2, where Go and its module proxy are."""

import httpx

from harness.foreign import build, running, tool
from harness.russet import DEV, RUN, create_client, free_port
from harness.user_agent import Landing, UserAgent


def test_go_oidc_signs_a_person_in_refreshes_and_checks_an_access_token():
    binary = str(RUN / "go-oidc")
    build("go", tool("go", "golang-go"), "build", "-o", binary, ".")
    listen = f"127.0.0.1:{free_port()}"
    api = DEV["demo_api"]["identifier"]
    client = create_client(
        kind="web",
        client_name="Go",
        redirect_uri=f"http://{listen}/callback",
        resource=api,
        default_resource=api,
        first_party=True,
    )
    env = {
        "ISSUER": DEV["issuer"],
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "LISTEN": listen,
        "API": api,
    }
    with running("go-oidc", [binary], f"http://{listen}/ready", env):
        agent = UserAgent()
        at = agent.sign_in(f"http://{listen}/login", f"http://{listen}/callback")
        assert isinstance(at, Landing)
        told = agent.send("GET", at.url)
        assert told.status_code == 200, told.text
        told = told.json()
        assert told["iss"] == DEV["issuer"]
        assert told["sub"] == told["userinfo_sub"] == told["access_sub"]
        assert "Ada" in told["name"] and told["email_verified"] is True
        assert told["refreshed"] and told["rotated"]
        forged = httpx.get(f"http://{listen}/callback?code=x&state=y")
        assert forged.status_code == 400
