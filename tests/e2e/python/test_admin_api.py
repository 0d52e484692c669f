"""Schemathesis (PyPI) against the admin API and its own OpenAPI document: it must find nothing."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from harness.databases import postgres_env
from harness.house import House

CONFIG = Path(__file__).with_name("schemathesis.toml")
REVOKE = "delete /api-keys/{id}"


def schemathesis(house, key, *which):
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            f"{house.issuer}/admin/api/openapi.json",
            *("--header", f"Authorization: Bearer {key}"),
            # The same requests in every run, and not too many of them.
            *("--seed", "20261125", "--generation-database", "none", "--max-examples", "12"),
            # Names that nobody has are most of what a generator thinks of.
            *("--suppress-health-check", "filter_too_much", "--warnings", "off"),
            *("--request-timeout", "30", "--continue-on-failure", "--no-color"),
            *which,
        ],
        cwd=house.folder,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_schemathesis_finds_nothing(database):
    url = postgres_env("schemathesis")["RUSSET_DATABASE__URL"] if database == "postgres" else None
    with House(f"schemathesis-{database}", database=url) as house:
        for name in ("ada", "grace", "edsger"):
            house.person(name)
        house.client(
            kind="web", client_name="Shop", redirect_uri="https://shop.example/callback"
        )
        house.cli("api", "create", "--identifier", "https://api.example.com", "--name", "Orders")
        key = house.admin().api_key()
        # A key that may revoke keys may revoke itself, and nothing after it would be tried.
        runs = [
            schemathesis(house, key, "--exclude-operation-id", REVOKE),
            schemathesis(house, key, "--include-operation-id", REVOKE),
        ]
        alive = httpx.get(
            f"{house.issuer}/admin/api/v1/clients", headers={"authorization": f"Bearer {key}"}
        )
    for done in runs:
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert alive.status_code == 200, alive.text
