"""Planning, resuming and listing runs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.ledger import RunEnd, RunRow, RunState, open_ledger
from worker.ledger.connection import connect
from worker.ledger.schema import VERSION
from worker.words.errors import InputError, LedgerError
from worker.words.model import Planned, Rejected, Stopped

from .support import Listed, listed, new_run


def test_plan_counts_and_keeps_the_first_of_duplicates(tmp_path: Path) -> None:
    """Lines, ids, duplicates and invalid lines are counted; the first naming of an id stands."""
    entries: list[Listed | Rejected] = [
        Listed(7, "a.csv", 1),
        Rejected("a.csv", 2, "x"),
        Listed(5, "a.csv", 3),
        Listed(7, "b.csv", 1),
    ]
    with open_ledger(tmp_path) as store:
        run = store.plan(new_run(), entries)
        assert (run.lines, run.ids, run.duplicates, run.invalid) == (4, 2, 1, 1)
        seqs = [planned.seq for planned in store.pending(run, after_seq=0, limit=9)]
        assert store.pending(run, after_seq=0, limit=9) == [
            Planned(seqs[0], 7, "a.csv", 1),
            Planned(seqs[1], 5, "a.csv", 3),
        ]
        assert [line.entry for line in store.results(run)] == [
            Planned(seqs[0], 7, "a.csv", 1),
            Rejected("a.csv", 2, "x"),
            Planned(seqs[1], 5, "a.csv", 3),
        ]


def test_an_input_that_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    """The input's own error passes unchanged, no run remains, and the next plan works."""

    def failing() -> Iterator[Listed]:
        yield from listed(range(1, 3000))
        raise InputError("ids.csv: line 3000 can't be decoded; save it as UTF-8")

    with open_ledger(tmp_path) as store:
        with pytest.raises(InputError, match="line 3000"):
            store.plan(new_run(), failing())
        assert store.runs() == []
        assert store.plan(new_run(), listed([1])).ids == 1


def test_a_slow_input_does_not_lock_out_another_run(tmp_path: Path) -> None:
    """While one run's input is read, another run on the same ledger can be planned."""
    with open_ledger(tmp_path) as slow, open_ledger(tmp_path) as other:

        def entries() -> Iterator[Listed]:
            yield Listed(1)
            other.plan(new_run("other"), listed([1, 2]))
            yield Listed(3)

        run = slow.plan(new_run("slow"), entries())
        assert [planned.batch_id for planned in slow.pending(run, after_seq=0, limit=9)] == [1, 3]
        found = other.run("other")
        assert found is not None
        assert [planned.batch_id for planned in other.pending(found, after_seq=0, limit=9)] == [1, 2]


def test_the_input_hash_is_of_host_and_distinct_ids_in_order(tmp_path: Path) -> None:
    """Files, lines, duplicates and rejected lines do not change it; host and order do."""
    with open_ledger(tmp_path) as store:
        first = store.plan(new_run("a"), listed([1, 2])).input_hash
        same = store.plan(
            new_run("b"), [Listed(1, "x"), Rejected("x", 2, "?"), Listed(1), Listed(2)]
        ).input_hash
        turned = store.plan(new_run("c"), listed([2, 1])).input_hash
        elsewhere = store.plan(new_run("d", host="other.example.com"), listed([1, 2])).input_hash
    assert first == same
    assert len({first, turned, elsewhere}) == 3


def test_an_unfinished_run_over_the_same_input_is_found(tmp_path: Path) -> None:
    """Found by host and hash among the begun runs planned before; finished and discarded ones are not."""
    with open_ledger(tmp_path) as store:

        def found(host: str = new_run().host, before: RunRow | None = None) -> str | None:
            run = store.unfinished_like(host, new.input_hash, before=before)
            return run.run_id if run else None

        old, new, planned_only = (
            store.plan(new_run(name), listed([1, 2])) for name in ("old", "new", "plan")
        )
        for run in (old, new):
            store.start_session(run, started_at=1.0, pid=1, who="ops@server")
        assert found() == "new"
        assert found(before=planned_only) == "new"
        assert found(before=new) == "old"
        assert found(before=old) is None
        assert found(host="other.example.com") is None
        store.discard(new)
        assert found() == "old"
        store.discard(planned_only)
        last = store.last_unfinished()
        assert last is not None
        assert last.run_id == "old"
        store.discard(old)
        assert store.last_unfinished() is None
        assert store.runs() == []


def test_discard_takes_everything_of_the_run_and_nothing_else(tmp_path: Path) -> None:
    """No row of a discarded run stays in any table; its neighbour is whole."""
    with open_ledger(tmp_path) as store:
        kept = store.plan(new_run("kept"), listed([1, 2]))
        gone = store.plan(new_run("gone"), [*listed([1, 2]), Rejected("ids.csv", 3, "x")])
        store.start_session(gone, started_at=1.0, pid=1, who="ops@server")
        store.discard(gone)
        assert store.runs() == [kept]
        assert len(list(store.results(kept))) == 2
    connection = sqlite3.connect(tmp_path / "ledger.db")
    tables = ("runs", "sources", "batches", "invalid", "sessions")
    assert [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables] == [
        1,
        1,
        2,
        0,
        0,
    ]
    connection.close()


def test_a_run_id_is_taken_once(tmp_path: Path) -> None:
    """A second run of the same name is refused with the remedy."""
    with open_ledger(tmp_path) as store:
        store.plan(new_run(), listed([1]))
        with pytest.raises(LedgerError, match="--run-id"):
            store.plan(new_run(), listed([1]))


