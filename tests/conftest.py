"""What holds for all tests."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# How quick a machine is says nothing of whether the program is right.
settings.register_profile(
    "project", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")

# The program is started hundreds of times; to compile it each time would take half as long again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Begun in the background by a shell, this process ignores Ctrl-C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Two a core: half of a test's time is waiting for a process, a server or a slot."""
    return 2 * (os.cpu_count() or 1)
