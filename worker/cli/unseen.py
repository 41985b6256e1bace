"""Whether batches may be closed without a look at them."""

from __future__ import annotations

from worker.cli.settings.tree import Settings
from worker.ledger import RunRow, Store
from worker.words.errors import ConfigurationError


def refuse_unseen(settings: Settings, *asked: str) -> None:
    """Raise ConfigurationError where something is asked for that only a look at the batches can tell."""
    told = [*asked, *settings.bounds.told()]
    if told and not settings.api.snapshot:
        raise ConfigurationError(
            f"{told[0]} needs a look at the batches, and --no-snapshot closes them unseen: "
            "leave one out (nothing was sent)"
        )


def refuse_run_unseen(settings: Settings, store: Store, run: RunRow) -> None:
    """The same of a run, whose input or plan may ask for it too."""
    expects = not settings.api.snapshot and store.expects(run)
    refuse_unseen(settings, *(["what the input, or a plan, expects of its batches"] if expects else []))
