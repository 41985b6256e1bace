"""The environment that is meant: a key of another one closes nothing."""

from __future__ import annotations

import pytest

from tests.guards.support import Looking, open_batches, refusal, world_of, written
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import simulator_thread

IDS = [1001, 1002, 1003]
FLAG = "--expect-environment"


THREE, ONE, OPEN, UNSEEN = ["1001", "1002", "1003"], ["1001"], ["--open"], ["--no-snapshot", "1001"]


@pytest.mark.parametrize(
    ("expected", "me", "what", "words"),
    [
        ("simulator", 200, THREE, None),
        (" SIMULATOR ", 200, OPEN, None),
        ("simulator", 200, ["--no-snapshot", *THREE], None),
        ("live", 200, THREE, "the key's is 'simulator'"),
        ("live", 200, ONE, "the key's is 'simulator'"),
        ("live", 200, OPEN, "the key's is 'simulator'"),
        ("live", 200, UNSEEN, "the key's is 'simulator'"),
        ("simulator", 404, THREE, "does not say"),
        ("simulator", 403, OPEN, "does not say"),
        ("simulator", 404, UNSEEN, "does not say"),
    ],
)
def test_what_is_expected(
    program: Looking, expected: str, me: int, what: list[str], words: str | None
) -> None:
    """Right is closed; wrong, or not to be told, is one line and exit 2, before anything is closed."""
    options = Options(unknowns=Unknowns(me=me))
    with simulator_thread(options, world=world_of(*open_batches(1001, 3))) as simulator:
        ran = program.close(simulator, FLAG, expected, *what)
        if words is None:
            assert (ran.code, len(written(simulator))) == (
                0,
                1 if len(what) < 3 and what[-1] == "1001" else 3,
            )
            return
        assert words in refusal(ran)
        assert written(simulator) == []
        assert program.close(simulator, *what).code == 0, "nothing is left of the run that was refused"


@pytest.mark.parametrize("by", ["environment", "file"])
def test_where_it_may_be_said(program: Looking, by: str) -> None:
    """The environment variable and ``api.expect_environment`` are the same setting."""
    told: tuple[str, ...] = ()
    if by == "file":
        (program.folder / "settings.toml").write_text('[api]\nexpect_environment = "live"\n')
        told = ("--config", "settings.toml")
    else:
        program.environment(BATCH_CLOSER_EXPECT_ENVIRONMENT="live")
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        assert "live" in refusal(program.close(simulator, *told, ids=IDS))
        assert written(simulator) == []


@pytest.mark.parametrize(
    ("planned", "me", "told", "code"),
    [
        ("simulator", 200, (), 0),
        ("Simulator", 200, (FLAG, "simulator"), 0),
        (None, 404, (), 0),  # what the plan doesn't tell can't be compared
        (None, 200, (FLAG, "simulator"), 0),
        ("live", 200, (), 2),
        ("live", 200, (FLAG, "simulator"), 2),
        ("simulator", 200, (FLAG, "live"), 2),
        ("simulator", 404, (), 2),
        (None, 200, (FLAG, "live"), 2),
    ],
)
def test_a_plan_is_for_its_environment(
    program: Looking, planned: str | None, me: int, told: tuple[str, ...], code: int
) -> None:
    """A plan that was made with a key of another environment closes nothing."""
    with simulator_thread(
        Options(unknowns=Unknowns(me=me)), world=world_of(*open_batches(1001, 3))
    ) as simulator:
        plan = program.plan(simulator, ids=IDS)
        program.rewrite(plan, environment=planned)
        ran = program.close(simulator, "--plan", str(plan), *told)
        assert (ran.code, len(written(simulator))) == (code, 0 if code else 3)
        if code:
            assert "environment" in refusal(ran)


@pytest.mark.parametrize("by", ["flag", "plan"])
def test_a_resumed_run_stays_in_its_environment(program: Looking, by: str) -> None:
    """What was expected, by the setting or by the plan, is expected of the key that resumes, too."""
    with simulator_thread(world=world_of(*open_batches(1001, 3))) as simulator:
        plan = program.plan(simulator, ids=IDS)
        simulator.kill_key()
        told = ["--plan", str(plan)] if by == "plan" else [FLAG, "simulator", "1001", "1002", "1003"]
        assert program.close(simulator, *told).code == 5
        simulator.revive_key()
        assert "'live'" in refusal(program.verb(simulator, "resume", FLAG, "live"))
        assert written(simulator) == []
        assert program.verb(simulator, "resume").code == 0
        assert len(written(simulator)) == 3
