"""The metrics file: what it says, when it is written, and that it stands in nobody's way."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.support import FIRST, Program, a_world
from tests.operators.support import news
from tests.process.program import until
from worker.ledger import Holder, RunLock
from worker.rules.summary import Counters, LatencyMs, Summary, Verified
from worker.rules.summary.record import InputCounts, Rate
from worker.rules.summary.tally import Closed
from worker.simulator.options import Options
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.scripts import script, scripted
from worker.telemetry.metrics import Keeper, Standing, UnderWay, exposition
from worker.words.model import ConfirmedBy, Outcome, Stopped

Series = dict[str, float]
PROMTOOL = shutil.which("promtool")


def series_of(text: bytes) -> Series:
    """``name{label=value}`` and its value; the API host, which all of them have, is left out."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = {key: value for key, value in sample.labels.items() if key != "api_host"}
            shown = ",".join(f"{key}={value}" for key, value in labels.items())
            name = sample.name.removeprefix("batch_closer_")
            found[f"{name}{{{shown}}}" if shown else name] = sample.value
    return found


@pytest.fixture
def file(program: Program) -> Path:
    """Where the metrics go."""
    path = program.folder / "textfiles" / "batch-closer.prom"
    path.parent.mkdir()
    program.environment(BATCH_CLOSER_METRICS_FILE=str(path))
    return path


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Four open batches, and one of which no answer is to be had."""
    faults = scripted(by_id={FIRST + 4: script(put=["500"] * 9, get=["500"] * 9)})
    with simulator_thread(Options(faults=faults), world=a_world(5)) as running:
        yield running


def test_a_run_and_what_came_of_it(program: Program, file: Path, simulator: Simulator) -> None:
    """The figures of the summary, in a file that another user may read; nothing else lies about."""
    ran = program.close(simulator, "--max-attempts", "2", ids=range(FIRST, FIRST + 5))
    series, summary = series_of(file.read_bytes()), ran.summary
    assert series["last_exit_code"] == ran.code == 3
    assert series["run_in_progress"] == 0
    assert {name: series[f"last_run_batches{{outcome={name}}}"] for name in Outcome} == summary["outcomes"]
    assert summary["outcomes"]["unknown"] == 1
    assert series["last_run_closed_bills"] == summary["closed"]["bills"] == 12
    assert Decimal(str(series["last_run_closed_money"])) == Decimal(summary["closed"]["running_total"])
    assert series["last_run_requests{kind=put}"] == summary["requests"]["put"]
    assert "last_success_timestamp_seconds" not in series
    assert "last_run_disagreeing_batches" not in series  # nothing was read again
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_last_success_outlives_failures_and_the_file(
    program: Program, file: Path, simulator: Simulator
) -> None:
    """The ledger knows when it was: not the file, which is gone, nor the run that failed since."""
    program.close(simulator, ids=[FIRST])
    success = series_of(file.read_bytes())["last_success_timestamp_seconds"]
    file.unlink()
    program.close(simulator, ids=[FIRST + 90])
    series = series_of(file.read_bytes())
    assert series["last_exit_code"] == 3
    assert series["last_success_timestamp_seconds"] == success
    assert series["last_run_timestamp_seconds"] > success


def test_a_call_that_could_not_begin(program: Program, file: Path, simulator: Simulator) -> None:
    """The exit code says so, and what the last run did still stands; a missing list is such a case."""
    program.close(simulator, ids=[FIRST])
    before = series_of(file.read_bytes())
    assert program.close(simulator, str(program.folder / "missing.csv")).code == 2
    after = series_of(file.read_bytes())
    assert after == before | {"last_exit_code": 2}


def test_a_run_that_is_locked_out_leaves_the_file_alone(
    program: Program, file: Path, simulator: Simulator
) -> None:
    """It belongs to the run that holds the lock."""
    program.close(simulator, ids=[FIRST])
    before = file.read_bytes()
    holder = Holder(pid=1, host="elsewhere", run="other", since=0)
    with RunLock(program.state, simulator.url.removeprefix("http://"), holder):
        assert program.close(simulator, ids=[FIRST + 1]).code == 75
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("textfiles/batch-closer.txt", "must end with .prom"),
        ("nowhere/batch-closer.prom", "No such file or directory"),
        ("folder.prom", "it is a folder"),
    ],
)
def test_a_place_that_will_not_do(program: Program, simulator: Simulator, name: str, told: str) -> None:
    """One line, exit 2, and nothing is sent."""
    (program.folder / "folder.prom").mkdir()
    ran = program.close(simulator, "--metrics-file", str(program.folder / name), ids=[FIRST])
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert told in ran.err
    assert not simulator.requests.by_route()


def test_a_place_that_is_lost_on_the_way(program: Program, file: Path) -> None:
    """The run ends as it would have, and the log says that there are no metrics."""

    def now() -> float:
        shutil.rmtree(file.parent, ignore_errors=True)
        return time.time()

    with simulator_thread(world=a_world(2), clock=now) as simulator:
        ran = program.close(simulator, ids=[FIRST, FIRST + 1])
    assert (ran.code, ran.summary["outcomes"]["closed"]) == (0, 2)
    assert news(ran) == [("notify.failed", "metrics", "No such file or directory")]


def test_while_a_run_is_under_way(tmp_path: Path) -> None:
    """How far it is, and when it last got further; at the end it is under way no more."""
    file, settled = tmp_path / "now.prom", [0]
    instants = iter(range(100, 1_000_000))
    standing = Standing(api_host="app.energycap.com", exit_code=0, success_at=50.0)
    keeper = Keeper(file, standing, every_s=0.005, clock=lambda: float(next(instants)))
    keeper.begin(7, lambda: settled[0])
    began = series_of(file.read_bytes())
    assert (began["run_in_progress"], began["run_batches"], began["run_settled_batches"]) == (1, 7, 0)
    assert began["last_success_timestamp_seconds"] == 50
    settled[0] = 3
    until(lambda: series_of(file.read_bytes())["run_settled_batches"] == 3, "the next look")
    assert (
        series_of(file.read_bytes())["run_settled_timestamp_seconds"] > began["run_started_timestamp_seconds"]
    )
    keeper.end(standing.ended(None, 1))
    after = series_of(file.read_bytes())
    assert (after["run_in_progress"], after["last_exit_code"]) == (0, 1)
    assert not [name for name in after if name.startswith("run_settled")]


def full_standing(host: str = "app.energycap.com") -> Standing:
    """One of which everything is known."""
    summary = Summary(
        run_id="r",
        started_at=1.0,
        finished_at=2.0,
        duration_s=1.0,
        base_url=f"https://{host}",
        exit_code=4,
        stopped=Stopped.ABORT,
        input=InputCounts(1, 1, 0, 0),
        outcomes=dict.fromkeys(Outcome, 1),
        confirmed_by=dict.fromkeys(ConfirmedBy, 1),
        closed=Closed(1, 2, Decimal("3.40")),
        verified=Verified(1, 1),
        warnings={"flags": 1},
        requests=Counters(put=1),
        rate=Rate(5.0, 1.0),
        latency_ms=LatencyMs(1.0, 2.0, 3.0, 4.0),
    )
    under_way = UnderWay(started_at=1.0, batches=2, settled=1, settled_at=1.0)
    return Standing(api_host=host, exit_code=4, last=summary, success_at=1.0, under_way=under_way)


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=30))
def test_whatever_the_host_is_called_the_text_can_be_read(host: str) -> None:
    """Quotes, line breaks and backslashes in a label don't break the page."""
    text = exposition(full_standing(host))
    for family in text_string_to_metric_families(text.decode("utf-8", "surrogatepass")):
        assert {sample.labels["api_host"] for sample in family.samples} == {host}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)")
def test_promtool_has_nothing_to_say_of_it() -> None:
    """Names, types and help as Prometheus wants them."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=exposition(full_standing()), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
