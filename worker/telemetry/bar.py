"""The live progress bar: one line at the foot of the terminal, drawn by rich four times a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.telemetry.log import Log
from worker.telemetry.pace import View

_PER_S = 4
_ECHO = len("^C")  # a terminal shows the key at the end of the bar; on a full line it would begin another


class Bar:
    """Owns the last line of ``terminal`` from start to stop; the log's console lines go above it."""

    def __init__(self, terminal: TextIO, look: Callable[[], tuple[float, View]], log: Log) -> None:
        self._look, self._log = look, log
        self._console = Console(file=cast("TextIO", log.shielded(terminal)), force_jupyter=False)
        self._live = Live(
            get_renderable=self._line,
            console=self._console,
            refresh_per_second=_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        """Show the bar."""
        self._log.above_bar(self._print)
        self._live.start(refresh=True)

    def stop(self) -> None:
        """Leave the bar as it stands, and give the terminal back."""
        try:
            self._live.stop()
        finally:
            self._log.above_bar(None)

    def _print(self, line: str) -> None:
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def _line(self) -> RenderableType:
        share, view = self._look()
        return bar_line(share, view, self._console.width - _ECHO)


def bar_line(share: float, view: View, width: int) -> RenderableType:
    """The bar and its words in ``width`` cells; the counts are cut first if there is no room."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.width = width
    words = (view.done, view.pace, view.left)
    bar_width = max(4, min(24, (width - 50) // 3))
    table.add_column(width=bar_width)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    done, pace, left = (Text(word, no_wrap=True) for word in words)
    counts = Text(view.counts, no_wrap=True, overflow="ellipsis", style="dim")
    table.add_row(ProgressBar(total=1.0, completed=share, width=bar_width), done, counts, pace, left)
    return table
