"""One batch at a time, step by step, until it is settled or has to wait.

The course (rules.settling) decides; this performs: the intent before a PUT, the slot, the
request, and handing the answer back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from worker.engine.agenda import Waiting
from worker.engine.key_check import KeyCheck
from worker.engine.ports import Clocks, Hindrance, Log, Memory
from worker.engine.requests import Requests, RetryPolicy
from worker.engine.stop import Stop
from worker.engine.terms import Job
from worker.rules.course import Ending, Step
from worker.rules.gate import look_later
from worker.rules.period import told_period
from worker.rules.settling import (
    after_close,
    after_key,
    after_look_up,
    put_cut_off,
    when_stopped,
)
from worker.words.answer import KeyState
from worker.words.errors import LedgerError
from worker.words.model import Batch, Result, Stopped

BUSY_S = 0.5
"""Wait so long for another run to be done with a batch before it is looked at again."""


class Closer:
    """Settles the jobs of an agenda. Many ``work`` at once on one event loop."""

    def __init__(
        self,
        *,
        agenda: Waiting,
        requests: Requests,
        memory: Memory,
        stop: Stop,
        policy: RetryPolicy,
        on_settled: Callable[[Result], None],
        on_progress: Callable[[], None],
        log: Log,
        clocks: Clocks,
    ) -> None:
        self._agenda = agenda
        self._requests = requests
        self._memory = memory
        self._stop = stop
        self._policy = policy
        self._on_settled = on_settled
        self._on_progress = on_progress
        self._log = log
        self._clocks = clocks
        self._key = KeyCheck(requests.me, requests.back_off, policy.max_attempts)
        self._before_put: dict[asyncio.Task[None], Job] = {}

    async def work(self) -> None:
        """Settle jobs until the agenda has none left."""
        task = asyncio.current_task()
        assert task is not None
        while (job := await self._agenda.next()) is not None:
            try:
                await self._advance(job, task)
            except asyncio.CancelledError:
                self.end(job)
                self._agenda.done()
                raise

    def drain(self) -> None:
        """Start no PUT that a stop forbids: those who wait for a slot for one give it up."""
        for task, job in self._before_put.items():
            if self._is_over(job):
                task.cancel()

    def give_up(self) -> None:
        """Cancel what is shared between jobs."""
        self._key.cancel()

    def end(self, job: Job) -> None:
        """Settle a job because the run or the worker stops, with what is known of it."""
        reason = job.terms.stop.kind or self._stop.kind or "interrupted"
        job.course = when_stopped(job.course, f"stopped_by_{reason}")
        self._settle(job)

    def _is_over(self, job: Job) -> bool:
        return self._stop.kind is not None or job.terms.stop.kind is not None

    async def _advance(self, job: Job, task: asyncio.Task[None]) -> None:
        """Take a job on until it is settled, ended by a stop, or put off."""
        while (step := job.course.step) is not Step.SETTLED:
            if self._is_over(job) and (step is Step.PUT or job.course.is_untouched):
                self.end(job)
                return self._agenda.done()
            if step is Step.PUT:
                if await self._may_send(job, task):
                    await self._put(job)
            elif step is Step.LOOK_UP:
                await self._look_up(job)
            else:
                await self._ask_about_key(job)
            if job.lost:
                return self._agenda.done()
            if job.course.failures or job.course.wait_s:
                return self._put_off(job)
        self._settle(job)
        return self._agenda.done()

    async def _ask_about_key(self, job: Job) -> None:
        state = await self._key.state()
        if state is KeyState.DEAD:
            for stop in (job.terms.stop, self._stop):
                stop.request(Stopped.KEY, "GET /api/v3/me answered 401")
        job.course = after_key(job.course, state, self._policy.max_attempts)

    async def _put(self, job: Job) -> None:
        course, batch_id = job.course, job.planned.batch_id
        if course.attempts:
            self._requests.tallies.retried += 1
        sent_at = self._clocks.wall()
        try:
            answer = await self._requests.close(batch_id)
        except asyncio.CancelledError:
            job.course = put_cut_off(course, sent_at)
            raise
        job.course = after_close(course, answer, self._policy.max_attempts)
        if not self._requests.reached and job.course.step is Step.LOOK_UP:
            self._stop.request(Stopped.UNREACHABLE, self._requests.last_error or answer.reason)
            job.course = when_stopped(job.course, "unreachable")

    async def _may_send(self, job: Job, task: asyncio.Task[None]) -> bool:
        """Have the intent recorded and a slot taken; False where the run stops meanwhile."""
        course = job.course
        first_at = course.first_attempt_at or self._clocks.wall()
        self._before_put[task] = job
        try:
            hindrance = await self._memory.intend(job.planned, course.attempts + 1, first_at)
            if hindrance is not None:
                return self._hindered(job, hindrance)
            if not self._is_over(job):
                await self._requests.pacer.slot()
            while not self._memory.is_held(job.planned):  # it waited long, or the queue was away
                hindrance = await self._memory.intend(job.planned, course.attempts + 1, first_at)
                if hindrance is not None:
                    return self._hindered(job, hindrance)
        except LedgerError as error:
            self._stop.request(Stopped.DISK, str(error))
        except asyncio.CancelledError:
            if self._stop.at_once.is_set() or not self._is_over(job):
                raise
            task.uncancel()
        finally:
            self._before_put.pop(task, None)
        return not self._is_over(job)

    def _hindered(self, job: Job, hindrance: Hindrance) -> bool:
        job.lost = hindrance is Hindrance.LOST
        if hindrance is Hindrance.BUSY:
            job.course = look_later(job.course, BUSY_S)
        return False

    async def _look_up(self, job: Job) -> None:
        before = job.course
        if before.looks:
            self._requests.tallies.retried += 1
        why = before.refusal or before.last
        reason = "before_close" if before.is_untouched else why.reason if why else None
        answer = await self._requests.look_up(job.planned.batch_id)
        job.course = after_look_up(before, answer, self._policy.max_attempts)
        self._log.info(
            "batch.looked_up",
            batch_id=job.planned.batch_id,
            http_status=answer.status,
            state=answer.batch.state if answer.batch else None,
            reason=reason,
            attempts=job.course.attempts,
        )

    def _put_off(self, job: Job) -> None:
        course = job.course
        if course.wait_s and self._is_over(job):
            self.end(job)
            return self._agenda.done()
        if course.wait_s:
            self._on_progress()
            return self._agenda.put_off(job, course.wait_s)
        wait_s = self._policy.wait_s(course.failures, self._clocks.chance())
        trouble = course.last or course.refusal
        self._log.info(
            "batch.retry_scheduled",
            batch_id=job.planned.batch_id,
            next=course.step.value,
            wait_s=round(wait_s, 3),
            reason=trouble.reason if trouble else None,
            http_status=trouble.http_status if trouble else None,
            attempts=course.attempts,
        )
        return self._agenda.put_off(job, wait_s)

    def _settle(self, job: Job) -> None:
        ending = job.course.ending
        assert ending is not None
        result = self._result(job, ending)
        self._memory.settle(job.planned, result, final=ending.final)
        if ending.final:
            self._on_settled(result)

    def _result(self, job: Job, ending: Ending) -> Result:
        course, planned = job.course, job.planned
        # By position: names would cost more than all the rest, for each of a million batches.
        return Result(
            job.terms.run_id,
            planned.batch_id,
            ending.outcome,
            self._clocks.wall(),
            planned.source,
            planned.line,
            ending.confirmed_by,
            ending.reason,
            ending.message,
            ending.http_status,
            course.attempts,
            course.first_attempt_at,
            self._clocks.steady() - job.begun_at,
            course.warnings,
            *_told_of(course.batch),
        )


_Told = tuple[str | None, int | None, Decimal | None, str | None, str | None]


def _told_of(batch: Batch | None) -> _Told:
    """What a result tells of its batch: code, bills, total, end date and period."""
    if batch is None:
        return None, None, None, None, None
    return batch.batch_code, batch.bill_count, batch.running_total, batch.end_date, told_period(batch)
