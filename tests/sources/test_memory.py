"""Memory does not grow with the input."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import pytest

from worker.sources import read_targets
from worker.words.errors import InputError

from .support import stream_of

MIB = 1 << 20


def _counted(template: bytes, batches: int) -> Iterator[bytes]:
    for first in range(1, batches, 100):
        yield b"".join(template % number for number in range(first, first + 100))


def _peak(pieces: Iterable[bytes]) -> tuple[int, int]:
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_targets(["-"], column=None, stdin=stream_of(pieces)))
        return count, tracemalloc.get_traced_memory()[1]
    except InputError:
        return -1, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("head", "template"),
    [(b"", b"%d\n"), (b"id,x\n", b"%d,abc\n"), (b"[0", b",%d"), (b"", b'{"batchId": %d}\n')],
    ids=["lines", "table", "array", "json-lines"],
)
def test_many_ids(head: bytes, template: bytes) -> None:
    """Tens of thousands of ids take no more memory than a few pieces of the input."""
    end = b"]" if head.startswith(b"[") else b""
    batches = 50_000
    count, peak = _peak(chain((head,) if head else (), _counted(template, batches), (end,)))
    assert count >= batches
    assert peak < 3 * MIB


@pytest.mark.parametrize(
    "piece", [b"1" * 8192, b"[" * 8192, b" " * 8192, b"\0" * 8192], ids=lambda piece: repr(piece[:1])
)
def test_a_line_without_end(piece: bytes) -> None:
    """Sixteen megabytes without a line end or a finished value are not gathered."""
    _, peak = _peak(repeat(piece, 2048))
    assert peak < 8 * MIB
