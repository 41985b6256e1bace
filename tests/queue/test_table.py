"""The queue's table: an id is waiting or in a run, once, with all that is expected of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.support import Listed, listed, new_run
from worker.ledger import Arrived, Queue, Store, Waiting, open_ledger
from worker.ledger.schema import APPLICATION_ID, STEPS
from worker.words.errors import InputError
from worker.words.model import Control, Planned, Rejected

URL = "https://api.example.com"


def _queue(store: Store) -> Queue:
    return store.queue(URL)


def _add(queue: Queue, *entries: Listed | Rejected) -> Arrived:
    return queue.add(entries, at=1000.0, who="ops@server")


def test_what_waits_becomes_a_begun_run(tmp_path: Path) -> None:
    """In order of arrival, each id once with what every arrival expects; all lines are accounted for."""
    bills, total = Control(3), Control(None, Decimal("9.50"))
    with open_ledger(tmp_path) as store:
        queue = _queue(store)
        assert _add(queue, Listed(7, "a", 1, (bills,)), Listed(5, "a", 2), Listed(7, "a", 3)) == (1, 2, 1, 0)
        assert _add(queue, Rejected("b", 1, "x"), Listed(7, "b", 2, (total,)), Listed(9, "a", 3)).added == 1
        assert queue.waiting() == Waiting(ids=3, invalid=1, repeats=2, expects=True)
        assert queue.take(new_run("r"), at=2000.0) == "r"
        run = store.run("r")
        assert run is not None
        assert (run.lines, run.ids, run.duplicates, run.invalid) == (6, 3, 2, 1)
        assert run.started_at == 2000.0
        first = run.first_seq
        assert [line.entry for line in store.results(run)] == [
            Planned(first, 7, "a", 1, controls=(bills, total)),
            Planned(first + 1, 5, "a", 2),
            Rejected("b", 1, "x"),
            Planned(first + 3, 9, "a", 3),
        ]
        assert queue.waiting().lines == 0
        assert queue.take(new_run("s"), at=2001.0) is None
        assert [each.run_id for each in store.runs()] == ["r"]


def test_an_arrival_knows_the_run_that_took_it(tmp_path: Path) -> None:
    """Also one whose ids all waited already; what arrives later is the next run's."""
    with open_ledger(tmp_path) as store:
        queue = _queue(store)
        first, second = _add(queue, *listed([1])), _add(queue, *listed([1]))
        assert queue.run_of(first.number) is None
        queue.take(new_run("r"), at=1.0)
        third = _add(queue, *listed([1]))
        taken = [queue.run_of(each.number) for each in (first, second, third)]
        assert [run and run.run_id for run in taken] == ["r", "r", None]
        assert [run.run_id for run in queue.unfinished()] == ["r"]


def test_the_queues_of_two_base_urls_never_mix(tmp_path: Path) -> None:
    """The same id may wait in both, and each run takes its own."""
    with open_ledger(tmp_path) as store:
        here, there = store.queue(URL), store.queue(f"{URL}/other")
        _add(here, *listed([1, 2]))
        _add(there, *listed([2, 3]))
        assert here.elsewhere() == {f"{URL}/other": 2}
        here.take(new_run("r"), at=1.0)
        run = store.run("r")
        assert run is not None
        assert [planned.batch_id for planned in store.pending(run, after_seq=0, limit=9)] == [1, 2]
        assert [entry.batch_id for entry in there.entries()] == [2, 3]
        assert there.unfinished() == []


def test_an_input_that_fails_midway_adds_nothing(tmp_path: Path) -> None:
    """Nor does one that is not agreed to, or a run that is refused: all or nothing, and it works again."""

    def failing() -> Iterator[Listed]:
        yield from listed(range(1, 3000))
        raise InputError("ids.csv: line 3000 can't be decoded; save it as UTF-8")

    def refuse(_: object) -> None:
        raise InputError("no")

    with open_ledger(tmp_path) as store:
        queue = _queue(store)
        with pytest.raises(InputError, match="line 3000"):
            queue.add(failing(), at=1.0, who="ops@server")
        with pytest.raises(InputError, match="no"):
            queue.add(listed([1]), at=1.0, who="ops@server", agree=refuse)
        assert queue.waiting().lines == 0
        _add(queue, *listed([1]))
        with pytest.raises(InputError, match="no"):
            queue.take(new_run("r"), at=1.0, refuse=refuse)
        assert queue.waiting().ids == 1
        assert store.runs() == []
        assert queue.take(new_run("r"), at=1.0) == "r"


def test_a_slow_input_locks_nobody_out(tmp_path: Path) -> None:
    """While one input is read, another is added and a run takes it."""
    with open_ledger(tmp_path) as slow, open_ledger(tmp_path) as other:

        def entries() -> Iterator[Listed]:
            yield Listed(1)
            _add(_queue(other), *listed([1, 2]))
            _queue(other).take(new_run("r"), at=1.0)
            yield Listed(3)

        arrived = _queue(slow).add(entries(), at=1.0, who="ops@server")
        assert (arrived.added, arrived.duplicates) == (2, 0)
        assert [entry.batch_id for entry in _queue(other).entries()] == [1, 3]


def test_what_is_taken_back_waits_no_longer(tmp_path: Path) -> None:
    """Ids with what was expected of them, and lines that are no id by their text; the rest stays."""
    with open_ledger(tmp_path) as store:
        queue = _queue(store)
        _add(queue, Listed(1, controls=(Control(3),)), Listed(2), Listed(2), Rejected("a", 3, "x"), Listed(4))
        back: list[Listed | Rejected] = [Listed(1), Listed(2), Listed(77), Rejected("other", 1, "x")]
        assert queue.take_back(back) == 2
        assert queue.waiting() == Waiting(ids=1, invalid=0, repeats=0, expects=False)
        _add(queue, *listed([1]))
        queue.take(new_run("r"), at=1.0)
        run = store.run("r")
        assert run is not None
        assert [(each.batch_id, each.controls) for each in store.pending(run, after_seq=0, limit=9)] == [
            (4, ()),
            (1, ()),
        ]


def test_a_ledger_of_before_the_queue_is_brought_up_to_date(tmp_path: Path) -> None:
    """With its runs; in one step from any earlier version."""
    for version in (1, 2):
        folder = tmp_path / str(version)
        folder.mkdir()
        connection = sqlite3.connect(folder / "ledger.db")
        for step in STEPS[:version]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(
            "INSERT INTO runs (run_id, state, created_at, base_url, host, settings, who,"
            " first_seq, last_seq, input_hash, lines, ids, duplicates, invalid)"
            " VALUES ('old', 'open', 1, ?, 'api.example.com', '{}', 'me', 1, 0, '', 0, 0, 0, 0)",
            (URL,),
        )
        connection.commit()
        connection.close()
        with open_ledger(folder) as store:
            assert _add(_queue(store), *listed([1])).added == 1
            assert [run.run_id for run in store.runs()] == ["old"]
            assert _queue(store).unfinished() == []
