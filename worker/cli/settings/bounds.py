"""The settings that keep a batch from being closed: an action for each guard, and what they compare with."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, create_model

from worker.cli.settings.knob import Count, Group, Knob, NotNegative
from worker.rules.guards import GUARDS, Action, Bounds
from worker.rules.period import Period, parse_period
from worker.words.answer import Identity
from worker.words.errors import ConfigurationError

_MONEY: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,2})?")


class _Guards(Group):
    """An action for each guard: hold, warn or ignore."""

    @property
    def actions(self) -> dict[str, Action]:
        """The actions by guard."""
        return dict(self)


_FIELDS: Any = {
    guard.name: (
        Annotated[
            Action,
            Knob(
                None,
                f"BATCH_CLOSER_GUARD_{guard.name.upper()}",
                "ACTION",
                f"hold, warn or ignore: {guard.help}.",
            ),
        ],
        guard.default,
    )
    for guard in GUARDS
}
GuardSettings = create_model("GuardSettings", __base__=_Guards, __doc__=_Guards.__doc__, **_FIELDS)


def _money(value: object) -> object:
    """Money from TOML may be a number; from elsewhere it is text."""
    text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    if _MONEY.fullmatch(text) is None:
        raise ValueError("write a sum of money, as 25000 or 25000.00")
    return Decimal(text)


def _period(text: str) -> str:
    try:
        parse_period(text, date(2000, 1, 1))
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    return text.strip()


class BoundSettings(Group):
    """What a batch must be to be closed; None asks nothing."""

    period: Annotated[
        str | None,
        AfterValidator(lambda text: None if text is None else _period(text)),
        Knob(
            "--period",
            "BATCH_CLOSER_PERIOD",
            "YYYY-MM",
            "Hold (with --open: leave out) batches of other account periods; also this-month, last-month.",
        ),
    ] = None
    max_total: Annotated[
        Annotated[Decimal, BeforeValidator(_money), PlainSerializer(str)] | None,
        Knob("--max-total", "BATCH_CLOSER_MAX_TOTAL", "MONEY", "Hold a batch whose total is larger."),
    ] = None
    quiet_for_s: Annotated[
        NotNegative | None,
        Knob(
            "--quiet-for",
            "BATCH_CLOSER_QUIET_FOR",
            "S",
            "Hold a batch that changes between two looks S seconds apart, or is younger than that.",
        ),
    ] = None
    wait_analyzing_s: Annotated[
        NotNegative,
        Knob(
            "--wait-analyzing",
            "BATCH_CLOSER_WAIT_ANALYZING",
            "S",
            "Look again for up to S seconds until a batch's bills are analysed.",
        ),
    ] = 0.0
    max_batches: Annotated[
        Count | None,
        Knob("--max-batches", "BATCH_CLOSER_MAX_BATCHES", "N", "Refuse a run of more batches than this."),
    ] = None

    def told(self) -> list[str]:
        """The flags of what was asked for that only a look at the batches can tell."""
        asked = {
            "--period": self.period,
            "--max-total": self.max_total,
            "--quiet-for": self.quiet_for_s,
            "--wait-analyzing": self.wait_analyzing_s or None,
        }
        return [flag for flag, value in asked.items() if value is not None]


def bounds_of(guards: _Guards, bounds: BoundSettings, today: date, identity: Identity | None) -> Bounds:
    """What the guards are told, now that it is known whose the key is."""
    return Bounds(
        actions=guards.actions,
        period=period_of(bounds, today),
        max_total=bounds.max_total,
        quiet_for_s=bounds.quiet_for_s,
        user_id=identity.user_id if identity else None,
        may_manage=identity.may_manage if identity else None,
    )


def today() -> date:
    """The day on this machine, for this-month and last-month."""
    return datetime.now(UTC).astimezone().date()


def period_of(bounds: BoundSettings, today: date) -> Period | None:
    """The account period that is asked for."""
    return None if bounds.period is None else parse_period(bounds.period, today)
