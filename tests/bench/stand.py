"""What all measurements stand on: the cores, the server, a folder, how much is to be measured."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.contenders.job import Job
from tests.bench.costs import Cost, FailedError, environment, run
from tests.bench.servers import Server

SENT_S: Final = 0.1
"""What a process sent before it was stopped has been answered by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured."""

    closes: int = 20_000  # of a quick contender
    rounds: int = 7
    largest: int = 1_000_000  # ids in one run
    seconds: float = 20.0  # at each rate
    starts: int = 15


QUICK = Amount(closes=2_000, rounds=2, largest=10_000, seconds=3.0, starts=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where it is measured."""

    folder: Path
    server: Server
    server_core: int | None
    client_core: int | None
    open_why: str | None  # why the network could not be shut out; None: it is

    def closing(
        self,
        command: Callable[[Job], list[str]],
        closes: int,
        *,
        tells: bool = False,
        between: Callable[[], None] | None = None,
    ) -> Cost:
        """What a contender costs; it is stopped now and then for what is measured ``between``.

        Raises FailedError where the server did not see every one of its closes.
        """
        others = 0

        def stopped() -> None:
            nonlocal others
            time.sleep(SENT_S)
            before = self.server.requests()
            assert between is not None
            between()
            others += self.server.requests() - before + 1

        with self.own_folder() as folder:
            before = self.server.requests()
            job = Job(self.server.base_url, closes, folder)
            cost = self.run(command(job), folder, tells=tells, between=stopped if between else None)
            seen = self.server.requests() - before - 1 - others
        if seen != closes:
            raise FailedError(f"the server saw {seen} requests for {closes} closes")
        return cost

    def run(
        self,
        command: list[str],
        folder: Path,
        *,
        tells: bool = False,
        between: Callable[[], None] | None = None,
    ) -> Cost:
        """What a command costs on the client's core. Raises FailedError."""
        return run(
            command,
            environ=environment(TMPDIR=str(folder)),
            core=self.client_core,
            stderr=folder / "stderr",
            tells=tells,
            between=between,
        )

    @contextmanager
    def own_folder(self) -> Iterator[Path]:
        """An empty folder, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(text, file=sys.stderr, flush=True)
