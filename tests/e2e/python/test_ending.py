"""What must be told is told, and a deletion finishes, whatever is killed on the way."""

import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from harness.app import App
from harness.databases import sqlite_env
from harness.receiver import Receiver, logout_token, verified
from harness.russet import DEV, Broker, cli, create_client, noting
from harness.user_agent import UserAgent

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
# How long the broker lives after the deletion was asked for.
LIVES = [0.0, 0.01, 0.03, 0.06, 0.12, 0.25]


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


def told_client(env: dict, receiver: Receiver) -> dict:
    return create_client(
        env=env,
        kind="web",
        client_name="Told",
        redirect_uri="http://127.0.0.1:49884/callback",
        scope="openid profile email offline_access account:delete",
        first_party=True,
        backchannel_logout_uri=receiver.url("/logout"),
        security_events_endpoint=receiver.url("/events"),
        security_events_requested="account-purged",
    )


def eventually(outcome, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = outcome()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came about")


def receipt(broker: Broker, identifier: str) -> dict:
    url = f"{broker.origin}/account/deletions/{identifier}"
    return httpx.get(url, headers={"accept": "application/json"}).json()


def rows(env: dict, sql: str) -> list[tuple]:
    path = Path(env["RUSSET_DATABASE__URL"].removeprefix("sqlite://"))
    with sqlite3.connect(path) as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("life", LIVES)
def test_a_deletion_finishes_though_the_broker_is_killed(life, receiver):
    name = f"ending-{int(life * 1000)}"
    env = sqlite_env(name)
    broker = Broker(name, env).start()
    try:
        client = told_client(env, receiver)
        app = App(client, origin=broker.origin, scope="openid offline_access account:delete")
        agent = UserAgent({DEV["issuer"]: broker.origin})
        tokens = noting(app.redeem(*app.code(agent, "Grace")))
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        begun = httpx.delete(f"{broker.origin}/account/me", headers=bearer)
        assert begun.status_code == 202
        identifier = begun.json()["id"]
        time.sleep(life)  # not a wait for an outcome: it is the moment of the crash
        broker.kill()
        # What the dead process had claimed is due again when its lease is over. The wall clock of
        # this test cannot be turned, so the rows are.
        path = Path(env["RUSSET_DATABASE__URL"].removeprefix("sqlite://"))
        with sqlite3.connect(path) as database:
            database.execute("update outbox set due_at = 0 where state = 'owed'")
            database.execute("update deletions set due_at = 0 where state <> 'completed'")
        broker.start()

        def done():
            found = receipt(broker, identifier)
            return found if found["state"] == "completed" else None

        finished = eventually(done)
        steps = [step["step"] for step in finished["steps"]]
        assert steps == [
            "sessions_and_tokens_ended",
            "upstream_grant",
            "person_erased",
            "clients_told",
        ], finished
        assert finished["steps"][1]["outcome"].endswith("revoked and verified")
        assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        for table in ("users", "identities", "grants", "upstream_grants", "client_links"):
            assert rows(env, f"select count(*) from {table}") == [(0,)], table

        logouts, events = set(), set()
        for path, headers, body in receiver.taken():
            if path == "/logout":
                token = logout_token(body)
                claims = verified(token, client["client_id"], broker.origin, "logout+jwt")
                assert claims["events"] == {LOGOUT: {}}
                logouts.add(claims["sub"])
            else:
                assert headers["content-type"] == "application/secevent+jwt"
                claims = verified(body, client["client_id"], broker.origin, "secevent+jwt")
                assert claims["events"] == {PURGED: {}}
                events.add((claims["jti"], claims["sub_id"]["sub"]))
        # An attempt whose end nobody saw is made again: the same event, under the same jti.
        assert len(logouts) == 1 and len(events) == 1
        assert {sub for _, sub in events} == logouts
    finally:
        assert broker.stop() == 0


def test_a_logout_token_waits_for_a_client_that_is_away_and_for_the_broker(receiver):
    env = sqlite_env("ending-away")
    broker = Broker("ending-away", env).start()
    try:
        client = told_client(env, receiver)
        app = App(client, origin=broker.origin)
        agent = UserAgent({DEV["issuer"]: broker.origin})
        tokens = noting(app.redeem(*app.code(agent, "Ada")))
        receiver.status = 503
        hint = {"id_token_hint": tokens["id_token"]}
        agent.open(f"{DEV['issuer']}/logout?{httpx.QueryParams(hint)}")
        failed = eventually(
            lambda: [d for d in cli("delivery", "list", env=env) if d["last_error"]]
        )
        assert failed[0]["state"] == "owed" and "503" in failed[0]["last_error"]
        broker.kill()
        receiver.status = 200
        broker.start()
        # The first pause is five seconds at most.
        eventually(
            lambda: [d for d in cli("delivery", "list", env=env) if d["state"] == "delivered"]
        )
        [(_, _, body)] = [taken for taken in receiver.taken() if taken[0] == "/logout"]
        claims = verified(logout_token(body), client["client_id"], broker.origin, "logout+jwt")
        assert claims["exp"] - claims["iat"] == 120
        assert claims["sid"]
    finally:
        assert broker.stop() == 0


def test_the_command_line_deletes_without_a_running_broker(receiver):
    env = sqlite_env("ending-cli")
    broker = Broker("ending-cli", env).start()
    client = told_client(env, receiver)
    app = App(client, origin=broker.origin)
    tokens = noting(app.redeem(*app.code(UserAgent({DEV["issuer"]: broker.origin}), "Ada")))
    sub = app.userinfo(tokens["access_token"]).json()["sub"]
    assert broker.stop() == 0
    told = cli("user", "delete", sub, "--yes", env=env)
    assert told["state"] == "completed", told
    assert {path for path, _, _ in receiver.taken()} == {"/logout", "/events"}
    assert rows(env, "select count(*) from users") == [(0,)]
