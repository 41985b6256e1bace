"""Files are private, whole, and grow by whole lines."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from worker.report.results import ResultsFile, replaced, write_results
from worker.words.errors import BatchCloserError

from .support import result

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


@posix
def test_private(tmp_path: Path) -> None:
    """Folders made on the way are 0700 and files 0600."""
    path = tmp_path / "state" / "runs" / "r1" / "results.jsonl"
    with ResultsFile(path) as file:
        file.write([b"{}\n"])
    write_results(path.with_name("other.jsonl"), [result(1)])
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (path, path.with_name("other.jsonl"))}
    folders = {stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path.parent.parent, tmp_path / "state")}
    assert (modes, folders) == ({0o600}, {0o700})


@pytest.mark.parametrize("torn", [b'{"torn', b"x" * 200_000])
def test_torn_line(tmp_path: Path, torn: bytes) -> None:
    """A last line that a crash left half-written is cut off before more is appended."""
    path = tmp_path / "results.jsonl"
    for before in (b"", b"1\n2\n"):
        path.write_bytes(before + torn)
        with ResultsFile(path) as file:
            file.write([b"3\n", b"4\n"])
            assert path.read_bytes() == before + b"3\n4\n"


def test_all_or_nothing(tmp_path: Path) -> None:
    """A file that is replaced keeps its old content if writing fails, and nothing is left beside it."""
    path = tmp_path / "summary.json"
    path.write_text("old")

    def fail() -> None:
        with replaced(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replaced(path) as file:
        file.write(b"new")
    assert path.read_text() == "new"


def test_not_writable(tmp_path: Path) -> None:
    """A path that can't be written is one line that names it and the way to have the files after all."""
    (tmp_path / "r1").write_text("a file where the folder should be")
    with pytest.raises(
        BatchCloserError, match=r"results.jsonl can't be written: .*batch-closer runs report r1"
    ):
        ResultsFile(tmp_path / "r1" / "results.jsonl")


@posix
def test_no_room(tmp_path: Path) -> None:
    """Where there is no room for a block, none of it stays, and what was written before does."""
    import resource

    path = tmp_path / "results.jsonl"
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ResultsFile(path) as file:
        file.write([b"1\n"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(BatchCloserError, match="can't be written"):
                file.write([b"x" * 600 + b"\n", b"y" * 600 + b"\n"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == b"1\n"
        file.write([b"2\n"])
    assert path.read_bytes() == b"1\n2\n"
