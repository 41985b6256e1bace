"""The harness itself: what it reckons, what it says of it, and that a tiny run of it works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

import pytest

if sys.platform == "win32":
    pytest.skip("what a process cost is asked of the operating system with wait4", allow_module_level=True)

from tests.bench.contenders import module
from tests.bench.costs import ROOT, Cost, FailedError, environment, run
from tests.bench.figures import Entry, Kept, Record, Size, ratio_of
from tests.bench.goals import MILLION, Check, at_least, at_most, of_closes, of_rates, of_sizes, of_starts
from tests.bench.page import page
from tests.bench.quiet import Used, by_others, told
from tests.bench.servers import small
from tests.bench.small_server import busiest_second
from tests.bench.stand import Stand


def cost(seconds: float, peak_mib: float = 40.0) -> Cost:
    return Cost(seconds, seconds, seconds, seconds, peak_mib)


def entry(key: str, *seconds: float, closes: int = 1000) -> Entry:
    return Entry(key=key, title=key, closes=closes, rounds=tuple(map(cost, seconds)))


def size(ids: int, seconds: float, peak_mib: float = 40.0) -> Size:
    return Size(ids=ids, rounds=(cost(seconds, peak_mib),))


def kept(rate: float, requests: int, seconds: float, busiest: int, cpu_s: float = 0.1) -> Kept:
    return Kept(
        rate_per_s=rate, requests=requests, seconds=seconds, busiest=busiest, cpu_s=cpu_s, start_cpu_s=0.1
    )


def verdicts(checks: Iterable[Check]) -> list[bool | None]:
    return [check.met for check in checks]


def test_a_ratio_is_of_each_round_within_itself() -> None:
    """A round in which the whole machine was slow doesn't count for or against anyone."""
    ours, bare = entry("ours", 1.2, 12.0, 1.3), entry("bare", 1.0, 10.0, 0.96)
    assert ratio_of(ours, bare) == pytest.approx((1.2, 1.2, 1.25))


def test_fewer_closes_are_no_advantage() -> None:
    """What is compared is the time of one close."""
    assert ratio_of(entry("sdk", 1.0, closes=50), entry("ours", 1.0)).time == pytest.approx(20)


def test_the_start_is_taken_off_an_id() -> None:
    """A run of one id is start and end alone; a slow minute has both of them slow."""
    one = Size(ids=1, rounds=(cost(0.5), cost(5.0), cost(0.6)))
    many = Size(ids=1001, rounds=(cost(1.6), cost(6.1), cost(1.7)))
    assert (many.each_s(one), many.each_cpu_s(one)) == pytest.approx((0.0011, 0.0011))


def test_how_well_an_id_is_known() -> None:
    """As well as both runs are; nobody knows of a single one."""
    one = Size(ids=1, rounds=(cost(0.4), cost(0.5), cost(0.6), cost(0.5)))
    many = Size(ids=1001, rounds=(cost(1.6), cost(1.6)))
    assert many.each_error_s(one) == pytest.approx((0.02 / 3) ** 0.5 / 2 / 1000)
    assert Size(ids=9, rounds=(cost(1.6),)).each_error_s(one) is None


def test_what_is_measured_in_between_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run is stopped for it, goes on, and ends as it would have."""
    monkeypatch.setattr("tests.bench.costs.STOPPED_EVERY_S", 0.05)
    stops: list[float] = []

    def between() -> None:
        begun = perf_counter()
        sum(range(1_000_000))
        stops.append(perf_counter() - begun)

    busy = "import time\nwhile time.process_time() < 0.5: pass"
    begun = perf_counter()
    measured = run(
        [sys.executable, "-c", busy], environ=environment(), core=None, stderr=tmp_path / "e", between=between
    )
    assert stops
    assert measured.whole_s <= perf_counter() - begun - sum(stops)
    assert measured.cpu_s >= 0.5


@pytest.mark.parametrize(
    ("instants", "most"),
    [([], 0), ([0.0], 1), ([0.0, 0.5, 1.0], 2), ([0.0, 0.9, 1.0, 1.8], 3)],
    ids=["none", "one", "a whole second apart", "across a second"],
)
def test_the_busiest_second(instants: list[float], most: int) -> None:
    """Any second, not one that a clock begins; what is a whole second apart is not in one."""
    assert busiest_second(array("d", instants)) == most


def test_a_goal_is_met_not_met_or_not_measured() -> None:
    """The bound itself is met; nothing measured is no success."""
    assert [at_most("", 1.25, figure).met for figure in (1.25, 1.26, None)] == [True, False, None]
    assert [at_least("", 10, figure).met for figure in (10, 9.9, None)] == [True, False, None]
    assert str(Check("quick", "2.00 times", False)) == "quick: 2.00 times, **not met**"
    assert str(Check("quick", "", None)) == "quick: not measured"


def test_the_goals_of_closing() -> None:
    """The official SDK counts by its faster way."""
    entries = [entry("ours", 1.2), entry("bare", 1.0), entry("without-ledger", 1.0), entry("requests", 6.1)]
    sdk = [entry("sdk-loop", 30.0), entry("sdk-threads", 11.0)]
    assert verdicts(of_closes([*entries, *sdk])) == [True, False, True, False]
    assert verdicts(of_closes([*entries, sdk[0]])) == [True, True, True, False]
    assert verdicts(of_closes([entry("ours", 1.0)])) == [None] * 4


def test_the_goals_of_sizes() -> None:
    """A million against a thousand, and its memory against 10,000's."""
    few = [size(1, 0.5), size(1_000, 0.9), size(10_000, 4.5, 80.0)]
    assert verdicts(of_sizes([*few, size(MILLION, 400.0, 105.0)])) == [True, True, True]
    assert verdicts(of_sizes([*few, size(MILLION, 450.0, 130.0)])) == [False, False, False]
    assert verdicts(of_sizes(few)) == [None] * 3


