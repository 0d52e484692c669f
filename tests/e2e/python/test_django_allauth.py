"""django-allauth's OpenID Connect provider as relying party."""

import secrets
import sys

from harness.apple import new_person
from harness.foreign import APPS, running
from harness.russet import DEV, RUN, create_client, free_port
from harness.user_agent import Landing, UserAgent


def test_django_allauth_signs_a_person_up_and_in_again():
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    (RUN / "django").mkdir(exist_ok=True)
    client = create_client(
        kind="web",
        client_name="Django",
        redirect_uri=f"{site}/accounts/oidc/russet/login/callback/",
        first_party=True,
        # It sends the secret in the form wherever discovery lists that.
        token_endpoint_auth_method="client_secret_post",
    )
    env = {
        "ISSUER": DEV["issuer"],
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "SECRET_KEY": secrets.token_urlsafe(32),
    }
    person = new_person("Djangoist")
    command = [sys.executable, str(APPS / "django" / "site_app.py"), str(RUN / "django"), str(port)]
    with running("django", command, f"{site}/ready", env):

        def signed_in() -> dict:
            agent = UserAgent()
            assert agent.send("GET", f"{site}/me").status_code == 401
            begin = f"{site}/accounts/oidc/russet/login/"
            at = agent.sign_in(begin, f"{site}/me", person["display_name"])
            assert isinstance(at, Landing), at.heading
            return agent.send("GET", f"{site}/me").json()

        first = signed_in()
        assert first["extra"]["userinfo"]["name"].startswith("Djangoist")
        assert first["email"] == first["extra"]["userinfo"]["email"]
        assert signed_in()["uid"] == first["uid"] == first["extra"]["userinfo"]["sub"]
