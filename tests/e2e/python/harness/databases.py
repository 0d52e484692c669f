"""Databases of a suite's own, on both engines."""

import os
import secrets
import subprocess
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
