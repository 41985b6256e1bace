"""Whether a new run may have the name that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from worker.ledger import RunRow, RunState, Store
from worker.report.files import FILES, LOG
from worker.words.errors import ConfigurationError

_OTHERWISE: Final = "choose another with --run-id (nothing was sent)"


def refuse_taken(store: Store, folder: Path, name: str, *, resumes_at: str | None = None) -> None:
    """Raise ConfigurationError where a run of that name is known, or its folder holds another's results.

    ``resumes_at`` is the base URL of a caller that has --resume.
    """
    run = store.run(name)
    if run is None:
        _refuse_results(folder)
    elif run.started_at is not None and run.base_url == resumes_at:
        raise ConfigurationError(_by_resume(run))
    else:
        raise ConfigurationError(f"run id {name!r} is taken: {_OTHERWISE}")


def _refuse_results(folder: Path) -> None:
    # A log alone is no result: a run that was killed before the ledger knew of its beginning leaves one.
    if any((folder / name).exists() for name in FILES if name != LOG):
        raise ConfigurationError(
            f"folder {folder} holds results of a run that the ledger does not know: choose another --run-id, "
            "or move the folder away (nothing was sent)"
        )


def _by_resume(run: RunRow) -> str:
    finished = run.state is RunState.FINISHED
    how, does = ("a finished", "shows how it ended") if finished else ("an unfinished", "continues it")
    return f"run id {run.run_id!r} is taken by {how} run: --resume beside --run-id {does}; or {_OTHERWISE}"
