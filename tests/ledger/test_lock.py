"""One run at a time on a state folder and API host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from worker.ledger import Holder, RunLock
from worker.words.errors import LedgerError, LockedError

PROGRAM = Path(__file__).with_name("hold.py")
HOST = "api.example.com"


class Contender:
    """A process that takes the lock when told to."""

    def __init__(self, folder: Path, run: str, host: str = HOST) -> None:
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, str(folder), host, run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.hear() == "ready"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def contending(folder: Path, *runs: str, host: str = HOST) -> Iterator[list[Contender]]:
    contenders = [Contender(folder, run, host) for run in runs]
    try:
        yield contenders
    finally:
        for contender in contenders:
            contender.process.kill()
            contender.process.communicate()


def me(run: str = "mine") -> Holder:
    return Holder(pid=os.getpid(), host="here", run=run, since=1_760_000_000.0)


def test_of_two_racing_processes_one_wins_and_the_other_names_it(tmp_path: Path) -> None:
    """The loser exits 75 with pid, machine, run and since of the winner."""
    with contending(tmp_path, "run-a", "run-b") as contenders:
        for contender in contenders:
            contender.go()
        said = [contender.hear() for contender in contenders]
        assert said.count("held") == 1
        winner = said.index("held")
        assert contenders[1 - winner].process.wait() == 75
        assert (
            f"pid {contenders[winner].process.pid} on server, run {('run-a', 'run-b')[winner]}, "
            "since 2025-10-09T08:53:20Z"
        ) in said[1 - winner]


def test_a_killed_holder_does_not_block(tmp_path: Path) -> None:
    """After SIGKILL the lock is free although the holder's file still stands."""
    with contending(tmp_path, "killed") as (holder,):
        holder.go()
        assert holder.hear() == "held"
        holder.process.kill()
        holder.process.wait()
    (named,) = tmp_path.glob("*.json")
    assert '"killed"' in named.read_text()
    with RunLock(tmp_path, HOST, me("next")):
        assert '"next"' in named.read_text()
    assert not named.exists()


def test_which_run_holds_it(tmp_path: Path) -> None:
    """Whoever asks learns which run it is, and takes nothing; a killed holder's file says nothing."""
    with contending(tmp_path, "run-a") as (holder,):
        holder.go()
        assert holder.hear() == "held"
        assert RunLock(tmp_path, HOST, me()).held_by() == "run-a"
        holder.process.kill()
        holder.process.wait()
    assert list(tmp_path.glob("*.json"))
    assert RunLock(tmp_path, HOST, me()).held_by() is None
    with RunLock(tmp_path, HOST, me("next")):
        pass


def test_another_host_has_its_own_lock(tmp_path: Path) -> None:
    """Runs on different API hosts share a state folder."""
    with RunLock(tmp_path, HOST, me()), RunLock(tmp_path, "other.example.com", me()):
        pass


@pytest.mark.parametrize("host", ["API.example.com", HOST])
def test_a_second_lock_in_the_same_process_is_refused(tmp_path: Path, host: str) -> None:
    """It is not re-entrant, and the host is compared without regard to letter case."""
    with (
        RunLock(tmp_path, HOST, me("first")),
        pytest.raises(LockedError, match="run first"),
        RunLock(tmp_path, host, me("second"), patience_s=0.01),
    ):
        pass
    with RunLock(tmp_path, host, me("third")):
        pass


@pytest.mark.parametrize("host", ["[::1]:8080", "a/b", "..\\c", "x" * 500, "café.example", "\udce9", ""])
def test_any_host_makes_a_file_name(tmp_path: Path, host: str) -> None:
    """The lock's file stays in the folder whatever the host is, and hosts that look alike stay apart."""
    with RunLock(tmp_path, host, me()), RunLock(tmp_path, f"{host}?", me()):
        assert len(list(tmp_path.glob("run-*.lock"))) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"pid":"x"}', "\0", '{"pid":1,"host":"a","run":"r","since":1e99}']
)
def test_an_odd_holder_file_does_not_matter(tmp_path: Path, text: str) -> None:
    """Who holds the lock may be unreadable; that it is held is still said, in one line."""
    with RunLock(tmp_path, HOST, me()):
        (tmp_path / f"run-{HOST}.json").write_text(text)
        with pytest.raises(LockedError) as caught:
            RunLock(tmp_path, HOST, me(), patience_s=0.01).acquire()
        assert "another run on api.example.com" in str(caught.value)
        assert str(caught.value).isprintable()


def test_a_folder_that_can_not_be_used_is_one_line(tmp_path: Path) -> None:
    """A file where the state folder should be is a LedgerError with the remedy."""
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerError, match="choose another --state"):
        RunLock(tmp_path / "state", HOST, me()).acquire()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no permission bits")
def test_its_files_are_private(tmp_path: Path) -> None:
    """Both files are 0600."""
    with RunLock(tmp_path / "state", HOST, me()):
        modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "state").iterdir()}
    assert modes == {0o600}
