"""What a worker learns from the settings that a run was enqueued with."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from worker.cli.settings.bounds import bounds_of, today
from worker.cli.settings.tree import AbortSettings, Settings
from worker.engine.terms import Care
from worker.fleet import Header, Lesson
from worker.rules.abort import parse_rules
from worker.words.answer import Identity
from worker.words.model import FINE_BY_DEFAULT


def settings_of(header: Header) -> Settings:
    """The settings that a run was enqueued with. Raises ValueError where they can't be read."""
    try:
        return Settings.model_validate(orjson.loads(header.settings))
    except ValidationError as error:
        raise ValueError(
            f"{error.error_count()} settings of run {header.run_id} are not understood"
        ) from None


def standing_settings(settings: Settings) -> str:
    """What holds for messages that belong to no run: this worker's settings, and no way to stop for all.

    One producer's bad list must not keep the others' batches from being closed.
    """
    quiet = settings.model_copy(
        update={
            "abort": AbortSettings(rules=("none",)),
            "limits": settings.limits.model_copy(update={"deadline_s": None}),
        }
    )
    return orjson.dumps(quiet.kept()).decode()


def lesson_of(header: Header, identity: Identity | None) -> Lesson:
    """What a worker whose key is this user's makes of a run."""
    try:
        settings = settings_of(header)
    except ValueError:
        return Lesson(None, (), FINE_BY_DEFAULT, refusal="settings_not_understood")
    rules, ok = parse_rules(settings.abort.rules), settings.output.fine
    if not _is_expected(settings.api.expect_environment, identity):
        return Lesson(None, rules, ok, refusal="expect_environment")
    if not settings.api.snapshot:
        return Lesson(None, rules, ok)
    bounds = bounds_of(settings.guards, settings.bounds, today(), identity)
    return Lesson(Care(bounds=bounds, wait_analyzing_s=settings.bounds.wait_analyzing_s), rules, ok)


def _is_expected(expected: str | None, identity: Identity | None) -> bool:
    found = identity.environment if identity else None
    return expected is None or (found or "").strip().casefold() == expected.strip().casefold()
