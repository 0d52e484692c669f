"""After a full run: no secret that was handed out stands in a log or in a database."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from harness.russet import DEV, RUN

# Looked for in one pass; below this the run handed out too little to prove anything.
FEWEST = 20


def secrets() -> set[str]:
    noted = RUN / "secrets.txt"
    assert noted.exists(), "no suite ran before this one: use ./test e2e"
    found = {line.strip() for line in noted.read_text().splitlines()}
    # A JWT is looked for by its signature too, in case only part of it was kept.
    found |= {secret.rsplit(".", 1)[1] for secret in found if secret.count(".") == 2}
    found = {secret for secret in found if len(secret) >= 16}
    assert len(found) >= FEWEST
    return found


def leaks(text: str) -> list[str]:
    # Only the beginning is printed, so that this test is not the leak it looks for.
    return sorted({f"{secret[:6]}…" for secret in secrets() if secret in text})


def logs() -> list[Path]:
    return sorted((RUN / "logs").glob("*.log"))


def databases() -> list[Path]:
    found = set(RUN.rglob("*.db")) | set(RUN.rglob("*.sqlite"))
    found.add(Path(DEV["config_file"]).parent / "russet.db")
    return sorted(path for path in found if path.exists())


def test_the_logs_hold_no_secret():
    assert logs(), "there is no log to look into"
    for log in logs():
        text = log.read_text(errors="replace")
        if log.name == "apache.log":
            continue  # not ours
        assert leaks(text) == [], log.name


def test_the_logs_hold_something():
    assert any(log.stat().st_size for log in logs()), "an empty log proves nothing"


def test_the_sqlite_databases_hold_no_secret():
    assert databases(), "there is no database to look into"
    for path in databases():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            dump = "\n".join(database.iterdump())
        # The dump writes blobs in hexadecimal; the files hold them as they are.
        raw = b"".join(
            part.read_bytes()
            for part in (path, path.with_name(f"{path.name}-wal"))
            if part.exists()
        )
        assert leaks(dump) == [], path
        assert leaks(raw.decode("latin-1")) == [], path


def test_the_postgresql_databases_hold_no_secret():
    listed = RUN / "databases.txt"
    if not listed.exists():
        pytest.skip("no suite made a PostgreSQL database in this run")
    server = os.environ["RUSSET_TEST_POSTGRES"].rsplit("/", 1)[0]
    for database in listed.read_text().split():
        dump = subprocess.run(
            ["pg_dump", f"{server}/{database}"], capture_output=True, text=True, check=True
        ).stdout
        assert "CREATE TABLE" in dump
        assert leaks(dump) == [], database
