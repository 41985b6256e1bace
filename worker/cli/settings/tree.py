"""Every setting once: its group, flag, environment name, default, bounds and help.

The command line, the TOML file, the environment and the documentation are made from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from worker.cli.settings.base_url import check_base_url
from worker.cli.settings.bounds import BoundSettings, GuardSettings, period_of, today
from worker.cli.settings.knob import Group, Knob, NotNegative, Positive, UserPath, split
from worker.cli.settings.notify import NotifySettings
from worker.cli.settings.queue import QueueSettings
from worker.rules.abort import DEFAULT_RULES, GRAMMAR, parse_rules
from worker.words.errors import ConfigurationError
from worker.words.model import FINE_BY_DEFAULT, Outcome


def _check_rules(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        parse_rules(texts)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return texts


class LogLevel(StrEnum):
    """The least severe events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How the log looks on standard error."""

    CONSOLE = "console"
    JSON = "json"


class ApiSettings(Group):
    """Where the API is and how long to wait for it."""

    base_url: Annotated[
        str,
        AfterValidator(check_base_url),
        Knob("--base-url", "BATCH_CLOSER_BASE_URL", "URL", "The API's host, e.g. https://app.energycap.com."),
    ]
    timeout_s: Annotated[
        Positive,
        Knob("--timeout", "BATCH_CLOSER_TIMEOUT", "S", "Give up waiting for one answer after S seconds."),
    ] = 100.0
    key_file: Annotated[
        UserPath | None, Knob(None, "ENERGYCAP_API_KEY_FILE", "FILE", "A file that holds the API key.")
    ] = None
    ca_file: Annotated[
        UserPath | None,
        Knob(
            "--ca-file",
            "BATCH_CLOSER_CA_FILE",
            "FILE",
            "A PEM file with a trust root to add to the system's.",
        ),
    ] = None
    expect_environment: Annotated[
        str | None,
        Knob(
            "--expect-environment",
            "BATCH_CLOSER_EXPECT_ENVIRONMENT",
            "NAME",
            "Refuse a key that belongs to another environment.",
        ),
    ] = None
    snapshot: Annotated[
        bool,
        Knob(
            "--snapshot/--no-snapshot",
            "BATCH_CLOSER_SNAPSHOT",
            "",
            "Look at the batches, by their list, before and after closing; or send the closes straight away.",
        ),
    ] = True


class LimitSettings(Group):
    """How fast, how many at once and how long."""

    rate_per_s: Annotated[
        Positive, Knob("--rate", "BATCH_CLOSER_RATE", "PER_S", "Requests per second, look-ups included.")
    ] = 5.0
    burst: Annotated[
        Annotated[int, Field(ge=1, le=10_000)],
        Knob("--burst", "BATCH_CLOSER_BURST", "N", "Requests that may go at once after a quiet time."),
    ] = 1
    concurrency: Annotated[
        Annotated[int, Field(ge=1, le=1000)],
        Knob("--concurrency", "BATCH_CLOSER_CONCURRENCY", "N", "Batches in flight at once."),
    ] = 8
    deadline_s: Annotated[
        Positive | None,
        Knob("--deadline", "BATCH_CLOSER_DEADLINE", "S", "Start nothing new S seconds after the start."),
    ] = None
    grace_s: Annotated[
        NotNegative,
        Knob(
            "--grace", "BATCH_CLOSER_GRACE", "S", "When stopping, let what is in flight finish for S seconds."
        ),
    ] = 30.0
    stall_s: Annotated[
        Positive,
        Knob("--stall", "BATCH_CLOSER_STALL", "S", "Stop when nothing has settled for S seconds."),
    ] = 900.0


class RetrySettings(Group):
    """How often and how soon to try again."""

    max_attempts: Annotated[
        Annotated[int, Field(ge=1, le=100)],
        Knob("--max-attempts", "BATCH_CLOSER_MAX_ATTEMPTS", "N", "PUTs per batch, at most."),
    ] = 5
    backoff_s: Annotated[
        NotNegative,
        Knob(
            "--backoff",
            "BATCH_CLOSER_BACKOFF",
            "S",
            "Bound of the first wait before trying again (full jitter).",
        ),
    ] = 0.5
    max_backoff_s: Annotated[
        NotNegative, Knob("--max-backoff", "BATCH_CLOSER_MAX_BACKOFF", "S", "Bound of any such wait.")
    ] = 30.0


class AbortSettings(Group):
    """When to give a run up."""

    rules: Annotated[
        tuple[str, ...],
        BeforeValidator(split),
        AfterValidator(_check_rules),
        Knob("--abort", "BATCH_CLOSER_ABORT", "RULE", f"Stop early; repeatable: {GRAMMAR}."),
    ] = DEFAULT_RULES


class OutputSettings(Group):
    """Where records go and what counts as fine."""

    state: Annotated[
        UserPath | None,
        Knob(
            "--state",
            "BATCH_CLOSER_STATE",
            "DIR",
            "The folder for runs and the ledger. [default: the platform's]",
        ),
    ] = None
    ok: Annotated[
        tuple[Outcome, ...],
        BeforeValidator(split),
        Knob(
            "--ok",
            "BATCH_CLOSER_OK",
            "OUTCOME",
            "Count this outcome as fine too, beside closed and already_closed; repeatable.",
        ),
    ] = ()
    log_level: Annotated[
        LogLevel, Knob("--log-level", "BATCH_CLOSER_LOG_LEVEL", "LEVEL", "debug, info, warning or error.")
    ] = LogLevel.INFO
    log_format: Annotated[
        LogFormat | None,
        Knob(
            "--log-format",
            "BATCH_CLOSER_LOG_FORMAT",
            "FORMAT",
            "console or json. [default: console on a terminal, else json]",
        ),
    ] = None
    metrics_file: Annotated[
        UserPath | None,
        Knob(
            "--metrics-file",
            "BATCH_CLOSER_METRICS_FILE",
            "FILE",
            "Write metrics here for node_exporter's textfile collector; the name ends with .prom.",
        ),
    ] = None

    @property
    def fine(self) -> frozenset[Outcome]:
        """All outcomes that count as fine."""
        return FINE_BY_DEFAULT | frozenset(self.ok)


class Settings(Group):
    """All settings."""

    api: ApiSettings
    limits: LimitSettings = LimitSettings()
    retry: RetrySettings = RetrySettings()
    abort: AbortSettings = AbortSettings()
    guards: GuardSettings = GuardSettings()
    bounds: BoundSettings = BoundSettings()
    output: OutputSettings = OutputSettings()
    queue: QueueSettings = QueueSettings()
    notify: NotifySettings = NotifySettings()

    def kept(self) -> dict[str, Any]:
        """What the ledger remembers of a run's settings: no secret, nothing of this machine."""
        return self.model_dump(
            mode="json",
            exclude={
                "api": {"key_file"},
                "output": {"state", "log_level", "log_format", "metrics_file"},
                "queue": True,
                "notify": True,
            },
            exclude_none=True,
        )


def fixed(settings: Settings) -> Settings:
    """The settings with this-month and last-month as the month they mean today, for a resumed run too."""
    found = period_of(settings.bounds, today())
    if found is None:
        return settings
    return settings.model_copy(update={"bounds": settings.bounds.model_copy(update={"period": str(found)})})


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting's place in the TOML file, and how else it is reached."""

    group: str
    name: str
    knob: Knob
    default: object  # None: there is none
    is_list: bool

    @property
    def path(self) -> str:
        """Its key in the TOML file."""
        return f"{self.group}.{self.name}"

    @property
    def parameter(self) -> str:
        """Its name as a click parameter."""
        return f"{self.group}__{self.name}"


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """All settings, in the order of their groups."""
    found = []
    for group, group_field in Settings.model_fields.items():
        model = group_field.annotation
        assert model is not None
        for name, setting in model.model_fields.items():
            knob = next(part for part in setting.metadata if isinstance(part, Knob))
            default = None if setting.is_required() else setting.default
            found.append(Entry(group, name, knob, default, isinstance(default, tuple)))
    return tuple(found)
