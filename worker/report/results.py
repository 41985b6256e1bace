"""Files that only their owner can read: results.jsonl, which grows, and those replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Final, Self

from worker.report.lines import line_of
from worker.words.errors import BatchCloserError
from worker.words.model import Result

_BLOCK: Final = 65536
_APPEND: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


def private_folder(folder: Path) -> None:
    """Make a folder, and the missing ones above it, for its owner alone (0700 where there are such modes).

    A folder that is there keeps the mode it has. Raises OSError.
    """
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


class ResultsFile:
    """results.jsonl, appended to. Whole lines only: a half-written last line is cut off.

    Every method raises BatchCloserError, in one line, if the file can't be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told(path):
            private_folder(path.parent)
            self._file = os.fdopen(os.open(path, _APPEND, 0o600), "r+b", buffering=0)
            try:
                self._size = _end_of_last_line(self._file)
                self._file.truncate(self._size)
            except OSError:
                self._file.close()
                raise

    def write(self, lines: list[bytes]) -> None:
        """Hand lines, each with its newline, to the operating system before returning."""
        block = memoryview(b"".join(lines))
        size = self._size + len(block)
        with _told(self._path):
            try:
                while block:
                    block = block[self._file.write(block) :]
            except OSError:
                with suppress(OSError):
                    self._file.truncate(self._size)
                raise
        self._size = size

    def close(self) -> None:
        """Close the file, its content on the disk."""
        with _told(self._path), self._file:
            if not self._file.closed:
                os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Write results.jsonl anew from the results of a run. Raises BatchCloserError."""
    with replaced(path) as file:
        file.writelines(line_of(result) for result in results)


@contextmanager
def replaced(path: Path, remedy: str | None = None) -> Iterator[BinaryIO]:
    """A file to write that takes ``path``'s place as a whole at the end, or not at all.

    Raises BatchCloserError, with the remedy (for a run's file it is known), if it can't be written.
    """
    with _told(path, remedy):
        private_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


@contextmanager
def _told(path: Path, remedy: str | None = None) -> Iterator[None]:
    """Turn the operating system's errors into one line that names the file and the remedy."""
    try:
        yield
    except OSError as error:
        again = f"`batch-closer runs report {path.parent.name}` writes the files of the run again"
        raise BatchCloserError(
            f"{path} can't be written: {error.strerror or type(error).__name__}; "
            f"{remedy or f'once that is put right, {again}'}"
        ) from None


def _end_of_last_line(file: IO[bytes]) -> int:
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        if (newline := file.read(end - start).rfind(b"\n")) >= 0:
            return start + newline + 1
        end = start
    return 0
