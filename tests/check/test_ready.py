"""Where all is well, and how that is told."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.check.support import KEY, ME, NAMES, Checker, good, http, serving
from tests.docs.support import ROOT, cells, sections
from tests.e2e.support import a_world
from worker.simulator.options import FilterCase, Options, Population, Unknowns
from worker.simulator.running import simulator_thread
from worker.simulator.world import State


def test_all_is_well(checker: Checker) -> None:
    """Exit 0, nothing wrong, who and where; four requests, none of which can write."""
    with simulator_thread(Options(key=KEY)) as simulator:
        checked = checker(simulator.url)
        assert [(each.method, each.status) for each in simulator.requests] == [("GET", 200)] * 4
    assert checked.code == 0
    assert set(checked.named("skipped")) == {"dns", "tls"}  # an address, and plain http
    assert len(checked.named("ok")) == len(NAMES) - 2
    assert "Batch Closer (batch.closer) id 11" in checked.found("user")
    assert checked.found("environment").startswith("simulator")
    assert "85 batches" in checked.found("filter")
    assert "RELEASES" in checked.found("export_ap")
    assert not checked.ran.err


def test_the_json(checker: Checker) -> None:
    """Where, when, the exit code, and for each check name, state, found and remedy."""
    with serving({}) as server:
        data = checker(server.url).data
    assert list(data) == ["base_url", "checked_at", "exit_code", "checks"]
    assert data["base_url"] == server.url
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", data["checked_at"])
    assert all(list(each) == ["name", "state", "found", "remedy"] for each in data["checks"])
    assert all((each["remedy"] is None) == (each["state"] in {"ok", "skipped"}) for each in data["checks"])


def test_the_table_fits_a_terminal_whatever_the_server_says(checker: Checker) -> None:
    """80 cells, no colour, no control or bidi character; each check is a row."""
    odd = "\x1b[31mEve\u202e\n\t漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字[bold]"
    refusal = http("400 Bad", b'{"message": "\\u001b]0;x\\u0007 ' + b"long" * 70 + b'"}')
    answers = {"/me": good({**ME, "fullName": odd, "environment": odd}), "/batch": refusal}
    with serving({**answers, "/workflow": good({"canExport": odd})}) as server:
        ran = checker.raw(server.url)
    lines = ran.out.splitlines()
    assert ran.code == 3
    assert all(line.isprintable() for line in lines)
    assert max(map(cell_len, lines)) <= 80
    assert [line.split()[1] for line in lines[lines.index("") + 1 :] if line[:1] != " "] == NAMES
    assert lines[0].startswith(f"Not ready for a close at {server.url}: ")
    assert "[bold]" in ran.out


def test_the_key_is_not_shown(checker: Checker) -> None:
    """Not where the server repeats it, nor where the user put it into another setting."""
    answers = {"/me": good({**ME, "fullName": f"I am {KEY}"}), "/workflow": http("400 Bad", KEY.encode())}
    with serving(answers) as server:
        for flags in ([], ["--json"]):
            ran = checker.raw(server.url, *flags)
            assert ran.code == 0
            assert KEY not in ran.out + ran.err
            assert "I am ***" in ran.out
            refused = checker.raw(f"{server.url}/{KEY}", *flags)
            assert refused.code == 2
            assert KEY not in refused.out + refused.err


@pytest.mark.parametrize(
    ("case", "lists"), [(FilterCase.LOWER, 1), (FilterCase.TITLE, 2), (FilterCase.UPPER, 3)]
)
def test_whatever_letter_case_the_filter_wants(checker: Checker, case: FilterCase, lists: int) -> None:
    """It is found out with one request more for each; the one that works is named."""
    options = Options(key=KEY, population=Population(closed=0.5), unknowns=Unknowns(filter_case=case))
    with simulator_thread(options) as simulator:
        checked = checker(simulator.url)
        assert len(simulator.requests) == 3 + lists
    assert checked.state("filter") == "ok"
    assert f"'{('closed', 'Closed', 'CLOSED')[lists - 1]}'" in checked.found("filter")


def test_no_batch_is_left(checker: Checker) -> None:
    """That there is nothing to close is no fault of the filter."""
    with simulator_thread(Options(key=KEY), world=a_world({7: State.CLOSED})) as simulator:
        checked = checker(simulator.url)
    assert checked.code == 0
    assert "no batch is open or pending" in checked.found("filter")


def test_the_rate_holds(checker: Checker) -> None:
    """Requests are as far apart as the rate says."""
    with simulator_thread(Options(key=KEY)) as simulator:
        assert checker(simulator.url, "--rate", "20", "--burst", "1").code == 0
        assert simulator.requests.average_per_s() < 20 * 1.2


def test_one_more_try_when_throttled(checker: Checker) -> None:
    """A 429 is waited out and asked again, once; eight requests are the most."""
    with serving({"/me": [http("429 Slow", b"", "Retry-After: 0"), good(ME)]}) as server:
        assert checker(server.url).code == 0
        assert len(server.seen) == 5
    bad = http("400 Bad")
    with serving({"/me": [http("500 Oh"), http("500 Oh")], "/batch": bad, "/workflow": bad}) as server:
        assert checker(server.url).code == 3
        assert len(server.seen) == 8
        assert all(line.startswith("GET ") for line in server.seen)


def test_the_readme_names_the_checks() -> None:
    """All of them, in their order."""
    text = sections((ROOT / "README.md").read_text(encoding="utf-8"))["Is everything ready?"]
    assert [name for row in cells(text)[2:] for name in row[0].split(", ")] == NAMES
