"""The asyncio face of the ledger."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from worker.ledger import LedgerWriter, open_ledger
from worker.ledger.group import Group
from worker.ledger.journal import Journal, Recorded
from worker.words.errors import LedgerError
from worker.words.model import Outcome

from .support import SMALL_BALLAST, kept, planned

moves_files_in_use = pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of a file in use")


async def test_an_intent_is_there_for_another_reader_when_it_resolves(tmp_path: Path) -> None:
    """What was awaited another connection sees at once, with the first attempt's instant kept."""
    run, session = planned(tmp_path, [10, 20])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        with open_ledger(tmp_path) as store:
            await writer.intend(run.first_seq, 1, 5.0)
            await writer.intend(run.first_seq, 2, 9.0)
            first, second = store.pending(run, after_seq=0, limit=9)
            assert (first.batch_id, first.attempts, first.first_attempt_at) == (10, 2, 5.0)
            assert (second.batch_id, second.attempts, second.first_attempt_at) == (20, 0, None)


async def test_tokens_come_back_in_order_once_durable(tmp_path: Path) -> None:
    """on_durable gets each token once, in the order of settle, when another reader sees the result."""
    run, session = planned(tmp_path, range(1, 501))
    told: list[object] = []
    unseen: list[object] = []
    with open_ledger(tmp_path) as store:

        def durable(tokens: Sequence[object]) -> None:
            told.extend(tokens)
            if store.tally(run).get(Outcome.CLOSED, 0) < len(told):
                unseen.extend(tokens)

        async with LedgerWriter(tmp_path, session, on_durable=durable, ballast_bytes=SMALL_BALLAST) as writer:
            for seq in range(run.first_seq, run.last_seq + 1):
                writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=seq)
                if seq % 50 == 0:
                    await writer.intend(seq, 1, 5.0)
        assert told == list(range(run.first_seq, run.last_seq + 1))
        assert unseen == []
        assert store.pending(run, after_seq=0, limit=9) == []


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many intents each commit held."""
    sizes: list[int] = []
    record = Journal.record

    def counted(journal: Journal, group: Group) -> object:
        sizes.append(len(group.waiting))
        return record(journal, group)

    monkeypatch.setattr(Journal, "record", counted)
    return sizes


async def test_all_that_wait_share_one_commit(tmp_path: Path, sizes: list[int]) -> None:
    """Intents and results of one turn of the event loop are one group; the next gathers meanwhile."""
    run, session = planned(tmp_path, range(1, 301))
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        await asyncio.gather(*(writer.intend(run.first_seq + n, 1, 5.0) for n in range(300)))
    assert sizes[0] == 300
    assert sum(sizes) == 300


async def test_when_all_closers_wait_nothing_is_waited_for(
    tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can come, so the commit begins although the last one began a moment ago."""
    monkeypatch.setattr("worker.ledger.writer.EVERY_S", 20.0)
    run, session = planned(tmp_path, range(1, 10))
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST, closers=3) as writer:
        for first in range(run.first_seq, run.last_seq, 3):
            async with asyncio.timeout(10.0):
                await asyncio.gather(*(writer.intend(first + n, 1, 5.0) for n in range(3)))
        monkeypatch.setattr("worker.ledger.writer.EVERY_S", 0.0)
    assert sizes[:3] == [3, 3, 3]


