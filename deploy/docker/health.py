"""Whether the container is well: exit code 0 or 1. A worker is asked; other verbs are well while they run."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path


def port_of(words: list[str]) -> int | None:
    """The port on which the command answers, if it does."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == "--port" and "work" in words:
            return int(value or after)
    return None


def is_healthy(port: int) -> bool:
    """Whether the worker on that port says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def main(command_line: Path = Path("/proc/1/cmdline")) -> int:
    """Look at the container's first process."""
    port = port_of(command_line.read_bytes().decode(errors="replace").split("\0"))
    return 0 if port is None or is_healthy(port) else 1


if __name__ == "__main__":
    sys.exit(main())
