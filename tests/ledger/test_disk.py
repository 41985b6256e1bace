"""A disk that is really full, or read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from worker.ledger import LedgerWriter, open_ledger
from worker.words.errors import LedgerError
from worker.words.model import Outcome

from .support import kept, listed, new_run, planned

MIB = 1024 * 1024
BALLAST = MIB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    point = tmp_path / "disk"
    point.mkdir()
    if not sys.platform.startswith("linux"):
        pytest.skip("a small tmpfs can be mounted on Linux only")
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(point)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode != 0:
        pytest.skip(f"a small tmpfs can't be mounted: {mounted.stderr.strip()}")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


def fill(disk: Path) -> Path:
    """Take all room that is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (64 * 1024, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def remount_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


async def fail_an_intent(writer: LedgerWriter, seqs: Sequence[int]) -> LedgerError:
    """Record intents until there is no room for one."""
    for seq in seqs:
        try:
            await writer.intend(seq, 1, 5.0)
        except LedgerError as error:
            return error
    raise AssertionError("the disk never filled up")


async def test_a_full_disk_refuses_intents_and_still_takes_results(disk: Path) -> None:
    """Intents fail in one line with the remedy; what was in flight is recorded in the room kept aside."""
    run, session = planned(disk / "state", range(1, 2001))
    durable: list[object] = []
    failures: list[LedgerError] = []
    async with LedgerWriter(
        disk / "state",
        session,
        on_durable=durable.extend,
        on_failure=failures.append,
        ballast_bytes=BALLAST,
    ) as writer:
        seqs = range(run.first_seq, run.last_seq + 1)
        for seq in seqs[:32]:
            await writer.intend(seq, 1, 5.0)
        fill(disk)
        error = await fail_an_intent(writer, seqs[32:])
        assert "no room left" in str(error)
        state = disk / "state"
        assert f"make room, then continue with `batch-closer resume --state {state}`" in str(error)
        assert "\n" not in str(error)
        with pytest.raises(LedgerError, match="no room left"):
            await writer.intend(seqs[-1], 1, 5.0)
        for seq in seqs[:32]:
            writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r" * 700), token=seq)
            await writer.flush()
        assert durable == list(seqs[:32])
    assert writer.unrecorded == ()
    assert [str(failure) for failure in failures] == [str(writer.failed)]
    with open_ledger(disk / "state") as store:
        assert store.tally(run) == {Outcome.CLOSED: 32}
        assert store.pending(run, after_seq=0, limit=1)[0].seq == seqs[32]


async def test_results_that_share_a_commit_with_a_refused_intent_are_recorded(disk: Path) -> None:
    """The commit that meets the full disk saves its results before anyone hears of the failure."""
    run, session = planned(disk / "state", range(1, 2001))
    durable: list[object] = []
    async with LedgerWriter(
        disk / "state", session, on_durable=durable.extend, ballast_bytes=BALLAST
    ) as writer:
        fill(disk)
        for seq in range(run.first_seq, run.last_seq + 1):
            writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r" * 5000), token=seq)
            try:
                await writer.intend(seq, 1, 5.0)
            except LedgerError:
                break
        assert durable == list(range(run.first_seq, seq + 1))


async def test_results_that_find_no_room_wait_for_it(disk: Path) -> None:
    """Without even the ballast results stay queued, are named, and are recorded once there is room."""
    run, session = planned(disk / "state", range(1, 2001))
    durable: list[object] = []
    async with LedgerWriter(
        disk / "state", session, on_durable=durable.extend, ballast_bytes=BALLAST
    ) as writer:
        seqs = range(run.first_seq, run.last_seq + 1)
        (disk / "state" / "ledger.ballast").unlink()
        filler = fill(disk)
        await fail_an_intent(writer, seqs)
        for seq in seqs[:3]:
            writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r" * 200_000), token=seq)
        await writer.flush()
        assert writer.unrecorded == tuple(seqs[:3])
        assert durable == []
        filler.unlink()
        await writer.flush()
        assert durable == list(seqs[:3])
    assert writer.unrecorded == ()
    async with LedgerWriter(disk / "state", session, ballast_bytes=BALLAST) as writer:
        assert (disk / "state" / "ledger.ballast").stat().st_size == BALLAST
        await writer.intend(seqs[-1], 1, 5.0)


async def test_a_disk_full_to_the_end_closes_in_peace(disk: Path) -> None:
    """Closing raises nothing, names what is unrecorded, and what was durable before is still there."""
    run, session = planned(disk / "state", range(1, 2001))
    async with LedgerWriter(disk / "state", session, ballast_bytes=BALLAST) as writer:
        seqs = range(run.first_seq, run.last_seq + 1)
        writer.settle(seqs[0], Outcome.CLOSED, final=True, record=kept(b"r" * 100_000), token="kept")
        await writer.flush()
        (disk / "state" / "ledger.ballast").unlink()
        filler = fill(disk)
        await fail_an_intent(writer, seqs)
        writer.settle(seqs[1], Outcome.CLOSED, final=True, record=kept(b"r" * 200_000), token="lost")
    assert writer.unrecorded == ("lost",)
    filler.unlink()
    with open_ledger(disk / "state") as store:
        assert store.tally(run) == {Outcome.CLOSED: 1}
        assert len(next(store.results(run)).record or b"") == 100_000


async def test_a_run_does_not_start_on_a_full_disk(disk: Path) -> None:
    """Neither planning nor opening the writer succeeds, and each says that there is no room."""
    _, session = planned(disk / "state", [1])
    filler = fill(disk)
    with pytest.raises(LedgerError, match="room"), open_ledger(disk / "state") as store:
        store.plan(new_run("big"), listed(range(1, 100_000)))
    os.truncate(filler, filler.stat().st_size - BALLAST // 2)  # enough for all but the ballast
    with pytest.raises(LedgerError, match="room"):
        async with LedgerWriter(disk / "state", session, ballast_bytes=BALLAST):
            pass
    assert not (disk / "state" / "ledger.ballast").exists()


async def test_a_disk_that_turns_read_only_refuses_intents(disk: Path) -> None:
    """An intent on a read-only disk fails in one line, and so does opening the ledger."""
    run, session = planned(disk / "state", [1, 2])
    remount_read_only(disk)
    with pytest.raises(LedgerError) as caught:
        async with LedgerWriter(disk / "state", session, ballast_bytes=BALLAST) as writer:
            await writer.intend(run.first_seq, 1, 5.0)
    assert "\n" not in str(caught.value)
    with pytest.raises(LedgerError), open_ledger(disk / "new"):
        pass
