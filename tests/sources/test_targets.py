"""Arguments, files, pipes and standard input, in any mix."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from worker.sources import Listed, read_targets
from worker.words.errors import InputError
from worker.words.model import Rejected

from .support import brief, packed, stream_of


def test_a_mix_keeps_its_order(tmp_path: Path) -> None:
    """Arguments, files and standard input come out in the order they were given, each with its place."""
    file = tmp_path / "ids.txt"
    file.write_text("# c\n5\nx\n", "utf-8")
    found = list(read_targets(["7", str(file), "0", "-", "0008"], column=None, stdin=io.BytesIO(b"[6]")))
    assert found == [
        Listed(7, "arguments", 1),
        Listed(5, str(file), 2),
        Rejected(str(file), 3, "x"),
        Rejected("arguments", 3, "0"),
        Listed(6, "stdin", 1),
        Listed(8, "arguments", 5),
    ]


@pytest.mark.parametrize("target", ["2147483648", "0", "9" * 5000])
def test_an_argument_out_of_range(target: str) -> None:
    """Digits that can't be a batch id are rejected, never taken for a file."""
    (found,) = read_targets([target], column=None, stdin=io.BytesIO())
    assert isinstance(found, Rejected)


@pytest.mark.parametrize("name", ["ids.csv.gz", "ids.xlsx", "batch ids", "ids.json", "\u00efds.txt"])
def test_the_name_says_nothing_about_the_format(tmp_path: Path, name: str) -> None:
    """A file is known by what is in it."""
    file = tmp_path / name
    file.write_bytes(packed("x;batchId\n\u00e9;12\n".encode("utf-16")))
    assert brief(read_targets([str(file)], column=None, stdin=io.BytesIO())) == [(2, 12)]


def test_a_name_like_a_windows_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path with backslashes and a drive is a file, and its name is kept as given."""
    monkeypatch.chdir(tmp_path)
    name = r"bills\ids.txt"
    Path("bills").mkdir()
    Path(name).write_text("12\n", "utf-8")
    assert list(read_targets([name], column=None, stdin=io.BytesIO())) == [Listed(12, name, 1)]
    with pytest.raises(InputError, match=r"C:\\bills\\gone\.txt: no such file"):
        list(read_targets([r"C:\bills\gone.txt"], column=None, stdin=io.BytesIO()))


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["gone.csv"], "gone.csv: no such file; check the name"),
        (["+12"], r"\+12: no such file"),
        (["\uff11\uff12"], "no such file"),
        (["."], r"\.: is a folder"),
        (["a\0b"], "can't be opened"),
        (["x" * 5000], "can't be opened"),
        ([""], "a target is empty"),
        (["-", "1", "-"], "named twice"),
    ],
)
def test_what_can_not_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, targets: list[str], words: str
) -> None:
    """A target that is neither an id nor a file to be read stops the reading with one line."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        list(read_targets(targets, column=None, stdin=io.BytesIO()))
    assert "\n" not in str(caught.value)


def test_a_file_without_permission(tmp_path: Path) -> None:
    """A file that may not be read stops the reading."""
    file = tmp_path / "ids.txt"
    file.write_text("12\n", "utf-8")
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(InputError, match="permission"):
        list(read_targets([str(file)], column=None, stdin=io.BytesIO()))


def test_a_name_that_is_a_secret_or_unprintable() -> None:
    """The key given as a file name by mistake is not repeated, and any name can be encoded afterwards."""
    hide = {"redact": lambda text: text.replace("SECRET", "***")}
    for name in ("SECRET", "a\nb\udcff"):
        with pytest.raises(InputError) as caught:
            list(read_targets([name], column=None, stdin=io.BytesIO(), **hide))
        assert "SECRET" not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert str(caught.value).encode()


@pytest.mark.parametrize(
    "data", [b"12\n13\n", b"[12,13]", packed(b"id\n12\n13\n"), "12\n13".encode("utf-16")]
)
def test_a_pipe_that_gives_a_byte_at_a_time(data: bytes) -> None:
    """The format is recognised by peeking alone, however slowly the bytes come."""
    pipe = stream_of(data[at : at + 1] for at in range(len(data)))
    found = list(read_targets(["-"], column=None, stdin=pipe))
    assert [entry[0] for entry in found] == [12, 13]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made by POSIX systems only")
def test_a_named_pipe(tmp_path: Path) -> None:
    """A target may be a named pipe, as the shell's <(...) makes one."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(b"id\n12\n"))
    writer.start()
    assert brief(read_targets([str(fifo)], column=None, stdin=io.BytesIO())) == [(2, 12)]
    writer.join()


class _Broken:
    def __init__(self, answer: Exception | None) -> None:
        self.answer = answer

    def read(self, n: int) -> bytes | None:
        if self.answer is None:
            return None
        raise self.answer


@pytest.mark.parametrize("answer", [OSError(5, "Input/output error"), ValueError("closed"), None])
def test_a_stream_that_fails(answer: Exception | None) -> None:
    """A read error stops the reading, and is never taken for the end of the input."""
    with pytest.raises(InputError, match="stdin: can't be read"):
        list(read_targets(["-"], column=None, stdin=cast("BinaryIO", _Broken(answer))))


def test_nothing_is_given() -> None:
    """No targets, no entries."""
    assert list(read_targets([], column=None, stdin=io.BytesIO(b"12"))) == []
