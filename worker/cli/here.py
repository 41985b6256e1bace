"""Who and what this process is, and its log: what every verb knows before it does anything."""

from __future__ import annotations

import getpass
import platform
import sys
from contextlib import suppress
from urllib.parse import urlsplit

from worker.cli.settings.tree import LogFormat, Settings
from worker.telemetry import Log, open_log


def who() -> str:
    """The user and machine of this process."""
    user = "unknown"
    with suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
    return f"{user}@{platform.node() or 'unknown'}"


def host_of(base_url: str) -> str:
    """The API host as the lock and the ledger name it."""
    return urlsplit(base_url).netloc


def make_log(settings: Settings) -> Log:
    """The log on standard error, as the settings say."""
    form = settings.output.log_format
    if form is None:
        form = LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON
    return open_log(sys.stderr, None, settings.output.log_level.value, form.value)
