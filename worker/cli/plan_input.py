"""A plan as what is to be closed: its batches, each with what the plan saw of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from worker.cli.settings.tree import Settings
from worker.rules.plan import Plan, PlanDecision
from worker.rules.summary import printable
from worker.sources import Listed
from worker.words.errors import ConfigurationError

_MOST_BYTES = 1024**3


def read_plan(file: Path, settings: Settings) -> tuple[Iterator[Listed], Settings]:
    """What the plan would close, in its order, and the settings with the environment that it was made for.

    Raises ConfigurationError for a file that is no plan, or the plan of another API or environment.
    """
    plan = Plan.from_json(_read(file), str(file))
    if plan.base_url != settings.api.base_url:
        raise ConfigurationError(
            f"{printable(str(file))} is a plan for {printable(plan.base_url)}, "
            f"and the base URL now given is {settings.api.base_url}: give the one, or plan again"
        )
    entries = (
        Listed(entry.batch_id, entry.source, entry.line, before=entry.seen())
        for entry in plan.entries
        if entry.decision is PlanDecision.CLOSE and entry.batch_id is not None
    )
    return entries, _expecting(plan.environment, settings, file)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigurationError(f"plan {printable(str(file))} can't be used: it is larger than 1 GiB")
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"plan {printable(str(file))} can't be read: {error.strerror or type(error).__name__}; "
            "make it with batch-closer plan"
        ) from None


def _expecting(found: str | None, settings: Settings, file: Path) -> Settings:
    expected = settings.api.expect_environment
    if found is None or (expected or found).strip().casefold() != found.strip().casefold():
        if found is None or expected is None:
            return settings
        raise ConfigurationError(
            f"{printable(str(file))} is a plan for environment {printable(found, 60)!r}, "
            f"and {printable(expected, 60)!r} is expected (api.expect_environment): plan again"
        )
    return settings.model_copy(update={"api": settings.api.model_copy(update={"expect_environment": found})})
