"""Small inputs and ready runs for the ledger's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from worker.ledger import NewRun, RunRow, open_ledger
from worker.words.model import Batch, Control, Rejected

SMALL_BALLAST = 64 * 1024


class Listed(NamedTuple):
    """What a source yields for a batch id."""

    batch_id: int
    source: str = "ids.csv"
    line: int = 1
    controls: tuple[Control, ...] = ()
    before: Batch | None = None


def new_run(run_id: str = "run-1", host: str = "api.example.com") -> NewRun:
    """A run as it is known before its input is read."""
    return NewRun(
        run_id=run_id,
        created_at=1000.0,
        base_url=f"https://{host}",
        host=host,
        settings="{}",
        who="ops@server",
    )


def listed(ids: Iterable[int]) -> list[Listed]:
    """The ids as one file names them, an id a line."""
    return [Listed(batch_id, line=line) for line, batch_id in enumerate(ids, start=1)]


def planned(folder: Path, ids: Sequence[int], run_id: str = "run-1") -> tuple[RunRow, int]:
    """A run over ``ids`` in the folder's ledger, and the number of its first session."""
    entries: list[Listed | Rejected] = [*listed(ids)]
    with open_ledger(folder) as store:
        run = store.plan(new_run(run_id), entries)
        return run, store.start_session(run, started_at=1001.0, pid=1, who="ops@server")


def kept(record: bytes) -> Callable[[], bytes]:
    """A record as the writer takes it."""
    return lambda: record
