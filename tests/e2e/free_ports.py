"""Prints a port N such that N … N+count-1 are free on loopback. Usage: free_ports.py COUNT"""

import socket
import sys


def is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            try:
                probe.bind((address, port))
            except OSError as fault:
                if fault.errno == 98:  # EADDRINUSE; a machine without IPv6 is no reason to refuse
                    return False
    return True


def free_ports(count: int) -> int:
    # Below the ports that Linux hands out for outgoing connections, which start at 32768.
    for first in range(20000, 32000, 10):
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise SystemExit("no free ports between 20000 and 32000")


if __name__ == "__main__":
    print(free_ports(int(sys.argv[1])))
