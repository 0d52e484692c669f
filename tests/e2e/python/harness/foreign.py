"""Applications in other languages: fetched where their registry is reachable, built, run."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from .russet import RUN

APPS = Path(__file__).parents[2] / "apps"
# What package clients say of a registry that they cannot reach.
UNREACHABLE = (
    "could not transfer",
    "could not resolve",
    "unknown host",
    "no such host",
    "connection refused",
    "i/o timeout",
    "timed out",
    "forbidden",
    "proxyconnect",
    "unresolvable build extension",
    "non-resolvable parent pom",
)


def tool(name: str, package: str) -> str:
    """The tool's path; without it, the test is skipped and says what was missing."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return found


def build(app: str, *command: str) -> None:
    """Builds an app; skipped when what it needs cannot be had, failed when it does not build."""
    done = subprocess.run(command, cwd=APPS / app, capture_output=True, text=True, timeout=600)
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode and any(words in said.lower() for words in UNREACHABLE):
        pytest.skip(f"{app}: the package registry of {command[0]} is not reachable from here")
    assert done.returncode == 0, said


@contextmanager
def running(
    name: str,
    command: list[str],
    url: str | None,
    env: dict[str, str],
    leads_on: str | None = None,
) -> Iterator[None]:
    """Runs it until `url` answers, or `leads_on` redirects, and ends it afterwards."""
    # What others write down of themselves is not ours to answer for: addresses with codes, say.
    logs = RUN / "logs" / "foreign"
    logs.mkdir(parents=True, exist_ok=True)
    with open(logs / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **env}, cwd=APPS
        )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                if httpx.get(url or leads_on).status_code == (200 if url else 302):
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None, f"it ended; see {name}.log"
            assert time.monotonic() < deadline, f"{url or leads_on} does not answer"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
