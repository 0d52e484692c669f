"""`kill -9` while what Apple announced is worked off: nothing is lost, and nothing happens twice."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from harness.apple import new_person
from harness.app import App
from harness.databases import sqlite_env
from harness.russet import DEV, Broker, create_client, noting
from harness.user_agent import UserAgent

PEOPLE = 6
# How long the broker lives after it took the first announcement.
LIVES = [0.0, 0.01, 0.05]


def announcement(person: dict) -> dict:
    """What Apple posts when this person stops using the app: signed, and posted nowhere yet."""
    asked = {"account": person["id"], "type": "consent-revoked", "deliver": False}
    answer = httpx.post(f"{DEV['apple']['url']}/_sim/notifications", json=asked)
    answer.raise_for_status()
    return {"payload": answer.json()["payload"]}


def rows(env: dict, sql: str) -> list[tuple]:
    path = Path(env["RUSSET_DATABASE__URL"].removeprefix("sqlite://"))
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("life", LIVES)
def test_what_apple_announced_happens_once_though_the_broker_is_killed(life):
    name = f"inbox-{int(life * 1000)}"
    env = sqlite_env(name)
    broker = Broker(name, env).start()
    try:
        client = create_client(
            env=env,
            kind="web",
            client_name="Told",
            redirect_uri="http://127.0.0.1:49885/callback",
            scope="openid profile email offline_access",
            first_party=True,
        )
        app = App(client, origin=broker.origin, scope="openid offline_access")
        people, tokens = [], []
        for _ in range(PEOPLE):
            person = new_person("Noa")
            agent = UserAgent({DEV["issuer"]: broker.origin})
            tokens.append(noting(app.redeem(*app.code(agent, person["display_name"]))))
            people.append(person)
        bodies = [announcement(person) for person in people]
        inbox = f"{broker.origin}/upstream/apple/notifications"
        for body in bodies:
            assert httpx.post(inbox, json=body).status_code == 200
        time.sleep(life)  # not a wait for an outcome: it is the moment of the crash
        broker.kill()
        broker.start()
        # What was answered with 200 is in the inbox, and what comes again does nothing.
        for body in bodies:
            assert httpx.post(inbox, json=body).status_code == 200
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if rows(env, "select count(*) from upstream_notifications where done_at is null") == [
                (0,)
            ]:
                break
            time.sleep(0.05)
        taken = "select outcome, count(*) from upstream_notifications group by outcome"
        assert rows(env, taken) == [("applied", PEOPLE)]
        revoked = "select count(*) from events where kind = 'upstream_consent.revoked'"
        assert rows(env, revoked) == [(PEOPLE,)], "once for each"
        for held in tokens:
            assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    finally:
        assert broker.stop() == 0
