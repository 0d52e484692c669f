"""`kill -9` in the middle of sign-ins, then a restart: nothing twice, nothing lost."""

import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from harness.apple import new_person
from harness.app import App
from harness.databases import sqlite_env
from harness.russet import DEV, Broker, create_client, noting
from harness.user_agent import Landing, UserAgent

PEOPLE = 8
# How long the sign-ins run before the process dies: early, in the thick of it, late.
LIVES = [0.05, 0.15, 0.3, 0.6]


class Person(threading.Thread):
    """Signs in again and again until the broker is gone; remembers every code and its fate."""

    def __init__(self, client: dict, origin: str):
        super().__init__(daemon=True)
        self.account = new_person("Kim")
        self.app = App(client, origin=origin)
        self.app.metadata  # read while the broker still answers
        # Code, verifier, and what the token endpoint answered: True, False, or None for silence.
        self.codes: list[tuple[str, str, bool | None]] = []

    def run(self) -> None:
        agent = UserAgent({DEV["issuer"]: self.app.origin})
        with suppress(httpx.TransportError):
            while True:
                agent.cookies.clear()
                code, verifier = self.app.code(agent, self.account["display_name"])
                self.codes.append((code, verifier, None))
                answer = self.app.redeem(code, verifier)
                self.codes[-1] = (code, verifier, answer.status_code == 200)
                noting(answer)


@pytest.mark.parametrize("life", LIVES)
def test_a_killed_broker_comes_back_with_nothing_twice_and_nothing_lost(life):
    env = sqlite_env(f"kill-{int(life * 1000)}")
    broker = Broker(f"kill-{int(life * 1000)}", env).start()
    client = create_client(
        env=env,
        kind="web",
        client_name="Killed",
        redirect_uri="http://127.0.0.1:49883/callback",
        first_party=True,
    )
    people = [Person(client, broker.origin) for _ in range(PEOPLE)]
    for person in people:
        person.start()
    time.sleep(life)  # not a wait for an outcome: it is the moment of the crash
    broker.kill()
    for person in people:
        person.join(timeout=60)
        assert not person.is_alive()
    broker.start()
    try:
        for person in people:
            for code, verifier, redeemed in person.codes:
                again = person.app.redeem(code, verifier)
                if redeemed:
                    assert again.status_code == 400, "a code was good twice"
                elif again.status_code == 200:
                    third = person.app.redeem(code, verifier)
                    assert third.status_code == 400, "a code was good twice"
            # Apple sends a name the first time only; whatever was interrupted, it must be there
            # unless the broker never answered the request that carried it.
            agent = UserAgent({DEV["issuer"]: broker.origin})
            tokens = noting(
                person.app.redeem(*person.app.code(agent, person.account["display_name"]))
            )
            claims = person.app.userinfo(tokens["access_token"]).json()
            assert claims["email"] == person.account["email"]
            if any(redeemed for _, _, redeemed in person.codes):
                assert claims["name"].startswith("Kim"), "a name was lost"
    finally:
        assert broker.stop() == 0
    path = Path(env["RUSSET_DATABASE__URL"].removeprefix("sqlite://"))
    with sqlite3.connect(path) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        users = database.execute("select count(*) from users").fetchone()[0]
        identities = database.execute("select count(*) from identities").fetchone()[0]
    assert users == identities == PEOPLE


def test_a_name_survives_a_crash_between_apple_and_the_code():
    """The broker dies right after it answered the request that carried the name."""
    env = sqlite_env("kill-name")
    broker = Broker("kill-name", env).start()
    client = create_client(
        env=env,
        kind="web",
        client_name="Killed",
        redirect_uri="http://127.0.0.1:49883/callback",
        first_party=True,
    )
    person = new_person("Robin")
    app = App(client, origin=broker.origin)
    agent = UserAgent({DEV["issuer"]: broker.origin})
    url, _ = app.authorization_request()

    class Crash(Exception):
        pass

    original = agent.send

    def send(method, url, fields=None, initiator=None):
        response = original(method, url, fields, initiator)
        answered_by_redirect = response.is_redirect and fields is not None
        if answered_by_redirect and url.endswith("/upstream/apple/callback"):
            broker.kill()
            raise Crash
        return response

    agent.send = send
    with pytest.raises(Crash):
        agent.sign_in(url, app.redirect_uri, person["display_name"])
    broker.start()
    try:
        agent = UserAgent({DEV["issuer"]: broker.origin})
        url, verifier = app.authorization_request()
        landing = agent.sign_in(url, app.redirect_uri, person["display_name"])
        assert isinstance(landing, Landing)
        tokens = noting(app.redeem(landing.parameters["code"], verifier))
        assert app.userinfo(tokens["access_token"]).json()["name"].startswith("Robin")
    finally:
        assert broker.stop() == 0
