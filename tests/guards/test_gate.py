"""The gate before each PUT: laws over every course of looks, answers and waits."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.course import Course, Gate, Step
from worker.rules.gate import begin, begin_after_interruption, begin_seen
from worker.rules.guards import GUARDS, Action, Bounds, judge_all
from worker.rules.settling import after_close, after_key, after_look_up
from worker.words.answer import Answer, Heard, KeyState
from worker.words.model import Batch, Control, Look, Outcome

T0 = 1_800_000_000.0
MOST = 3


class Shown(NamedTuple):
    """A look that showed the batch not closed."""

    batch: Batch
    at: float


class Told(NamedTuple):
    """What happened on a course: looks, PUTs (by the number of looks before), and how it ended."""

    course: Course
    looks: list[Shown]
    puts: list[tuple[float, int]]


def batch(
    word: str = "open", bills: int = 3, flags: int = 0, analyzing: int = 0, total: str = "10.00"
) -> Batch:
    return Batch(
        batch_id=7,
        batch_status=word,
        bill_count=bills,
        flag_count=flags,
        analyzing_count=analyzing,
        running_total=Decimal(total),
    )


def answer(shown: Batch | None, status: int | None, at: float) -> Answer:
    heard = Heard.ANSWER if status is not None else Heard.LOST
    return Answer(heard, status=status, batch=shown, sent_at=at, received_at=at)


BATCHES = st.builds(
    batch,
    word=st.sampled_from(["open"] * 6 + ["pending", "closed", "OPEN"]),
    bills=st.sampled_from([3, 3, 3, 4, 0]),
    flags=st.sampled_from([0, 0, 0, 1]),
    analyzing=st.sampled_from([0, 0, 1]),
    total=st.sampled_from(["10.00", "10.00", "11.00"]),
)
READS = st.one_of(
    BATCHES.map(lambda shown: (shown, 200)),
    BATCHES.map(lambda shown: (shown, 200)),
    st.sampled_from([(None, 404), (None, 500), (None, 401), (None, 429), (None, None)]),
)
CLOSES = st.sampled_from([500, 500, 503, 429, 400, 401, 403, 404, 200, None])
ACTIONS = st.dictionaries(st.sampled_from([guard.name for guard in GUARDS]), st.sampled_from(Action))
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 20.0, 400.0])
GATES = st.builds(
    Gate,
    bounds=st.builds(Bounds, actions=ACTIONS, quiet_for_s=st.none() | SECONDS),
    controls=st.sampled_from([(), (Control(3, None),), (Control(3, Decimal("10.00")), Control(None, None))]),
    before=st.none() | st.just(batch()),
    wait_analyzing_s=SECONDS,
)


Reads = st.SearchStrategy[tuple[Batch | None, int | None]]


@st.composite
def courses(draw: st.DrawFn, gates: st.SearchStrategy[Gate] = GATES, reads: Reads = READS) -> Told:
    """A whole course, performed as the engine performs it: each wait is waited for, and maybe longer."""
    gate, now = draw(gates), T0
    told = Told(begin(gate), [], [])
    start = draw(st.sampled_from(["new", "seen", "interrupted"]))
    course = told.course
    if start == "interrupted":
        course = begin_after_interruption(1, T0 - 60, gate)
    if start == "seen":
        shown = draw(BATCHES)
        course = begin_seen(gate, Look(shown, now))
        if shown.state.value in {"open", "pending"}:
            told.looks.append(Shown(shown, now))
    for _ in range(40):
        if course.step is Step.SETTLED:
            break
        now += course.wait_s + draw(st.sampled_from([0.0, 0.0, 0.01, 2.0]))
        course = course._replace(wait_s=0.0)
        course = _performed(draw, course, now, told, reads)
    return told._replace(course=course)


def _performed(draw: st.DrawFn, course: Course, now: float, told: Told, reads: Reads) -> Course:
    match course.step:
        case Step.PUT:
            told.puts.append((now, len(told.looks)))
            return after_close(course, answer(None, draw(CLOSES), now), MOST)
        case Step.ASK_KEY:
            return after_key(course, draw(st.sampled_from([KeyState.WORKS, KeyState.UNCLEAR])), MOST)
        case _:
            shown, status = draw(reads)
            if shown is not None and shown.state.value in {"open", "pending"}:
                told.looks.append(Shown(shown, now))
            return after_look_up(course, answer(shown, status, now), MOST)


@given(courses())
def test_no_put_before_the_guards_saw_it_open(told: Told) -> None:
    """A look comes before every PUT, and no guard held what the last one showed."""
    gate = told.course.gate
    assert gate is not None
    for _, looks in told.puts:
        assert looks, "closed unseen"
        last = told.looks[looks - 1]
        found = judge_all(last.batch, gate.controls, gate.bounds, last.at, gate.before)
        assert found.held is None, found


@given(courses())
def test_what_is_held_is_at_its_end(told: Told) -> None:
    """A held batch has nothing next, its reason is a guard that holds, and a message says why."""
    ending, gate = told.course.ending, told.course.gate
    assert gate is not None
    if ending is None or ending.outcome is not Outcome.HELD:
        return
    assert told.course.step is Step.SETTLED
    assert (told.course.wait_s, told.course.failures) == (0.0, 0)
    defaults = {guard.name: guard.default for guard in GUARDS}
    assert ending.reason is not None
    assert gate.bounds.actions.get(ending.reason, defaults[ending.reason]) is Action.HOLD
    assert ending.message
    assert all(looks < len(told.looks) for _, looks in told.puts), "it was seen after every PUT"


ANALYSED = st.builds(
    Gate,
    bounds=st.builds(Bounds, quiet_for_s=st.none() | SECONDS),
    wait_analyzing_s=SECONDS,
)


@given(gate=ANALYSED, late=st.lists(st.sampled_from([0.0, 0.5, 3.0]), max_size=30), seen=st.booleans())
def test_the_wait_for_analysis_ends(gate: Gate, late: list[float], seen: bool) -> None:
    """It is looked at until time is up, not before and not after; however late each look is."""
    shown, now = batch(analyzing=1), T0
    course = begin_seen(gate, Look(shown, now)) if seen else begin(gate)
    course = course if seen else after_look_up(course, answer(shown, 200, now), MOST)
    looks = 1
    while course.step is not Step.SETTLED:
        assert 0 < course.wait_s <= 30
        assert now + course.wait_s <= T0 + gate.wait_analyzing_s + 1e-6
        now += course.wait_s + (late.pop() if late else 0.0)
        course = after_look_up(course._replace(wait_s=0.0), answer(shown, 200, now), MOST)
        looks += 1
    assert course.ending is not None
    assert (course.ending.outcome, course.ending.reason) == (Outcome.HELD, "analyzing")
    assert now - T0 >= gate.wait_analyzing_s - 1e-6
    assert looks <= 2 + gate.wait_analyzing_s, "at most one look a second"


QUIET = st.builds(
    Gate,
    bounds=st.builds(Bounds, quiet_for_s=st.sampled_from([0.5, 20.0, 400.0])),
    wait_analyzing_s=st.sampled_from([0.0, 400.0]),
)
CALM = [(batch(), 200)] * 6 + [(batch(bills=4), 200), (batch(analyzing=1), 200), (None, 500)]


@given(courses(QUIET, st.sampled_from(CALM)))
def test_quiet_means_two_looks_without_a_change(told: Told) -> None:
    """Before the first PUT it was seen twice, as far apart as asked for, and nothing moved between."""
    gate = told.course.gate
    if gate is None or gate.bounds.quiet_for_s is None or not told.puts:
        return
    seen = told.looks[: told.puts[0][1]]
    apart = [i for i in range(len(seen)) if seen[-1].at - seen[i].at >= gate.bounds.quiet_for_s - 1e-6]
    assert apart, "two looks so far apart"
    # What analysis changes is no unrest: quiet counts from its end.
    calm = [each for each in seen[apart[-1] :] if not _waits(gate, each)]
    assert len(calm) > 1
    assert all(_alike(before.batch, after.batch) for before, after in pairwise(calm))


def _waits(gate: Gate, look: Shown) -> bool:
    held = judge_all(look.batch, gate.controls, gate.bounds, look.at, gate.before).held
    return held is not None and held.guard == "analyzing"


def _alike(one: Batch, other: Batch) -> bool:
    """In what matters; a pending batch that is let through counts as changed."""
    fields = ("state", "bill_count", "flag_count", "running_total")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


@pytest.mark.parametrize(
    ("word", "step"),
    [("open", Step.PUT), ("closed", Step.LOOK_UP), ("odd", Step.LOOK_UP), ("pending", Step.SETTLED)],
)
def test_what_the_list_showed(word: str, step: Step) -> None:
    """Only what is open is closed on the list's word; what can't be so is looked at again."""
    assert begin_seen(Gate(Bounds()), Look(batch(word), T0)).step is step


def test_without_a_gate_no_one_looks() -> None:
    """The PUT comes first, and after doubt an open batch gets the next one whatever is the matter with it."""
    course = begin()
    assert course.step is Step.PUT
    course = after_close(course, answer(None, 500, T0), MOST)
    assert after_look_up(course, answer(batch(flags=9, analyzing=9), 200, T0), MOST).step is Step.PUT


def test_a_second_put_is_guarded_too() -> None:
    """A batch that became unfit after a close that failed is held instead of closed again."""
    course = begin_seen(Gate(Bounds()), Look(batch(), T0))
    course = after_close(course, answer(None, 500, T0), MOST)
    course = after_look_up(course, answer(batch(analyzing=1), 200, T0 + 1), MOST)
    assert course.ending is not None
    assert (course.ending.outcome, course.attempts) == (Outcome.HELD, 1)


@pytest.mark.parametrize("moved", [{"bills": 4}, {"flags": 1}, {"total": "11.00"}, {"word": "pending"}])
def test_the_plan_is_what_must_not_have_changed(moved: dict[str, Any]) -> None:
    """However quiet it is now, what differs from the plan is held."""
    gate = Gate(Bounds(quiet_for_s=5.0), before=batch())
    course = begin_seen(gate, Look(batch(**moved), T0))
    assert course.step is Step.SETTLED
    assert course.ending is not None
    assert course.ending.reason == ("pending" if "word" in moved else "changed")
