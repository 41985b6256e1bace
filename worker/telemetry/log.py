"""The log: structlog in front, log.jsonl and standard error behind, and no global configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeAlias

import orjson
import structlog

from worker.rules.summary import instant
from worker.telemetry.render import console_renderer, json_line, terminal_safe
from worker.telemetry.sinks import Broken, FileSink, Shield, StreamSink
from worker.telemetry.terminal import colours

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["console", "json"]
Event: TypeAlias = dict[str, Any]

RANK: Final[dict[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SETTLED: Final = b'{"timestamp":"%b","level":"%b","event":"batch.settled",%b'
_KEPT: Final = 1000  # lines kept for a log.jsonl that is opened later


class Log:
    """Events with stable dotted names, as JSON lines in a file and as ``fmt`` says on standard error.

    A sink that fails (disk full, reader gone) is given up and noted in ``broken``; nothing is raised.
    To be used from one thread.
    """

    def __init__(self, stream: StreamSink, level: Level, broken: Broken, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._stream_rank = RANK[level]
        self._file: FileSink | None = None
        self._file_rank = min(RANK["info"], self._stream_rank)
        self._early: list[bytes] = []
        self._lost = 0
        self._broken = broken
        self._clock = clock
        self._gathered_at: bytes | None = None  # one instant for all that is written together
        self._above_bar: Callable[[str], None] | None = None
        self._logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            _Fanout(self._emit),
            processors=[_stamp(clock)],
            wrapper_class=structlog.make_filtering_bound_logger(self._file_rank),
            context_class=dict,
        ).bind()

    def debug(self, event: str, **fields: object) -> None:
        """Log an event for those who look into the program."""
        self._logger.debug(event, **fields)

    def info(self, event: str, **fields: object) -> None:
        """Log an event of normal work."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log an event that somebody may have to look at."""
        self._logger.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Log an event that stops the run."""
        self._logger.error(event, **fields)

    def settled(self, line: bytes, *, fine: bool) -> None:
        """Log ``batch.settled`` with the fields of a line of JSON, at info if that is fine, else at warning.

        There is one for every batch, so what was made for results.jsonl is used again as it is.
        """
        level = "info" if fine else "warning"
        rank = RANK[level]
        at = self._gathered_at or instant(self._clock()).encode()
        whole = _SETTLED % (at, level.encode(), line[1:])
        if rank >= self._file_rank:
            self._record(whole)
        if rank < self._stream_rank:
            return
        if self._above_bar is None:
            self._stream.write_line(whole)
        elif not fine:
            self._above_bar(self._stream.render(orjson.loads(whole)))

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Within this, lines are written together at the end, and batches are settled at one instant."""
        sinks = [sink for sink in (self._stream, self._file) if sink is not None]
        for sink in sinks:
            sink.gather()
        self._gathered_at = instant(self._clock()).encode()
        try:
            yield
        finally:
            self._gathered_at = None
            for sink in sinks:
                sink.release()

    @property
    def broken(self) -> tuple[str, ...]:
        """One line for each sink that failed and was given up."""
        return tuple(self._broken.notes)

    def add_file(self, path: Path) -> None:
        """Append to ``path`` (0600) from now on, beginning with what was logged so far."""
        self._file = FileSink(path, self._broken)
        early, self._early = self._early, []
        for line in early:
            self._file.write(line)
        if self._lost:
            self.warning("log.lines_lost", count=self._lost)
            self._lost = 0

    def shielded(self, terminal: TextIO) -> Shield:
        """``terminal`` as a stream that never raises; a failure is noted in ``broken``."""
        return Shield(terminal, self._broken)

    def above_bar(self, printer: Callable[[str], None] | None) -> None:
        """While a live bar owns the terminal, hand console lines to ``printer``, which puts them above it.

        ``batch.settled`` at info is then left to the bar. None ends it.
        """
        self._above_bar = printer

    def close(self) -> None:
        """Close log.jsonl; standard error stays open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _emit(self, event: Event) -> None:
        rank = RANK[event["level"]]
        if rank >= self._file_rank:
            self._record(json_line(event))
        if rank >= self._stream_rank or (self._stream_rank == RANK["warning"] and _is_sign_of_life(event)):
            self._show(event)

    def _record(self, line: bytes) -> None:
        if self._file is not None:
            self._file.write(line)
        elif len(self._early) < _KEPT:
            self._early.append(line)
        else:
            self._lost += 1

    def _show(self, event: Event) -> None:
        if self._above_bar is None:
            self._stream.write(event)
        else:
            self._above_bar(self._stream.render(event))


def _is_sign_of_life(event: Event) -> bool:
    """A line now and then: who wants to see warnings alone still wants to see that the run is alive."""
    return bool(event["event"] == "run.progress")


class _Fanout:
    """What structlog takes for the logger at the end of its chain: every level goes to one function."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.debug = self.info = self.warning = self.error = emit


def _stamp(clock: Callable[[], float]) -> structlog.typing.Processor:
    """The one processor: timestamp, level and event first, then the fields."""

    def stamp(_logger: object, level: str, event: Any) -> tuple[tuple[Event], dict[str, Any]]:
        head = {"timestamp": instant(clock()), "level": level, "event": event.pop("event")}
        return (head | event,), {}

    return stamp


def open_log(
    stderr: TextIO,
    file_path: Path | None = None,
    level: Level = "info",
    fmt: Format = "json",
    *,
    clock: Callable[[], float] = time.time,
) -> Log:
    """A log on ``stderr`` from ``level`` up, and in ``file_path`` from info up or lower.

    The file may be added later (``add_file``). Console lines are coloured on a terminal alone, and
    not if NO_COLOR is set. ``clock`` gives Unix times.
    """
    broken = Broken()
    if fmt == "console":
        stream = StreamSink(stderr, console_renderer(colours(stderr)), broken)
    else:
        stream = StreamSink(stderr, lambda event: terminal_safe(json_line(event)), broken, terminal_safe)
    log = Log(stream, level, broken, clock)
    if file_path is not None:
        log.add_file(file_path)
    return log