def test_a_run_is_finished_only_when_nothing_is_pending(tmp_path: Path) -> None:
    """finish_run keeps a run with batches left open, with the facts of its last stop."""
    end = RunEnd(finished_at=9.0, exit_code=130, stopped=Stopped.SIGNAL, stopped_by="SIGINT", summary="{}")
    with open_ledger(tmp_path) as store:
        run = store.finish_run(store.plan(new_run("a"), listed([1])), end)
        assert (run.state, run.exit_code, run.stopped) == (RunState.OPEN, 130, Stopped.SIGNAL)
        empty = store.plan(new_run("b"), [Rejected("ids.csv", 1, "x")])
        done = store.finish_run(empty, RunEnd(finished_at=9.0, exit_code=3, summary="{}"))
        assert (done.state, done.finished_at, done.stopped) == (RunState.FINISHED, 9.0, None)


def test_sessions_are_kept_in_order(tmp_path: Path) -> None:
    """The run starts with its first session; a session without an end was killed."""
    with open_ledger(tmp_path) as store:
        run = store.plan(new_run(), listed([1]))
        first = store.start_session(run, started_at=5.0, pid=11, who="a@b")
        second = store.start_session(run, started_at=8.0, pid=12, who="a@b")
        store.finish_session(second, finished_at=9.0, counters=b'{"put":3}')
        sessions = store.sessions(run)
        assert [(s.id, s.pid, s.finished_at, s.counters) for s in sessions] == [
            (first, 11, None, None),
            (second, 12, 9.0, b'{"put":3}'),
        ]
        again = store.run(run.run_id)
        assert again is not None
        assert again.started_at == 5.0


def test_odd_text_is_storable(tmp_path: Path) -> None:
    """A file name that is no valid Unicode is kept with escapes, and does not stop the run."""
    with open_ledger(tmp_path) as store:
        run = store.plan(new_run(), [Listed(1, "caf\udce9.csv", 1), Rejected("caf\udce9.csv", 2, "\ud800")])
        assert [line.entry[0 if isinstance(line.entry, Rejected) else 2] for line in store.results(run)] == [
            "caf\\udce9.csv",
            "caf\\udce9.csv",
        ]


def test_results_are_read_across_pages_in_input_order(tmp_path: Path) -> None:
    """Thousands of batches with invalid lines among them come back in the input's order."""
    entries: list[Listed | Rejected] = [
        Rejected("f", n, "x") if n % 7 == 0 else Listed(n, "f", n) for n in range(1, 3500)
    ]
    with open_ledger(tmp_path) as store:
        run = store.plan(new_run(), entries)
        assert [line.entry.line for line in store.results(run)] == list(range(1, 3500))


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no permission bits")
def test_files_are_private(tmp_path: Path) -> None:
    """The folder is 0700 and every file of the ledger 0600, whatever the umask."""
    folder = tmp_path / "deep" / "state"
    before = os.umask(0)
    try:
        with open_ledger(folder) as store:
            store.plan(new_run(), listed([1]))
            modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(modes) >= {"ledger.db", "ledger.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger from a newer version is left alone, with one line that says so."""
    open_ledger(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(LedgerError, match=r"newer version of batch-closer .* upgrade") as caught:
        open_ledger(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["text", "foreign", "directory", "cut", "folder is a file", "nul"])
def test_what_is_no_ledger_is_one_clear_line(tmp_path: Path, what: str) -> None:
    """A file that is not a ledger, or a damaged one, is a LedgerError of one line naming it."""
    folder = tmp_path / "state"
    folder.mkdir()
    path = folder / "ledger.db"
    if what == "text":
        path.write_text("batch ids\n" * 500)
    elif what == "foreign":
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (x)")
        connection.close()
    elif what == "directory":
        path.mkdir()
    elif what == "cut":
        with open_ledger(folder) as store:
            store.plan(new_run(), listed(range(1, 2000)))
        path.write_bytes(path.read_bytes()[:5000])
    elif what == "nul":
        folder = tmp_path / "a\0b"
    else:
        path = folder / "file"
        path.write_text("")
        folder = path
    with pytest.raises(LedgerError) as caught, open_ledger(folder) as store:
        store.runs()
    line = str(caught.value)
    assert "\n" not in line
    assert "choose another --state" in line or "then try again" in line


def test_several_processes_may_make_the_ledger_at_once(tmp_path: Path) -> None:
    """Processes that open a ledger that is not there yet all get the same, whole one."""
    program = (
        "import sys; from pathlib import Path; from worker.ledger import open_ledger\n"
        "for line in sys.stdin:\n"
        "    open_ledger(Path(line.strip())).close()\n"
        "    print('made', flush=True)"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    racing = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)
        for _ in range(4)
    ]
    folders = [tmp_path / str(number) for number in range(100)]
    for folder in folders:
        for process in racing:
            assert process.stdin is not None
            process.stdin.write(f"{folder}\n")
        assert [process.stdout.readline() for process in racing if process.stdout] == ["made\n"] * 4
    assert [process.communicate()[1] for process in racing] == [""] * 4
    for folder in folders:
        with open_ledger(folder) as store:
            assert store.runs() == []


def test_commits_are_durable_against_power_loss(tmp_path: Path) -> None:
    """Every connection to the ledger writes ahead to a log and syncs it at each commit."""
    connection = connect(tmp_path)
    pragmas = ("journal_mode", "synchronous", "fullfsync", "foreign_keys")
    assert [connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas] == ["wal", 2, 1, 1]
    connection.close()
