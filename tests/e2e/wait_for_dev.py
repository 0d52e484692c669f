"""Waits until `russet dev --json` has printed its object. Usage: wait_for_dev.py FILE PID"""

import json
import os
import sys
import time

DEADLINE_SECONDS = 60


def main(path: str, pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            with open(path) as file:
                print("issuer", json.load(file)["issuer"])
                return
        except (json.JSONDecodeError, FileNotFoundError):
            pass
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            raise SystemExit("russet dev ended before it was ready")
        time.sleep(0.05)
    raise SystemExit(f"russet dev was not ready within {DEADLINE_SECONDS} s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
