"""Sixteen at once: what may be used once is used once, on SQLite and across two replicas."""

from collections import Counter

from harness.apple import BUNDLE_ID, native_sign_in, new_person
from harness.app import App
from harness.race import race
from harness.russet import noting


def outcomes(answers) -> Counter:
    return Counter(
        "ok" if answer.status_code == 200 else f"{answer.status_code} {answer.json()['error']}"
        for answer in answers
    )


def apps(cluster, client) -> list[App]:
    """The application as seen by sixteen back ends, spread over the replicas."""
    return [cluster.app(client, number) for number in range(16)]


def test_one_code_is_redeemed_once(cluster):
    client = cluster.client(kind="web")
    code, verifier = cluster.app(client).code(cluster.agent(), new_person()["display_name"])
    back_ends = apps(cluster, client)
    answers = race(lambda number: back_ends[number].redeem(code, verifier))
    assert outcomes(answers) == {"ok": 1, "400 invalid_grant": 15}
    # Fifteen saw a spent code, so what the first was given is revoked (RFC 6749 §4.1.2).
    tokens = noting(next(answer for answer in answers if answer.status_code == 200))
    assert back_ends[0].refresh(tokens["refresh_token"]).status_code == 400
    assert not back_ends[1].is_active(tokens["access_token"])


def test_one_refresh_token_has_one_line_of_descent(cluster):
    client = cluster.client(kind="web")
    app = cluster.app(client)
    person = new_person()["display_name"]
    tokens = noting(app.redeem(*app.code(cluster.agent(), person)))
    back_ends = apps(cluster, client)

    # The same token again while its successor is unused: a lost answer, which logs nobody out.
    answers = race(lambda number: back_ends[number].refresh(tokens["refresh_token"]))
    assert outcomes(answers) == {"ok": 16}
    siblings = [noting(answer)["refresh_token"] for answer in answers]

    # Sixteen different successors: the first one used wins, the others prove a theft.
    if len(set(siblings)) > 1:
        answers = race(lambda number: back_ends[number].refresh(siblings[number]))
        assert outcomes(answers) == {"ok": 1, "400 invalid_grant": 15}
        winner = noting(next(answer for answer in answers if answer.status_code == 200))
        assert app.refresh(winner["refresh_token"]).status_code == 400
        assert not app.is_active(winner["access_token"])


def test_one_identity_token_is_exchanged_once(cluster):
    client = cluster.client(
        kind="native",
        redirect_uri="com.example.demo:/callback",
        apple_bundle_id=BUNDLE_ID,
    )
    credential = native_sign_in(new_person()["id"], "nonce-of-the-race")
    back_ends = apps(cluster, client)
    answers = race(
        lambda number: back_ends[number].exchange(
            credential["identityToken"], nonce="nonce-of-the-race"
        )
    )
    assert outcomes(answers) == {"ok": 1, "400 invalid_grant": 15}


def test_sixteen_first_sign_ins_of_one_person_make_one_account(cluster):
    client = cluster.client(
        kind="native",
        redirect_uri="com.example.demo:/callback",
        apple_bundle_id=BUNDLE_ID,
    )
    person = new_person()
    credentials = [native_sign_in(person["id"], f"nonce-{number}") for number in range(16)]
    back_ends = apps(cluster, client)
    answers = race(
        lambda number: back_ends[number].exchange(
            credentials[number]["identityToken"], nonce=f"nonce-{number}"
        )
    )
    assert outcomes(answers) == {"ok": 16}
    subjects = {
        back_ends[0].userinfo(noting(answer)["access_token"]).json()["sub"] for answer in answers
    }
    assert len(subjects) == 1


def test_any_replica_answers_for_every_other(cluster):
    client = cluster.client(kind="web")
    first, second = cluster.app(client, 0), cluster.app(client, 1)
    tokens = noting(first.redeem(*first.code(cluster.agent(), new_person()["display_name"])))
    assert second.is_active(tokens["access_token"])
    subject = second.userinfo(tokens["access_token"]).json()["sub"]
    renewed = noting(second.refresh(tokens["refresh_token"]))
    assert first.userinfo(renewed["access_token"]).json()["sub"] == subject
    first.post("revocation_endpoint", token=renewed["refresh_token"])
    assert not second.is_active(renewed["access_token"])