async def test_while_the_disk_writes_what_is_durable_already_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all closers go on at once their next commit leaves the time to tell, and comes back after it."""
    monkeypatch.setattr("worker.ledger.writer.LATE_S", 3600.0)
    run, session = planned(tmp_path, [1, 2])
    told: list[object] = []
    is_told = threading.Event()

    def tell(tokens: Sequence[object]) -> None:
        told.extend(tokens)
        is_told.set()

    commit = Journal.record

    def slow(journal: Journal, group: Group) -> Recorded:
        recorded = commit(journal, group)
        assert is_told.wait(10.0)
        return recorded

    async with LedgerWriter(
        tmp_path, session, on_durable=tell, ballast_bytes=SMALL_BALLAST, closers=1
    ) as writer:
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token="first")
        await writer.intend(run.first_seq, 1, 5.0)
        assert told == []
        monkeypatch.setattr(Journal, "record", slow)
        await writer.intend(run.last_seq, 1, 5.0)
        assert told == ["first"]


async def test_nothing_durable_stays_untold_for_long(tmp_path: Path) -> None:
    """Though no other commit comes: all closers wait for their answers."""
    run, session = planned(tmp_path, [1])
    told = asyncio.Event()
    async with LedgerWriter(
        tmp_path, session, on_durable=lambda _: told.set(), ballast_bytes=SMALL_BALLAST, closers=1
    ) as writer:
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token="first")
        await writer.intend(run.first_seq, 1, 5.0)
        async with asyncio.timeout(10.0):
            await told.wait()


async def test_what_is_not_needed_yet_waits_for_what_is(
    tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intent whose slot is far off, and a result, begin no commit: the first that is needed takes them."""
    monkeypatch.setattr("worker.ledger.writer.WITHIN_S", 30.0)
    run, session = planned(tmp_path, [1, 2, 3])
    told: list[object] = []
    async with LedgerWriter(tmp_path, session, on_durable=told.extend, ballast_bytes=SMALL_BALLAST) as writer:
        early = writer.intend(run.first_seq, 1, 5.0, needed_in_s=60.0)
        writer.settle(run.last_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token="settled")
        for _ in range(20):
            await asyncio.sleep(0)
        assert sizes == []
        async with asyncio.timeout(10.0):
            await writer.intend(run.first_seq + 1, 1, 5.0)
        assert early.done()
        assert sizes == [2]
        assert told == ["settled"]


async def test_nothing_waits_long_for_others(
    tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody else comes: half the time until it is needed, and never more than a limit."""
    run, session = planned(tmp_path, [1, 2])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        async with asyncio.timeout(10.0):
            await writer.intend(run.first_seq, 1, 5.0, needed_in_s=3600.0)
        monkeypatch.setattr("worker.ledger.writer.WITHIN_S", 3600.0)
        async with asyncio.timeout(10.0):
            await writer.intend(run.last_seq, 1, 5.0, needed_in_s=0.01)
    assert sizes[:2] == [1, 1]


async def test_a_flush_does_not_wait_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever flushes is at the end, or at a stop."""
    monkeypatch.setattr("worker.ledger.writer.WITHIN_S", 3600.0)
    run, session = planned(tmp_path, [1])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=1)
        async with asyncio.timeout(10.0):
            await writer.flush()
        assert list(writer.unrecorded) == []


async def test_what_found_no_room_is_tried_again_with_what_comes_next_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that can't be written is not written at again and again while nothing new is to be kept."""
    tries: list[int] = []

    def refuse(_: Journal, group: Group) -> Recorded:
        tries.append(len(group.tokens))
        error = LedgerError("no room left")
        return Recorded(error, error)

    monkeypatch.setattr("worker.ledger.writer.EVERY_S", 0.0)
    run, session = planned(tmp_path, [1])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        monkeypatch.setattr(Journal, "record", refuse)
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token="kept")
        await writer.flush()
        await writer.flush()
        assert tries == [1, 1]
    assert writer.unrecorded == ("kept",)


