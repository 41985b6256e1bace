"""A console of rich that writes the same wherever it runs, and takes no text for markup."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rich takes its time to load, and most verbs never show a summary
    from rich.console import Console


def console_of(out: io.StringIO, *, colour: bool, width: int) -> Console:
    """A console that writes lines of at most ``width`` cells to ``out``."""
    from rich.console import Console

    return Console(
        file=out,
        width=width,
        force_terminal=colour,
        force_jupyter=False,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
