"""Whether a new run may have the name that it is given."""

from __future__ import annotations

from typing import Final

from worker.ledger import RunRow, RunState, Store
from worker.words.errors import ConfigurationError

_OTHERWISE: Final = "choose another with --run-id (nothing was sent)"


def refuse_taken(store: Store, name: str, *, resumes_at: str | None = None) -> None:
    """Raise ConfigurationError where a run of that name is known.

    ``resumes_at`` is the base URL of a caller that has --resume.
    """
    run = store.run(name)
    if run is None:
        return
    if run.started_at is not None and run.base_url == resumes_at:
        raise ConfigurationError(_by_resume(run))
    raise ConfigurationError(f"run id {name!r} is taken: {_OTHERWISE}")


def _by_resume(run: RunRow) -> str:
    finished = run.state is RunState.FINISHED
    how, does = ("a finished", "shows how it ended") if finished else ("an unfinished", "continues it")
    return f"run id {run.run_id!r} is taken by {how} run: --resume beside --run-id {does}; or {_OTHERWISE}"
