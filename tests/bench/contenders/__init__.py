"""Who closes the same batches: ours, bare libraries, the official SDK, and what a shell has."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from tests.bench.contenders import shell
from tests.bench.contenders.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """How one closes. ``share`` is the part of the closes that it is given: the slow ones get fewer."""

    key: str
    title: str
    command: Callable[[Job], list[str]]
    lacks: Callable[[], str | None] = lambda: None  # why it can't be run here
    share: float = 1.0
    in_python: bool = True  # tells the seconds of the closing alone
    shut_in: bool = False  # run only where no network can be reached


def module(name: str, way: str = "") -> Callable[[Job], list[str]]:
    """A contender that is a module in this folder."""

    def command(job: Job) -> list[str]:
        told = [job.base_url, str(job.closes), *([way] if way else [])]
        return [sys.executable, "-m", f"tests.bench.contenders.{name}", *told]

    return command


def without(package: str) -> Callable[[], str | None]:
    """Says so where a package is not installed."""
    return lambda: None if find_spec(package) else f"{package} is not installed (make bench does it)"


def no_program(name: str) -> Callable[[], str | None]:
    """Says so where a program is not installed."""
    return lambda: None if shutil.which(name) else f"{name} is not installed"


def no_newman() -> str | None:
    """Says so where there is none."""
    return None if shell.newman_binary() else "newman is not installed (make bench does it where npm is)"


OURS: Final = "ours"
BARE: Final = "bare"
SDK: Final = ("sdk-loop", "sdk-threads")
REQUESTS: Final = "requests"
WITHOUT_LEDGER: Final = "without-ledger"

CONTENDERS: Final = (
    Contender(key=OURS, title="batch-closer, everything on", command=module("ours")),
    Contender(
        key=WITHOUT_LEDGER, title="the same without its ledger", command=module("ours", "without-ledger")
    ),
    Contender(
        key="whole",
        title="`batch-closer close FILE`, the whole process",
        command=shell.batch_closer,
        in_python=False,
    ),
    Contender(key=BARE, title="bare aiohttp, 32 tasks", command=module("bare_aiohttp")),
    Contender(
        key="sdk-loop",
        title="official SDK in a loop",
        command=module("official_sdk", "loop"),
        lacks=without("energycap"),
        share=0.05,
    ),
    Contender(
        key="sdk-threads",
        title="official SDK in 32 threads",
        command=module("official_sdk", "threads"),
        lacks=without("energycap"),
        share=0.1,
    ),
    Contender(
        key=REQUESTS,
        title="requests in 32 threads",
        command=module("requests_threads"),
        lacks=without("requests"),
        share=0.25,
    ),
    Contender(
        key="httpx",
        title="httpx.AsyncClient, 32 tasks",
        command=module("httpx_client"),
        lacks=without("httpx"),
        share=0.1,
    ),
    Contender(
        key="curl-z",
        title="`curl -Z`, a prepared config",
        command=shell.curl,
        lacks=no_program("curl"),
        in_python=False,
        shut_in=True,
    ),
    Contender(
        key="xargs-50",
        title="`xargs -P32 -n50 curl`",
        command=shell.xargs(50),
        lacks=no_program("xargs"),
        in_python=False,
        shut_in=True,
    ),
    Contender(
        key="xargs-1",
        title="`xargs -P32 -n1 curl`",
        command=shell.xargs(1),
        lacks=no_program("xargs"),
        share=0.05,
        in_python=False,
        shut_in=True,
    ),
    Contender(
        key="newman",
        title="newman",
        command=shell.newman,
        lacks=no_newman,
        share=0.025,
        in_python=False,
        shut_in=True,
    ),
)