async def test_commits_keep_apart(tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first goes at once; whoever comes within the time between two commits shares the second."""
    run, session = planned(tmp_path, range(1, 22))
    monkeypatch.setattr("worker.ledger.writer.EVERY_S", 1.0)
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        await writer.intend(run.first_seq, 1, 5.0)
        waits = []
        for seq in range(run.first_seq + 1, run.last_seq + 1):
            waits.append(writer.intend(seq, 1, 5.0))
            await asyncio.sleep(0)
        await asyncio.gather(*waits)
    assert sizes[:2] == [1, 20]


async def test_counters_travel_with_the_next_commit(tmp_path: Path) -> None:
    """They are asked for when a commit begins, and replace those before."""
    run, session = planned(tmp_path, [1])
    counted = [b"1"]
    async with LedgerWriter(
        tmp_path, session, counters=lambda: counted[0], ballast_bytes=SMALL_BALLAST
    ) as writer:
        counted[0] = b"2"
        await writer.flush()
        with open_ledger(tmp_path) as store:
            assert store.sessions(run)[0].counters == b"2"
        counted[0] = b"3"
    with open_ledger(tmp_path) as store:
        assert store.sessions(run)[0].counters == b"3"


async def test_a_provisional_result_never_replaces_a_final_one(tmp_path: Path) -> None:
    """The other way round it does, and drop_provisional forgets only provisional ones."""
    run, session = planned(tmp_path, [1, 2, 3])
    one, two, three = range(run.first_seq, run.first_seq + 3)
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        writer.settle(one, Outcome.CLOSED, final=True, record=kept(b"final"), token=None)
        writer.settle(one, Outcome.UNKNOWN, final=False, record=kept(b"later"), token=None)
        writer.settle(two, Outcome.UNKNOWN, final=False, record=kept(b"first"), token=None)
        writer.settle(two, Outcome.CLOSED, final=True, record=kept(b"final"), token=None)
        writer.settle(three, Outcome.NOT_ATTEMPTED, final=False, record=kept(b"first"), token=None)
    with open_ledger(tmp_path) as store:
        assert store.drop_provisional(run) == 1
        assert [line.record for line in store.results(run)] == [b"final", b"final", None]
        assert store.tally(run) == {Outcome.CLOSED: 2}


@pytest.mark.parametrize(
    ("record", "attempts"),
    [(b'{"attempts":2}', 2), (b'{"attempts":0}', 1), (b'{"attempts":9}', 3), (b"{}", 3), (b"{", 3)],
)
async def test_an_attempt_that_was_not_made_counts_no_more(
    tmp_path: Path, record: bytes, attempts: int
) -> None:
    """A run that stops in good order between an intent and its slot says how many there were."""
    run, session = planned(tmp_path, [1, 2])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        for seq in (run.first_seq, run.last_seq):
            await writer.intend(seq, 3, 5.0)
        writer.settle(run.first_seq, Outcome.FAILED, final=False, record=kept(record), token=None)
    with open_ledger(tmp_path) as store:
        store.drop_provisional(run)
        first, killed = store.pending(run, after_seq=0, limit=9)
        assert (first.attempts, killed.attempts) == (attempts, 3)


async def test_closing_records_all_that_is_queued(tmp_path: Path) -> None:
    """Results queued just before the end are durable after it, and nothing is unrecorded."""
    run, session = planned(tmp_path, range(1, 1001))
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        for seq in range(run.first_seq, run.last_seq + 1):
            writer.settle(seq, Outcome.FAILED, final=True, record=kept(b"r"), token=seq)
        assert len(writer.unrecorded) == 1000
    assert list(writer.unrecorded) == []
    with open_ledger(tmp_path) as store:
        assert store.tally(run) == {Outcome.FAILED: 1000}


async def test_a_cancelled_task_still_leaves_its_results(tmp_path: Path) -> None:
    """Cancelling whoever closes the writer loses no result."""
    run, session = planned(tmp_path, range(1, 101))

    async def work() -> None:
        async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
            for seq in range(run.first_seq, run.last_seq + 1):
                writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=seq)
            current = asyncio.current_task()
            assert current is not None
            current.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())
    with open_ledger(tmp_path) as store:
        assert store.tally(run) == {Outcome.CLOSED: 100}


async def test_results_behind_a_running_commit_survive_a_cancel(tmp_path: Path) -> None:
    """What still gathers while a commit runs is recorded too when the closing is cancelled."""
    run, session = planned(tmp_path, range(1, 301))

    async def work() -> None:
        async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
            for seq in range(run.first_seq, run.last_seq + 1):
                writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r" * 9000), token=seq)
                while seq == run.last_seq - 1 and writer._committing is None:
                    await asyncio.sleep(0)  # until all but the last are handed over
            current = asyncio.current_task()
            assert current is not None
            current.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())
    with open_ledger(tmp_path) as store:
        assert store.tally(run) == {Outcome.CLOSED: 300}


@moves_files_in_use
async def test_results_that_wait_keep_their_order(tmp_path: Path) -> None:
    """Results put back after a failed commit come before those that gathered meanwhile."""
    state, away = tmp_path / "state", tmp_path / "away"
    run, session = planned(state, [1, 2, 3])
    told: list[object] = []
    async with LedgerWriter(state, session, on_durable=told.extend, ballast_bytes=SMALL_BALLAST) as writer:
        state.rename(away)
        for seq in range(run.first_seq, run.last_seq + 1):
            writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=seq)
            while writer._committing is None:  # a commit runs while the next gathers
                await asyncio.sleep(0)
        await writer.flush()
        assert told == []
        away.rename(state)
    assert told == list(range(run.first_seq, run.last_seq + 1))


@moves_files_in_use
async def test_a_replaced_ledger_is_noticed(tmp_path: Path) -> None:
    """Another file at the ledger's path, even a copy of it, is not the one that is being written."""
    run, session = planned(tmp_path, [1])
    path = tmp_path / "ledger.db"
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        path.rename(tmp_path / "kept.db")
        shutil.copyfile(tmp_path / "kept.db", path)
        with pytest.raises(LedgerError, match="another file stands in its place"):
            await writer.intend(run.first_seq, 1, 5.0)


async def test_whoever_was_cancelled_does_not_disturb_the_others(tmp_path: Path) -> None:
    """A cancelled wait for an intent leaves the intent recorded and the other waits resolved."""
    run, session = planned(tmp_path, [1, 2])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        cancelled, kept = (writer.intend(run.first_seq + n, 1, 5.0) for n in range(2))
        cancelled.cancel()
        await kept
    with open_ledger(tmp_path) as store:
        assert [planned.attempts for planned in store.pending(run, after_seq=0, limit=9)] == [1, 1]


@moves_files_in_use
async def test_a_vanished_ledger_stops_intents_before_they_are_sent(tmp_path: Path) -> None:
    """SQLite would go on writing to the deleted file: the intent fails instead, the result is unrecorded."""
    run, session = planned(tmp_path, [1, 2, 3])
    failures: list[LedgerError] = []
    async with LedgerWriter(
        tmp_path, session, on_failure=failures.append, ballast_bytes=SMALL_BALLAST
    ) as writer:
        await writer.intend(run.first_seq, 1, 5.0)
        (tmp_path / "ledger.db").unlink()
        with pytest.raises(LedgerError, match=r"moved or deleted.*batch-closer resume"):
            await writer.intend(run.first_seq + 1, 1, 5.0)
        with pytest.raises(LedgerError, match="moved or deleted"):
            await writer.intend(run.first_seq + 2, 1, 5.0)
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token="first")
    assert failures == [writer.failed]
    assert writer.unrecorded == ("first",)
    assert not (tmp_path / "ledger.db").exists()


