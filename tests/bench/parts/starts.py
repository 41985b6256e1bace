"""How long the program takes to start: the help and a run of one batch, beside what they must load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from tests.bench.contenders.job import Job
from tests.bench.contenders.shell import UNLIMITED, batch_closer
from tests.bench.costs import ROOT, Cost, FailedError, environment
from tests.bench.figures import Start
from tests.bench.servers import simulator
from tests.bench.stand import Amount, Stand, say

NOTHING: Final = "nothing"
CLICK: Final = "click"
HELP: Final = "help"
LIBRARIES: Final = "libraries"
ONE: Final = "one"
ONE_LOOKED_AT: Final = "one-looked-at"

TITLES: Final = {
    NOTHING: "`python -c pass`",
    CLICK: '`python -c "import click"`',
    HELP: "`batch-closer --help`",
    LIBRARIES: '`python -c "import aiohttp, pydantic"`',
    ONE: "`batch-closer close --no-snapshot`, one batch",
    ONE_LOOKED_AT: "`batch-closer close`, one batch looked at before and after",
}
_PLAIN: Final = {
    NOTHING: ("-c", "pass"),
    CLICK: ("-c", "import click"),
    HELP: ("-m", "worker", "--help"),
    LIBRARIES: ("-c", "import aiohttp, pydantic"),
}


def measure(stand: Stand, amount: Amount) -> tuple[Start, ...]:
    """Every command once in each round. Raises FailedError."""
    rounds: dict[str, list[Cost]] = {key: [] for key in TITLES}
    with (
        stand.own_folder() as folder,
        simulator(folder / "ids.txt", amount.starts + 2, stand.server_core) as url,
        (folder / "ids.txt").open(encoding="ascii") as ids,
    ):
        for number in range(amount.starts + 1):  # the first warms up
            for key in TITLES:
                with stand.own_folder() as own:
                    command = _command(key, Job(stand.server.base_url, 1, own), url, ids)
                    cost = stand.run([sys.executable, *command], own)
                if number:
                    rounds[key].append(cost)
        modules = _modules(stand, url, ids)
    starts = tuple(
        Start(key=key, title=title, rounds=tuple(rounds[key]), modules=modules[key])
        for key, title in TITLES.items()
    )
    for start in starts:
        say(f"{start.title}: {start.seconds * 1000:.0f} ms, {start.modules} modules")
    return starts


def _command(key: str, job: Job, url: str, ids: Iterator[str]) -> list[str]:
    """The interpreter's arguments; a run that is looked at closes the simulator's next batch."""
    if key == ONE:
        return batch_closer(job)[1:]
    if key == ONE_LOOKED_AT:
        close = ["-m", "worker", "close", next(ids).strip(), "--yes", *UNLIMITED]
        return [*close, "--base-url", url, "--state", str(job.folder / "state")]
    return list(_PLAIN[key])


def _modules(stand: Stand, url: str, ids: Iterator[str]) -> Mapping[str, int]:
    """How many modules each loads, counted from what Python tells with ``-X importtime``."""
    counts = {}
    for key in TITLES:
        with stand.own_folder() as own:
            command = _command(key, Job(stand.server.base_url, 1, own), url, ids)
            told = subprocess.run(
                [sys.executable, "-X", "importtime", *command],
                cwd=ROOT,
                env=environment(),
                capture_output=True,
            )
        if told.returncode:
            raise FailedError(f"exit code {told.returncode} of {TITLES[key]}")
        counts[key] = sum(line.startswith(b"import time:") for line in told.stderr.splitlines()) - 1
    return counts
