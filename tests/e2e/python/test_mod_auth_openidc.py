"""mod_auth_openidc, from Debian, as relying party in an Apache of its own."""

import grp
import json
import os
import pwd
import secrets
import subprocess
import time

import httpx
import pytest

from harness.apple import new_person
from harness.russet import DEV, RUN, create_client, free_port, remember
from harness.user_agent import Landing, UserAgent

MODULES = "/usr/lib/apache2/modules"
CONFIGURATION = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
ServerRoot {folder}
PidFile {folder}/apache.pid
ErrorLog {logs}/apache.log
{account}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
Mutex file:{folder} default
DocumentRoot {folder}/www

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRefreshAccessTokenBeforeExpiry 3600
OIDCInfoHook iat access_token id_token userinfo
OIDCDefaultLoggedOutURL http://127.0.0.1:{port}/public.html
<Location "/protected">
  AuthType openid-connect
  Require valid-user
</Location>
"""


@pytest.fixture
def apache():
    port = free_port()
    folder = RUN / "apache"
    (folder / "www" / "protected").mkdir(parents=True)
    (folder / "www" / "protected" / "index.html").write_text("<h1>inside</h1>")
    (folder / "www" / "public.html").write_text("<h1>outside</h1>")
    redirect_uri = f"http://127.0.0.1:{port}/protected/redirect_uri"
    client = create_client(
        kind="web",
        client_name="Apache",
        redirect_uri=redirect_uri,
        post_logout_redirect_uri=f"http://127.0.0.1:{port}/public.html",
        first_party=True,
    )
    account = ""
    if os.geteuid() == 0:
        account = "User www-data\nGroup www-data"
        os.chown(folder, pwd.getpwnam("www-data").pw_uid, grp.getgrnam("www-data").gr_gid)
    (folder / "apache.conf").write_text(
        CONFIGURATION.format(
            port=port,
            folder=folder,
            logs=RUN / "logs",
            modules=MODULES,
            account=account,
            issuer=DEV["issuer"],
            redirect_uri=redirect_uri,
            passphrase=secrets.token_hex(16),
            **{name: client[name] for name in ("client_id", "client_secret")},
        )
    )
    process = subprocess.Popen(
        ["/usr/sbin/apache2", "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]
    )
    site = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx.get(f"{site}/public.html")
                break
            except httpx.TransportError:
                assert process.poll() is None, "Apache ended; see apache.log"
                assert time.monotonic() < deadline, "Apache does not answer"
                time.sleep(0.05)
        yield site
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_apache_signs_a_person_in_refreshes_and_signs_out(apache):
    person = new_person("Patchy")
    agent = UserAgent()
    inside = f"{apache}/protected/index.html"
    assert "inside" not in agent.send("GET", inside).text
    # Once signed in, the module sends the browser back to where it wanted to go.
    url = agent.send("GET", inside).headers["location"]
    page = agent.sign_in(url, f"{apache}/protected/index.html", person["display_name"])
    assert isinstance(page, Landing)
    assert "inside" in agent.send("GET", inside).text

    def info() -> dict:
        response = agent.send("GET", f"{apache}/protected/redirect_uri?info=json")
        body = json.loads(response.text)
        remember(body.get("access_token"))
        return body

    first = info()
    assert first["id_token"]["iss"] == DEV["issuer"]
    assert first["userinfo"]["name"].startswith("Patchy")
    # OIDCRefreshAccessTokenBeforeExpiry makes the module use the refresh token on the next visit.
    agent.send("GET", inside)
    assert info()["access_token"] != first["access_token"]

    landing = agent.open(
        f"{apache}/protected/redirect_uri?logout={apache}/public.html",
        f"{apache}/public.html",
    )
    assert isinstance(landing, Landing)
    assert "inside" not in agent.send("GET", inside).text
