"""Brokers of a suite's own: one on SQLite, two replicas on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.app import App
from harness.databases import postgres_env, sqlite_env
from harness.russet import DEV, Broker, create_client
from harness.user_agent import UserAgent


@dataclass
class Cluster:
    """One or more processes that are one broker."""

    brokers: list[Broker]
    env: dict[str, str]

    def origin(self, number: int) -> str:
        return self.brokers[number % len(self.brokers)].origin

    def agent(self) -> UserAgent:
        """A browser whose requests go to the replicas in turn."""
        turn = iter(range(10**9))
        return UserAgent({DEV["issuer"]: lambda: self.origin(next(turn))})

    def client(self, **metadata) -> dict:
        return create_client(
            env=self.env,
            **{
                "client_name": "Races",
                "redirect_uri": "http://127.0.0.1:49882/callback",
                "first_party": True,
                **metadata,
            },
        )

    def app(self, client: dict, number: int = 0) -> App:
        """The application, its back channel going to replica `number`."""
        return App(client, origin=self.origin(number))


@pytest.fixture(scope="session", params=["sqlite", "postgres-two-replicas"])
def cluster(request) -> Iterator[Cluster]:
    if request.param == "sqlite":
        env = sqlite_env("race")
        brokers = [Broker("race-sqlite", env)]
    else:
        env = postgres_env("race")
        brokers = [Broker(f"race-postgres-{replica}", env) for replica in (1, 2)]
    try:
        for broker in brokers:
            broker.start()
        yield Cluster(brokers, env)
    finally:
        codes = [broker.stop() for broker in brokers if broker.process]
    assert codes == [0] * len(brokers), "SIGTERM ends with 0"
