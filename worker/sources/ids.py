"""What is a batch id, and which column or key holds it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID

BLANKS = " \t"
KNOWN_COLUMNS = ("batchId", "batch_id", "id")
"""The names that hold an id when no column was asked for, the preferred one first."""

_MAX_DIGITS = len(str(MAX_BATCH_ID))


def in_range(number: int) -> bool:
    """Tell whether the number can be a batch id."""
    return MIN_BATCH_ID <= number <= MAX_BATCH_ID


def parse_id(text: str) -> int | None:
    """Read a batch id: ASCII digits, leading zeros and blanks around them allowed; None if it is none."""
    digits = text.strip(BLANKS)
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0")
    if not digits or len(digits) > _MAX_DIGITS:  # int() of very many digits raises
        return None
    number = int(digits)
    return number if in_range(number) else None


def find_column(names: Sequence[str], column: str | None) -> list[int]:
    """Say where the id stands among the names: empty if nowhere, several if it can't be told.

    ``column`` replaces the known names. Letter case counts only where it tells two such columns apart.
    """
    stripped = [name.strip() for name in names]
    folded = [name.casefold() for name in stripped]
    for wanted in KNOWN_COLUMNS if column is None else (column.strip(),):
        found = [at for at, name in enumerate(folded) if name == wanted.casefold()]
        exact = [at for at in found if column is not None and stripped[at] == wanted]
        if found:
            return exact if len(exact) == 1 else found
    return []


def is_id_name(name: str, column: str | None) -> bool:
    """Tell whether a column or key of this name may hold the id."""
    return bool(find_column([name], column))


def wanted_names(column: str | None) -> str:
    """Name the columns that are looked for, for a message."""
    return f"'{column}'" if column is not None else "batchId, batch_id or id"
