"""Brokers of a suite's own: one on SQLite, two replicas on PostgreSQL."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import pytest

from harness.app import App
from harness.russet import DEV, RUN, Broker, create_client
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


def sqlite_env(name: str) -> dict[str, str]:
    (RUN / name).mkdir(exist_ok=True)
    return {"RUSSET_DATABASE__URL": f"sqlite://{RUN / name / 'russet.db'}"}


def postgres_env(name: str) -> dict[str, str]:
    """A fresh database on the server that `./test` started."""
    server = urlsplit(os.environ["RUSSET_TEST_POSTGRES"])
    database = f"{name}_{secrets.token_hex(4)}"
    subprocess.run(
        ["psql", "-q", server.geturl(), "-c", f"create database {database}"], check=True
    )
    with open(RUN / "databases.txt", "a") as file:
        file.write(f"{database}\n")
    return {"RUSSET_DATABASE__URL": urlunsplit(server._replace(path=f"/{database}"))}


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
