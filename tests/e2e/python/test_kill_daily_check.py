"""`kill -9` in the middle of the daily check: nobody is asked about twice who need not be, nobody
is forgotten, and nobody is signed out but those who left."""

import hashlib
import secrets
import time

import httpx
import pytest

from harness.apple import BUNDLE_ID, native_sign_in, new_person
from harness.app import App
from harness.databases import postgres_env, rows, sqlite_env
from harness.russet import DEV, Broker, create_client, noting

PEOPLE = 40
LEAVERS = 3
# Answered before Apple falls silent, with the questions of four more on their way.
ANSWERED = 15
AT_ONCE = 4
DAY = 24 * 3600 * 1000
# A broker begins its first check a minute after its start; one that finds what a dead one left in
# its middle goes on at once.
PATIENCE = 400

SOONER = (
    "update upstream_grants set next_check_at = 1 "
    "where state = 'unreachable' and next_check_at > 1 returning user_id"
)


def at_apple(what: str, asked: dict) -> httpx.Response:
    answer = httpx.post(f"{DEV['apple']['url']}/_sim/{what}", json=asked)
    answer.raise_for_status()
    return answer


def questions() -> int:
    journal = httpx.get(f"{DEV['apple']['url']}/_sim/journal").json()
    return sum(entry["grant_type"] == "refresh_token" for entry in journal)


def until(env: dict, sql: str, number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if rows(env, sql) == [[str(number)]]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{rows(env, sql)} instead of {number}: {sql}")


def sign_in(app: App, person: dict) -> dict:
    nonce = secrets.token_urlsafe(16)
    credential = native_sign_in(person["id"], hashlib.sha256(nonce.encode()).hexdigest())
    answer = app.exchange(
        credential["identityToken"],
        nonce=nonce,
        authorization_code=credential["authorizationCode"],
    )
    assert answer.status_code == 200, answer.text
    return noting(answer)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_daily_check_that_is_killed_goes_on_where_it_was(engine):
    env = sqlite_env("kill-check") if engine == "sqlite" else postgres_env("kill_check")
    first = Broker(f"kill-check-{engine}-1", env).start()
    # On SQLite the same broker comes back; on PostgreSQL another replica takes over.
    second = first if engine == "sqlite" else Broker(f"kill-check-{engine}-2", env)
    stopped = False
    try:
        client = create_client(
            env=env,
            kind="native",
            client_name="Checked",
            redirect_uri="com.example.demo:/callback",
            apple_bundle_id=BUNDLE_ID,
        )
        app = App(client, origin=first.origin, scope="openid offline_access")
        people = [new_person("Kim") for _ in range(PEOPLE)]
        tokens = [sign_in(app, person) for person in people]
        for person in people[:LEAVERS]:
            at_apple("stop-using", {"account": person["id"]})
        before = questions()
        # The next day comes, and Apple falls silent in the middle of it.
        silence = {"endpoint": "token", "fault": "hang", "times": 1000, "after": ANSWERED}
        at_apple("faults", silence)
        ago = f"cast(issued_at - 2 * {DAY} as bigint)"
        rows(env, f"update identities set last_login_at = last_login_at - 2 * {DAY}")
        rows(env, f"update upstream_grants set next_check_at = {ago}")
        asked = "select count(*) from upstream_grants where last_checked_at is not null"
        until(env, asked, ANSWERED)
        first.kill()
        at_apple("faults/clear", {})
        at_apple("release", {})
        # The time passes after which a silent replica is taken for dead.
        rows(env, "update leases set expires_at = 0")
        second.start()
        begun = time.monotonic()
        asked_again = 0
        deadline = time.monotonic() + PATIENCE
        while rows(env, asked) != [[str(PEOPLE)]]:
            assert time.monotonic() < deadline, "somebody is forgotten"
            # Where the machine was too slow for an answer, it is asked again later: now.
            asked_again += len(rows(env, SOONER))
            rows(env, "update job_states set resume_at = 0")
            time.sleep(0.2)
        print(f"{engine}: taken up and finished in {time.monotonic() - begun:.1f} s")

        allowed = PEOPLE + AT_ONCE + asked_again
        assert questions() - before <= allowed, "somebody was asked about twice"
        late = "select count(*) from upstream_grants where next_check_at <= issued_at"
        assert rows(env, late) == [["0"]], "somebody is still due"
        dead = "select count(*) from upstream_grants where state = 'revoked'"
        assert rows(env, dead) == [[str(LEAVERS)]]
        app = App(client, origin=second.origin, scope="openid offline_access")
        for number, token in enumerate(tokens):
            answer = app.refresh(token["refresh_token"])
            expected = 400 if number < LEAVERS else 200
            assert answer.status_code == expected, f"{number}: {answer.text}"
        stopped = second.stop() == 0
    finally:
        at_apple("faults/clear", {})
        at_apple("release", {})
        for broker in {id(first): first, id(second): second}.values():
            if broker.process and broker.process.poll() is None:
                broker.kill()
    assert stopped, "SIGTERM ends with 0"
