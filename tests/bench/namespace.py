"""A network of our own, with loopback and nothing else: no contender can send anything anywhere."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from typing import Final

INSIDE: Final = "--inside"
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1


def enter(arguments: list[str]) -> str:
    """Begin anew in there, with ``INSIDE`` as another argument; returns only where that can't be: why."""
    if sys.platform != "linux" or (unshare := shutil.which("unshare")) is None:
        return "there is no unshare here to shut the network out with"
    for way in ("-n", "-rn"):
        if subprocess.run([unshare, way, "true"], capture_output=True).returncode == 0:
            os.execv(unshare, [unshare, way, sys.executable, "-m", "tests.bench", *arguments, INSIDE])
    return "this user may not make a network namespace to shut the network out with"


def raise_loopback() -> None:
    """Set the new network's loopback up."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        fcntl.ioctl(link, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
