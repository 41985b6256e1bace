"""Where log lines end up. A sink never raises: it notes once that it is broken, then is silent."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, TextIO, TypeVar

import orjson

_T = TypeVar("_T")
_FAILURES: Final = (OSError, ValueError)  # ValueError: the file is closed, or can't encode the text
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


@dataclass(slots=True)
class Broken:
    """The sinks that failed, a line each."""

    notes: list[str] = field(default_factory=list)

    def note(self, name: str, error: Exception) -> None:
        """Say that the sink ``name`` is given up because of ``error``."""
        why = error.strerror if isinstance(error, OSError) else None
        self.notes.append(f"{name} is not written any more: {why or type(error).__name__}")


class FileSink:
    """log.jsonl: bytes appended without buffering, so that a killed process loses nothing."""

    def __init__(self, path: Path, broken: Broken) -> None:
        self._name, self._broken = str(path), broken
        self._file: IO[bytes] | None = None
        self._gathered: list[bytes] | None = None
        try:
            self._file = os.fdopen(os.open(path, _APPEND, 0o600), "ab", buffering=0)
        except _FAILURES as error:
            broken.note(self._name, error)

    def write(self, line: bytes) -> None:
        """Append a line that has its newline."""
        if self._gathered is not None:
            self._gathered.append(line)
        else:
            self._append(line)

    def gather(self) -> None:
        """Keep lines back until ``release``, so that many cost one call of the operating system."""
        self._gathered = []

    def release(self) -> None:
        """Append what was kept back."""
        lines, self._gathered = self._gathered, None
        if lines:
            self._append(b"".join(lines))

    def _append(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            written = self._file.write(line)
            if written < len(line):
                self._file.write(line[written:])  # says why, if the disk is full
        except _FAILURES as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._give_up(None)

    def _give_up(self, error: Exception | None) -> None:
        file, self._file = self._file, None
        if error is not None:
            self._broken.note(self._name, error)
        try:
            if file is not None:
                file.close()
        except _FAILURES as failure:
            if error is None:
                self._broken.note(self._name, failure)


class StreamSink:
    """Standard error, flushed after each line, or after those that were gathered.

    ``render_line`` does for an event's line of JSON what ``render`` does for the event.
    """

    def __init__(
        self,
        stream: TextIO,
        render: Callable[[dict[str, Any]], str],
        broken: Broken,
        render_line: Callable[[bytes], str] | None = None,
    ) -> None:
        self._shield = Shield(stream, broken)
        self._gathered: list[str] | None = None
        self.render = render
        self._render_line = render_line or (lambda line: render(orjson.loads(line)))

    def write(self, event: dict[str, Any]) -> None:
        """Show an event."""
        if not self._shield.dead:
            self._write(self.render(event))

    def write_line(self, line: bytes) -> None:
        """Show an event whose line of JSON is at hand."""
        if not self._shield.dead:
            self._write(self._render_line(line))

    def _write(self, text: str) -> None:
        if self._gathered is not None:
            self._gathered.append(text)
            return
        self._shield.write(text + "\n")
        self._shield.flush()

    def gather(self) -> None:
        """Keep lines back until ``release``."""
        self._gathered = []

    def release(self) -> None:
        """Show what was kept back."""
        texts, self._gathered = self._gathered, None
        if texts:
            self._write("\n".join(texts))


class Shield:
    """A text stream that may fail without harm; what rich needs of a file is passed on."""

    def __init__(self, stream: TextIO, broken: Broken) -> None:
        self._stream, self._broken = stream, broken
        self.dead = False
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write, or note the failure and be silent from then on."""
        return self._try(lambda: self._stream.write(text)) or len(text)

    def flush(self) -> None:
        """Flush, or note the failure and be silent from then on."""
        self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return bool(self._try(self._stream.isatty))

    def fileno(self) -> int:
        """The stream's descriptor. Raises OSError if it has none."""
        return self._stream.fileno()

    def _try(self, act: Callable[[], _T]) -> _T | None:
        if self.dead:
            return None
        try:
            return act()
        except _FAILURES as error:
            self.dead = True
            self._broken.note("standard error", error)
            return None