@moves_files_in_use
async def test_a_ledger_put_back_takes_the_results(tmp_path: Path) -> None:
    """A folder that was moved away and back gets the results that waited."""
    state, away = tmp_path / "state", tmp_path / "away"
    run, session = planned(state, [1])
    async with LedgerWriter(state, session, ballast_bytes=SMALL_BALLAST) as writer:
        await writer.intend(run.first_seq, 1, 5.0)
        state.rename(away)
        writer.settle(run.first_seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=1)
        await writer.flush()
        assert list(writer.unrecorded) == [1]
        away.rename(state)
    assert list(writer.unrecorded) == []
    with open_ledger(state) as store:
        assert store.tally(run) == {Outcome.CLOSED: 1}


async def test_a_fault_in_the_callback_does_not_stop_the_writer(tmp_path: Path) -> None:
    """The loop's exception handler hears of it, and later groups are still recorded."""
    run, session = planned(tmp_path, [1, 2])
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))

    def faulty(tokens: Sequence[object]) -> None:
        raise ValueError(tokens)

    async with LedgerWriter(tmp_path, session, on_durable=faulty, ballast_bytes=SMALL_BALLAST) as writer:
        for seq in (run.first_seq, run.last_seq):
            writer.settle(seq, Outcome.CLOSED, final=True, record=kept(b"r"), token=seq)
            await writer.flush()
    assert len(heard) == 2
    with open_ledger(tmp_path) as store:
        assert store.tally(run) == {Outcome.CLOSED: 2}


async def test_a_result_of_a_batch_that_is_not_planned_is_a_fault(tmp_path: Path) -> None:
    """The ledger refuses it rather than keep a result that belongs to no run."""
    run, session = planned(tmp_path, [1])
    async with LedgerWriter(tmp_path, session, ballast_bytes=SMALL_BALLAST) as writer:
        writer.settle(run.last_seq + 1, Outcome.CLOSED, final=True, record=kept(b"r"), token="stray")
    assert writer.failed is not None
    assert writer.unrecorded == ("stray",)


async def test_opening_a_ledger_that_is_none_fails_in_one_line(tmp_path: Path) -> None:
    """The writer raises what opening the store raises."""
    (tmp_path / "ledger.db").write_text("no ledger" * 999)
    with pytest.raises(LedgerError, match="not a ledger"):
        async with LedgerWriter(tmp_path, 1, ballast_bytes=SMALL_BALLAST):
            pass
