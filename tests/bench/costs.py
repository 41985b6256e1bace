"""What a process costs, as the operating system counts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
GIVEN_UP_AFTER_S: Final = 3600.0
STOPPED_EVERY_S: Final = 20.0
_KIB_PER_MAXRSS: Final = 1 if sys.platform != "darwin" else 1 / 1024
_NOT_OURS: Final = ("BATCH_CLOSER_", "ENERGYCAP_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Cost(NamedTuple):
    """One process, with the children it waited for."""

    seconds: float  # of the closing, where the process tells them; else of all of it
    closing_cpu_s: float  # likewise
    whole_s: float
    cpu_s: float
    peak_mib: float  # never less than the harness's own peak: a process begins as its copy


class FailedError(Exception):
    """A process that did not do what it was to do; the text says why in one line."""


def environment(**more: str) -> dict[str, str]:
    """This environment without proxies and without anything for the program but what is given.

    Whoever forbids bytecode is not heard: this program alone would be compiled at each start.
    """
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_OURS)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "ENERGYCAP_API_KEY": "no-secret", **more}


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    core: int | None,
    stderr: Path,
    tells: bool = False,
    between: Callable[[], None] | None = None,
) -> Cost:
    """Run a command to its end, on one core if one is named.

    With ``tells`` its standard output is JSON: what the closing alone took. It is stopped every 20 s for
    ``between``, which doesn't count. Raises FailedError.
    """
    with stderr.open("wb") as errors, on_core(core):
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if tells else subprocess.DEVNULL,
            stderr=errors,
        )
    patience = threading.Timer(GIVEN_UP_AFTER_S, process.kill)
    patience.start()
    try:
        stopped_s = _stopped(process.pid, between) if between else 0.0
        told = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        whole_s = time.perf_counter() - begun - stopped_s
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        patience.cancel()
        if process.returncode is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
    if process.returncode:
        raise FailedError(f"exit code {process.returncode}: {_last_line(stderr)}")
    cpu_s = usage.ru_utime + usage.ru_stime
    closing = json.loads(told) if tells else {"seconds": whole_s, "closing_cpu_s": cpu_s}
    return Cost(
        **closing,
        whole_s=whole_s,
        cpu_s=cpu_s,
        peak_mib=usage.ru_maxrss * _KIB_PER_MAXRSS / 1024,
    )


def _stopped(pid: int, between: Callable[[], None]) -> float:
    """Stop a process now and then until it ends; for how many seconds in all."""
    stopped_s, goes_since = 0.0, time.perf_counter()
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.02)
        if time.perf_counter() - goes_since < STOPPED_EVERY_S:
            continue
        stopped_at = time.perf_counter()
        os.kill(pid, signal.SIGSTOP)
        try:
            between()
        finally:
            os.kill(pid, signal.SIGCONT)
        goes_since = time.perf_counter()
        stopped_s += goes_since - stopped_at
    return stopped_s


def own_peak_mib() -> float:
    """This process's own peak: what it begins has that much in its book already."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no word on standard error")


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started in here runs on that core alone."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[int | None, int | None]:
    """A core for the server and another for the client; None where processes can't be bound to two."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)