def test_the_goals_of_rates() -> None:
    """The worst of the slow rates counts, and any second that had too many."""
    sound = [kept(50, 1001, 20.0, 51), kept(1000, 20_001, 20.1, 1011)]
    assert verdicts(of_rates(sound)) == [True, True, True, True]
    poor = [kept(50, 1001, 20.2, 52, cpu_s=2.0), kept(1000, 20_001, 20.5, 1001)]
    assert verdicts(of_rates(poor)) == [False, False, False, False]
    assert verdicts(of_rates([])) == [None] * 4
    assert verdicts(of_starts([])) == [None] * 3


def test_others_are_seen() -> None:
    """Of what all used, ours is taken off; the share is of all cores."""
    cores = os.cpu_count() or 1
    before, after = Used(0.0, 100.0, 3.0), Used(10.0, 100.0 + 8.0 + cores, 11.0)
    assert by_others(before, after) == pytest.approx(0.1)
    assert "not a quiet machine" in told(0.1)
    assert told(0.01) == "1.0% of all cores"
    assert by_others(Used(0.0, None, 0.0), after) is None


def test_the_page_says_who_is_missing_and_why() -> None:
    """A contender that could not be run is named, not left out without a word; so is a part."""
    absent = Entry(key="newman", title="newman", closes=500, skipped="newman is not installed")
    small = Entry(key="curl-z", title="curl", closes=100, rounds=(cost(0.01, 17.0),))
    closes = [entry("ours", 1.1), entry("bare", 1.0), small, absent]
    failed = {"sizes": "exit code 1: disk full"}
    text = page(Record(machine={"system": "one"}, floor_mib=17.0, closes=closes, failed=failed))
    assert "- newman: newman is not installed" in text
    assert "Not measured: sizes. exit code 1: disk full" in text
    assert "| at most 17" in text
    told = "1.10 times (1.10 in CPU, 1.10 between the quickest rounds), met"
    assert f"everything on takes at most 1.25 times the bare aiohttp pool: {told}" in text
    assert "## Rates" not in text


def test_a_process_that_fails_is_no_figure(tmp_path: Path) -> None:
    """It is told with its last line."""
    command = [sys.executable, "-c", "raise SystemExit('no room')"]
    with pytest.raises(FailedError, match="exit code 1: no room"):
        run(command, environ=environment(), core=None, stderr=tmp_path / "stderr")


def test_who_leaves_one_out_is_no_contender(tmp_path: Path) -> None:
    """The server is asked how many closes it saw; the small one will do where there is no nginx."""
    with small() as server:
        stand = Stand(folder=tmp_path, server=server, server_core=None, client_core=None, open_why=None)
        assert stand.closing(module("bare_aiohttp"), 3, tells=True).seconds > 0
        with pytest.raises(FailedError, match="the server saw 2 requests for 3 closes"):
            stand.closing(lambda job: module("bare_aiohttp")(job._replace(closes=2)), 3, tells=True)
        assert server.stop().requests == 5


def test_a_tiny_run(tmp_path: Path) -> None:
    """The harness as it is called: two contenders close 100 batches, and the server saw every one."""
    command = [sys.executable, "-m", "tests.bench", "--only", "closes", "--closes", "100", "--rounds", "1"]
    command += ["--contender", "ours", "--contender", "bare", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    record = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [each["key"] for each in record["closes"]] == ["ours", "bare"]
    for each in record["closes"]:
        assert each["skipped"] is None, each
        (only,) = each["rounds"]
        assert 0 < only["seconds"] < only["whole_s"]
        assert 0 < only["closing_cpu_s"] < only["cpu_s"]
        assert only["peak_mib"] > record["floor_mib"]
    assert ended.stdout == (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "| bare aiohttp, 32 tasks" in ended.stdout
