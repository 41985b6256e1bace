"""What machine it is, and in which versions everything is there."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench.contenders.shell import newman_binary

PACKAGES: Final = (
    *("aiohttp", "pydantic", "orjson", "structlog", "aiolimiter", "anyio", "click"),
    *("requests", "httpx", "EnergyCapSdk"),
)
_VERSIONS: Final = """\
import importlib.metadata as metadata, sys
for name in sys.argv[1:]:
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
"""


def describe(server: str, *, open_why: str | None) -> Mapping[str, str]:
    """What a reader must know to compare the figures with others."""
    commands = {
        "nginx": "nginx -v",
        "curl": "curl --version",
        "node": "node --version",
        "newman": f"{newman_binary()} --version",
    }
    told = {name: version for name, command in commands.items() if (version := _version(command))}
    return {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": _first(["git", "describe", "--always", "--dirty"]) or "not known",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "system": f"{_system()}, {platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(_packages()),
        "programs": ", ".join(f"{name} {version}" for name, version in told.items()),
        "server": server,
        "network": f"open: {open_why}" if open_why else "loopback alone",
    }


def _packages() -> list[str]:
    told = subprocess.run([sys.executable, "-c", _VERSIONS, *PACKAGES], capture_output=True, text=True)
    return told.stdout.splitlines()


def _version(command: str) -> str | None:
    match = re.search(r"\d+\.\d+[\d.]*", _first(command.split()))
    return match[0] if match else None


def _first(command: list[str]) -> str:
    """The first line that a command says; nothing where it isn't there."""
    binary = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin")
    if binary is None:
        return ""
    told = subprocess.run([binary, *command[1:]], capture_output=True, text=True)
    return (told.stdout or told.stderr).partition("\n")[0].strip()


def _processor() -> str:
    return _in_file("/proc/cpuinfo", r"^model name\s*: (.*)$") or platform.processor() or platform.machine()


def _memory() -> str:
    kib = _in_file("/proc/meminfo", r"^MemTotal:\s*(\d+) kB$")
    return f"{int(kib) / 2**20:.1f} GiB" if kib else "not known"


def _system() -> str:
    return _in_file("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)"?$') or sys.platform


def _in_file(path: str, pattern: str) -> str | None:
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return match[1].strip() if match else None
