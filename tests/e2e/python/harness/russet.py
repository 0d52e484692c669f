"""The broker under test, the command line beside it, and further brokers of a test's own."""

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

READY_SECONDS = 30


def from_environment(name: str) -> str:
    if not os.environ.get(name):
        raise RuntimeError(f"{name} is not set: run the suite with ./test python")
    return os.environ[name]


RUN = Path(from_environment("RUSSET_E2E_RUN"))
BINARY = from_environment("RUSSET_BIN")
DEV = json.loads(Path(from_environment("RUSSET_E2E_DEV")).read_text())


def remember(*secrets: str | None) -> None:
    """Notes secrets that were handed out, so that the last suite can look for them."""
    with open(RUN / "secrets.txt", "a") as file:
        for secret in secrets:
            if isinstance(secret, str) and len(secret) >= 16:
                file.write(secret + "\n")


def noting(response: httpx.Response) -> dict:
    """The JSON of an answer, its tokens noted."""
    body = response.json()
    for name in ("access_token", "refresh_token", "id_token", "client_secret", "nonce"):
        remember(body.get(name))
    return body


def cli(
    *arguments: str,
    env: dict[str, str] | None = None,
    config: str | None = None,
    password: str = "",
):
    """Runs `russet --config FILE … --json` and answers what it printed."""
    remember(password)
    done = subprocess.run(
        [BINARY, "--config", config or DEV["config_file"], *arguments, "--json"],
        input=password,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
    )
    if done.returncode:
        raise RuntimeError(f"russet {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    answer = json.loads(done.stdout)
    if isinstance(answer, dict):
        remember(answer.get("client_secret"))
    return answer


def create_client(
    env: dict[str, str] | None = None, config: str | None = None, **metadata
) -> dict:
    """Registers a client; keywords are the flags, lists repeat."""
    flags = []
    for name, value in metadata.items():
        for one in value if isinstance(value, list) else [value]:
            one = str(one).lower() if isinstance(one, bool) else str(one)
            flags += [f"--{name.replace('_', '-')}", one]
    return cli("client", "create", *flags, env=env, config=config)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Broker:
    """One `russet serve` process.

    It reads the file that `russet dev` wrote, so that it shares Apple's values and the registered
    return URL; `env` overrides where it listens and what it stores in. Its issuer stays that of
    `russet dev`: the user agent routes the issuer's origin to it, as a load balancer would.
    """

    name: str
    env: dict[str, str]
    port: int = field(default_factory=free_port)
    config: str = DEV["config_file"]
    process: subprocess.Popen | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Broker":
        log = open(RUN / "logs" / f"{self.name}.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "--config", self.config, "serve"],
            env={**os.environ, **self.env, "RUSSET_SERVER__LISTEN": f"127.0.0.1:{self.port}"},
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}")
            try:
                if httpx.get(f"{self.origin}/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} was not ready within {READY_SECONDS} s")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)
