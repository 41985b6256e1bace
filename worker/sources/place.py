"""The records that come out of a source, and the one place where its text is made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from worker.sources.control import NO_CONTROL, Read
from worker.words.errors import InputError
from worker.words.model import Batch, Control, Rejected

MAX_TEXT = 200
_MAX_MESSAGE = 1000
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # zero width, direction, line separators, BOM
    "\ud800-\udfff]"  # lone surrogates, which no output can encode
)


class Listed(NamedTuple):
    """A batch id as the input named it. Duplicates are passed on."""

    batch_id: int
    source: str  # a file's name as given, "stdin" or "arguments"
    line: int  # from 1: the physical line, the element of a JSON array, or the argument
    expected_bills: int | None = None  # control totals, where the input has them
    expected_total: Decimal | None = None
    before: Batch | None = None  # as a plan saw it

    @property
    def controls(self) -> tuple[Control, ...]:
        """What its line expects of the batch."""
        control = Control(self.expected_bills, self.expected_total)
        return () if control == Control() else (control,)


Entry = Listed | Rejected


def printable(text: str, limit: int | None = None) -> str:
    """Replace what can't be seen or can't be encoded, and shorten to at most ``limit`` characters."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True, slots=True)
class Source:
    """A source by the name that is shown, the column asked for, and what hides a secret in its text."""

    name: str
    column: str | None
    redact: Callable[[str], str]

    @classmethod
    def of(cls, name: str, column: str | None, redact: Callable[[str], str]) -> Source:
        """Name a source; the name is made fit to be shown here, once."""
        return cls(printable(redact(name)), column, redact)

    def rejected(self, line: int, text: str) -> Rejected:
        """Record text that is no batch id. It is redacted before it is shortened, so no half key is left."""
        return Rejected(self.name, line, printable(self.redact(text), MAX_TEXT))

    def entry(self, line: int, batch_id: int | None, text: str, control: Read = NO_CONTROL) -> Entry:
        """Record an id with its control totals, or the text that stood in the place of either."""
        if batch_id is None:
            return self.rejected(line, text)
        if control.unreadable is not None:  # ignored, it would let through what it was meant to hold
            return self.rejected(line, control.unreadable)
        return Listed(batch_id, self.name, line, control.bills, control.total)

    def error(self, what: str, line: int | None = None) -> InputError:
        """Make the one-line error that stops the reading; ``what`` ends with the remedy."""
        name = printable(self.name, MAX_TEXT)
        where = name if line is None else f"{name}, line {line}"
        return InputError(printable(self.redact(f"{where}: {what}"), _MAX_MESSAGE))
