"""Databases of a suite's own, on both engines."""

import os
import secrets
import sqlite3
import subprocess
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

from .russet import RUN


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


def rows(env: dict[str, str], sql: str) -> list[list[str]]:
    """What the database answers, as text; a broker may be at work on it."""
    url = env["RUSSET_DATABASE__URL"]
    if url.startswith("sqlite://"):
        with closing(sqlite3.connect(url.removeprefix("sqlite://"), timeout=30)) as database:
            with database:
                found = database.execute(sql).fetchall()
        return [["" if value is None else str(value) for value in row] for row in found]
    done = subprocess.run(
        ["psql", "-qAt", "-F", "\t", url, "-c", sql], check=True, capture_output=True, text=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]
