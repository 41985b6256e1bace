"""What may be wrong with the API, the way to it, or the key."""

from __future__ import annotations

import socket
from typing import NamedTuple

import pytest

from tests.check.support import KEY, ME, OPEN, Checker, good, http, serving
from worker.simulator.options import Options, Unknowns
from worker.simulator.running import simulator_thread

ACCESS = {"user", "environment", "close_own", "close_others"}
READING = {"list", "filter", "export_ap", "export_gl"}
CLOSED = [{"batchId": 1, "batchStatus": "closed"}]


class Fault(NamedTuple):
    """A server's answers, and what must come of them."""

    answers: dict[str, bytes | list[bytes]]
    code: int = 0
    failed: str | None = None
    warnings: tuple[str, ...] = ()
    says: str = ""  # in what the failed check, or the first warning, found or advises
    skipped: frozenset[str] = frozenset()


def _me(**changed: object) -> dict[str, bytes | list[bytes]]:
    return {"/me": good({**ME, **changed})}


def _may(**bills: bool) -> dict[str, bytes | list[bytes]]:
    return _me(permissions={"billsAndBatches": bills})


LATER = http("429 Slow", b"", "Retry-After: 3600")
REST = frozenset({"clock", "key_accepted", *ACCESS, *READING})
FAULTS = {
    "dropped": Fault({"/me": b""}, 5, "answer", says="lost", skipped=REST),
    "no HTTP": Fault({"/me": b"SSH-2.0-OpenSSH\r\n\r\n"}, 5, "answer", says="no HTTP", skipped=REST),
    "cut short": Fault({"/me": good(ME)[:-5]}, 5, "answer", says="truncated", skipped=REST),
    "redirect": Fault(
        {"/me": http("302 Go", b"", "Location: http://127.0.0.1:9/")},
        3,
        "answer",
        says="redirect",
        skipped=REST,
    ),
    "key refused": Fault(
        {"/me": http("401 No")},
        5,
        "key_accepted",
        says="ENERGYCAP_API_KEY",
        skipped=frozenset({*ACCESS, *READING}),
    ),
    "trouble, then none": Fault({"/me": [http("503 Oh"), good(ME)]}),
    "trouble": Fault({"/me": http("502 Oh")}, 0, None, ("answer", *sorted(ACCESS)), "trouble"),
    "throttled for long": Fault({"/me": LATER}, 0, None, ("answer", *sorted(ACCESS)), "3,600 s"),
    "a login page": Fault(
        {"/me": http("200 OK", b"<html>"), "/batch": http("200 OK", b"<html>")},
        3,
        "list",
        ("key_accepted", *sorted(ACCESS)),
        says="not_a_list",
    ),
    "says nothing of the user": Fault(_me(**dict.fromkeys(ME)), 0, None, tuple(sorted(ACCESS)), "unknown"),
    "no permissions told": Fault(_me(permissions=None), 0, None, ("close_own", "close_others"), "unknown"),
    "may not close": Fault(_may(create=False, manage=True), 3, "close_own", says="Create"),
    "own batches alone": Fault(_may(create=True, manage=False), 0, None, ("close_others",), "Manage"),
    "list forbidden": Fault(
        {"/batch": http("403 No")}, 3, "list", says="View", skipped=frozenset({"filter"})
    ),
    "all forbidden": Fault(
        {"/me": http("403 No"), "/batch": http("403 No")}, 3, "list", tuple(sorted(ACCESS)), says="HTTP 403"
    ),
    "list in trouble": Fault({"/batch": http("500 Oh")}, 3, "list", says="HTTP 500"),
    "list throttled": Fault({"/batch": LATER}, 3, "list", says="HTTP 429"),
    "list dropped": Fault({"/batch": b""}, 3, "list", says="disconnected"),
    "rows that are no batches": Fault({"/batch": good([*OPEN, {"x": 1}])}, 0, None, ("list",), "1 of 2 rows"),
    "filter ignored": Fault({"/batch": good(CLOSED)}, 0, None, ("filter",), "batchStatus"),
    "filter refused": Fault({"filter=": http("400 No"), "/batch": good(CLOSED)}, 0, None, ("filter",)),
    "export unreadable": Fault(
        {"/workflow": http("403 No", b"not yours")}, 0, None, ("export_ap", "export_gl"), "not yours"
    ),
    "export odd": Fault({"/workflow": good({"canExport": "on Tuesdays"})}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(checker: Checker, name: str) -> None:
    """It fails or warns at the one check it is about, with a remedy; what builds on it is skipped."""
    fault = FAULTS[name]
    with serving(fault.answers) as server:
        checked = checker(server.url)
        assert len(server.seen) <= 8
        assert all(line.startswith("GET ") for line in server.seen)
    assert checked.code == fault.code
    assert checked.named("failed") == ([fault.failed] if fault.failed else [])
    assert set(checked.named("warning")) == set(fault.warnings)
    assert set(checked.named("skipped")) >= fault.skipped
    about = fault.failed or next(iter(fault.warnings), None)
    assert about is None or fault.says in checked.found(about)


@pytest.mark.parametrize("me", [403, 404])
def test_me_may_be_unavailable(checker: Checker, me: int) -> None:
    """Then the list shows that the key is accepted, and who it is stays unknown."""
    with simulator_thread(Options(key=KEY, unknowns=Unknowns(me=me))) as simulator:
        checked = checker(simulator.url)
    assert checked.code == 0
    assert checked.state("key_accepted") == "ok"
    assert all("unknown" in checked.found(name) for name in ACCESS)


def test_a_key_that_only_the_list_refuses(checker: Checker) -> None:
    """Where /me does not tell, a 401 for the list counts as a refused key: exit 5, and it says why."""
    with serving({"/me": http("404 No"), "/batch": http("401 No")}) as server:
        checked = checker(server.url)
        assert len(server.seen) == 4  # another filter would fare no better
    assert checked.code == 5
    assert checked.named("failed") == ["key_accepted", "list"]
    assert "/me does not tell: HTTP 404" in checked.found("key_accepted")


@pytest.mark.parametrize(
    ("offset_s", "state", "words"), [(300, "warning", "behind"), (-300, "warning", "ahead"), (20, "ok", "")]
)
def test_the_clock(checker: Checker, offset_s: float, state: str, words: str) -> None:
    """More than a minute apart is a warning that says which way."""
    with simulator_thread(Options(key=KEY, unknowns=Unknowns(clock_offset_s=offset_s))) as simulator:
        checked = checker(simulator.url)
    assert checked.code == 0
    assert checked.state("clock") == state
    assert words in checked.found("clock")


def test_no_date(checker: Checker) -> None:
    """Without a Date header the clocks can't be compared."""
    with serving({}) as server:
        assert checker(server.url).state("clock") == "skipped"


@pytest.mark.parametrize("can_export", ["never", "after entry", "after approval", "after batch approval"])
def test_what_a_close_releases(checker: Checker, can_export: str) -> None:
    """Only ``after batch`` releases bills by the close itself."""
    with simulator_thread(Options(key=KEY, can_export=can_export)) as simulator:
        checked = checker(simulator.url)
    assert checked.state("export_gl") == "ok"
    assert "RELEASES" not in checked.found("export_gl")
    assert can_export in checked.found("export_gl")


def test_nobody_listens(checker: Checker) -> None:
    """A refused connection: exit 5, the API's checks skipped, this machine's made all the same."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        checked = checker(f"https://127.0.0.1:{unused.getsockname()[1]}")
    assert checked.code == 5
    assert checked.named("failed") == ["connection"]
    assert set(checked.named("skipped")) == {"dns", "tls", "answer", *REST}
    assert checked.state("lock") == "ok"


def test_an_answer_that_never_comes(checker: Checker) -> None:
    """The time-out ends it, and it isn't waited for twice."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        checked = checker(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.2")
    assert checked.code == 5
    assert "in time" in checked.found("answer")


def test_a_proxy_that_is_not_there(checker: Checker) -> None:
    """The connection fails, the host's name is left to the proxy, whose URL is not shown."""
    checker.program.environment(HTTPS_PROXY="http://user:pass@127.0.0.1:9", NO_PROXY="")
    checked = checker("https://energycap.invalid")
    assert checked.code == 5
    assert checked.named("failed") == ["connection"]
    assert "HTTPS_PROXY" in checked.found("connection")
    assert "proxy" in checked.found("dns")
    assert "pass" not in checked.ran.out
