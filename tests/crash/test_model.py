"""Ledger and course together, with a crash possible after every step, against a server in memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.crash.server import Fate, Server
from tests.ledger.support import kept
from worker.ledger import LedgerWriter, NewRun, open_ledger
from worker.rules.course import Course, Step
from worker.rules.gate import begin, begin_after_interruption
from worker.rules.settling import after_close, after_look_up
from worker.words.model import Batch, Control, Outcome, Planned

ATTEMPTS = 4
IDS = range(1, 6)
SMALL = 4096
MEMORY = Path("/dev/shm")  # thousands of commits; that they outlast a power cut is not what is tested here
FATES = st.sampled_from([Fate.ANSWERED, *Fate])
STATES = st.sampled_from(["open", "open", "open", "them", "missing"])
TRUE_OF = {
    Outcome.CLOSED: {"us"},
    Outcome.ALREADY_CLOSED: {"them"},
    Outcome.NOT_FOUND: {"missing"},
    Outcome.FAILED: {"open"},
    Outcome.REJECTED: {"open"},
    Outcome.UNKNOWN: {"us", "them", "open", "missing"},
}


class Listed(NamedTuple):
    """What a source yields for a batch id."""

    batch_id: int
    source: str = "ids.txt"
    line: int = 1
    controls: tuple[Control, ...] = ()
    before: Batch | None = None


class CrashedRun(RuleBasedStateMachine):
    """One run, its process killed and resumed at any point; memory dies with it, the ledger does not."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self._loop = asyncio.new_event_loop()
        self._now = 1000.0
        self._courses: dict[int, tuple[Planned, Course]] = {}
        self._ready: set[int] = set()  # seqs whose intent for the next PUT is durable
        self._settled: list[tuple[Planned, Outcome]] = []  # results on their way to the disk
        self._told: dict[int, Outcome] = {}  # what was shown to the user, by batch id

    @initialize(states=st.lists(STATES, min_size=len(IDS), max_size=len(IDS)))
    def plan(self, states: list[str]) -> None:
        """The run is planned over batches of several fates."""
        self._server = Server(dict(zip(IDS, states, strict=True)))
        self._store = open_ledger(Path(self._folder.name))
        new = NewRun(
            run_id="run", created_at=1.0, base_url="https://x", host="x", settings="{}", who="ops@server"
        )
        self._run = self._store.plan(new, [Listed(batch_id) for batch_id in IDS])
        self._begin()

    def _begin(self) -> None:
        self._stack = AsyncExitStack()
        self._session = self._store.start_session(self._run, started_at=self._now, pid=1, who="ops@server")
        writer = LedgerWriter(
            self._store.path.parent, self._session, on_durable=self._show, ballast_bytes=SMALL
        )
        self._writer = self._await(self._stack.enter_async_context(writer))
        self._ready.clear()
        self._settled.clear()
        self._courses = {
            planned.seq: (planned, _course_of(planned))
            for planned in self._store.pending(self._run, after_seq=0, limit=100)
        }

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(coroutine)

    def _show(self, tokens: object) -> None:
        assert isinstance(tokens, list)
        for batch_id, outcome in tokens:
            assert batch_id not in self._told, f"{batch_id} was told twice"
            self._told[batch_id] = outcome

    @precondition(lambda self: any(course.step is Step.PUT for _, course in self._courses.values()))
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        """The intent for a PUT becomes durable."""
        planned, course = self._one(data, Step.PUT)
        first_at = course.first_attempt_at or self._now

        async def durable() -> None:
            await self._writer.intend(planned.seq, course.attempts + 1, first_at)

        self._await(durable())
        self._ready.add(planned.seq)

    @precondition(lambda self: self._ready)
    @rule(data=st.data(), fate=FATES)
    def put(self, data: st.DataObject, fate: Fate) -> None:
        """A PUT whose intent is durable is sent, and its answer judged."""
        seq = data.draw(st.sampled_from(sorted(self._ready)))
        self._ready.discard(seq)
        planned, course = self._courses[seq]
        self._now += 60.0
        answer = self._server.close(planned.batch_id, fate, self._now)
        self._advance(planned, after_close(course, answer, ATTEMPTS))

    @precondition(lambda self: self._ready)
    @rule(data=st.data(), fate=FATES)
    def put_and_crash(self, data: st.DataObject, fate: Fate) -> None:
        """The process is killed with a PUT in flight: nobody hears the answer."""
        seq = data.draw(st.sampled_from(sorted(self._ready)))
        planned, _ = self._courses[seq]
        self._now += 60.0
        self._server.close(planned.batch_id, fate, self._now)
        self.crash()

    @precondition(lambda self: any(course.step is Step.LOOK_UP for _, course in self._courses.values()))
    @rule(data=st.data(), fate=FATES)
    def look_up(self, data: st.DataObject, fate: Fate) -> None:
        """A batch in doubt is read."""
        planned, course = self._one(data, Step.LOOK_UP)
        self._now += 60.0
        answer = self._server.look_up(planned.batch_id, fate, self._now)
        self._advance(planned, after_look_up(course, answer, ATTEMPTS))

    @precondition(lambda self: self._settled)
    @rule()
    def commit(self) -> None:
        """The results on their way to the disk arrive there, and are shown."""

        async def durable() -> None:
            for planned, outcome in self._settled:
                token = (planned.batch_id, outcome)
                self._writer.settle(planned.seq, outcome, final=True, record=kept(b"{}"), token=token)
            await self._writer.flush()

        self._await(durable())
        self._settled.clear()

    @rule()
    def crash(self) -> None:
        """The process dies with what it had in memory, and the run is resumed."""
        self._close()
        self._store = open_ledger(Path(self._folder.name))
        run = self._store.last_unfinished()
        assert run is not None
        self._run = run
        self._begin()

    def _close(self) -> None:
        self._await(self._stack.aclose())
        self._store.close()

    def _one(self, data: st.DataObject, step: Step) -> tuple[Planned, Course]:
        seqs = [seq for seq, (_, course) in self._courses.items() if course.step is step]
        return self._courses[data.draw(st.sampled_from(sorted(seqs)))]

    def _advance(self, planned: Planned, course: Course) -> None:
        self._courses[planned.seq] = planned, course
        if course.ending is None:
            return
        del self._courses[planned.seq]
        self._settled.append((planned, course.ending.outcome))

    @invariant()
    def whatever_was_told_is_true(self) -> None:
        """What the user was shown agrees with the server."""
        for batch_id, outcome in self._told.items():
            assert self._server.state[batch_id] in TRUE_OF[outcome], (batch_id, outcome)

    def teardown(self) -> None:
        """Let the run finish without further trouble: nothing is lost, everything is told once."""
        if hasattr(self, "_writer"):
            self._finish()
            self.commit()
            assert set(self._told) == set(IDS)
            self.whatever_was_told_is_true()
            assert not self._store.pending(self._run, after_seq=0, limit=1)
            self._close()
        self._loop.close()
        self._folder.cleanup()

    def _finish(self) -> None:
        while self._courses:
            planned, course = next(iter(self._courses.values()))
            self._now += 60.0
            if course.step is Step.PUT:
                answer = self._server.close(planned.batch_id, Fate.ANSWERED, self._now)
                self._advance(planned, after_close(course, answer, ATTEMPTS))
            else:
                answer = self._server.look_up(planned.batch_id, Fate.ANSWERED, self._now)
                self._advance(planned, after_look_up(course, answer, ATTEMPTS))


def _course_of(planned: Planned) -> Course:
    """As the engine begins a batch."""
    if planned.first_attempt_at is None:
        return begin()
    return begin_after_interruption(planned.attempts, planned.first_attempt_at)


TestCrashedRun = CrashedRun.TestCase
TestCrashedRun.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
