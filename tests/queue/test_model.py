"""The queue against a model: arrivals, runs and second thoughts in any order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.ledger.support import Listed, new_run
from worker.ledger import open_ledger
from worker.words.model import Control, Planned, Rejected

URLS = ("https://one.example.com", "https://two.example.com")
entries = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from([None, 1, 2])),  # 0 is no id; what is expected of the id
    max_size=8,
)
urls = st.sampled_from(URLS)


@dataclass
class Kept:
    """What must be known of an entry that waits."""

    batch_id: int  # 0: none
    at: tuple[str, int]
    controls: set[int] = field(default_factory=set)
    repeats: int = 0


class QueueMachine(RuleBasedStateMachine):
    """Two queues in one ledger, which is closed and opened again at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.top = tempfile.TemporaryDirectory(prefix="queue-")
        self.store = open_ledger(Path(self.top.name))
        self.waiting: dict[str, list[Kept]] = {url: [] for url in URLS}
        self.runs: dict[str, list[Kept]] = {}
        self.arrivals = 0

    def teardown(self) -> None:
        self.store.close()
        self.top.cleanup()

    @rule(url=urls, given=entries)
    def add(self, url: str, given: list[tuple[int, int | None]]) -> None:
        self.arrivals += 1
        name, waiting = f"f{self.arrivals % 3}", self.waiting[url]
        before, listed = len(waiting), _listed(name, given)
        for line, (batch_id, bills) in enumerate(given, start=1):
            kept = next((each for each in waiting if each.batch_id == batch_id != 0), None)
            if kept is None:
                kept = Kept(batch_id, (name, line))
                waiting.append(kept)
            else:
                kept.repeats += 1
            if bills is not None and batch_id:
                kept.controls.add(bills)
        arrived = self.store.queue(url).add(listed, at=1.0, who="me")
        added = [kept for kept in waiting[before:] if kept.batch_id]
        invalid = sum(batch_id == 0 for batch_id, _ in given)
        assert arrived[1:] == (len(added), len(given) - len(added) - invalid, invalid)

    @rule(url=urls)
    def take(self, url: str) -> None:
        name = f"run-{len(self.runs)}"
        taken = self.store.queue(url).take(new_run(name), at=2.0)
        assert (taken is not None) == bool(self.waiting[url])
        if taken is not None:
            self.runs[name], self.waiting[url] = self.waiting[url], []

    @rule(url=urls, given=entries)
    def take_back(self, url: str, given: list[tuple[int, int | None]]) -> None:
        gone = {batch_id for batch_id, _ in given}
        before = self.waiting[url]
        self.waiting[url] = [kept for kept in before if kept.batch_id not in gone]
        ids = sum(kept.batch_id in gone for kept in before if kept.batch_id)
        assert self.store.queue(url).take_back(_listed("back", given)) == ids

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = open_ledger(Path(self.top.name))

    @invariant()
    def everything_is_where_it_was_put(self) -> None:
        for url, waiting in self.waiting.items():
            found = list(self.store.queue(url).entries())
            assert [(each.batch_id or 0, (each.source, each.line), each.repeats) for each in found] == [
                (kept.batch_id, kept.at, kept.repeats) for kept in waiting
            ]
        for name, taken in self.runs.items():
            run = self.store.run(name)
            assert run is not None
            assert run.duplicates == sum(kept.repeats for kept in taken)
            assert run.lines == run.ids + run.duplicates + run.invalid
            assert [_seen(line.entry) for line in self.store.results(run)] == [
                (kept.batch_id, kept.at, kept.controls) for kept in taken
            ]


def _listed(name: str, given: list[tuple[int, int | None]]) -> list[Listed | Rejected]:
    return [
        Listed(batch_id, name, line, () if bills is None else (Control(bills),))
        if batch_id
        else Rejected(name, line, "x")
        for line, (batch_id, bills) in enumerate(given, start=1)
    ]


def _seen(entry: Planned | Rejected) -> tuple[int, tuple[str, int], set[int | None]]:
    if isinstance(entry, Rejected):
        return 0, (entry.source, entry.line), set()
    return entry.batch_id, (entry.source, entry.line), {control.bills for control in entry.controls}


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=20, stateful_step_count=15)
