"""A redirect is never followed: the key would go along."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, Program, a_world
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import fault_plan, script, scripted


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Another origin that listens."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        listening.setblocking(False)
        yield listening


def origin(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def nobody_came(listening: socket.socket) -> bool:
    try:
        caller, _ = listening.accept()
    except BlockingIOError:
        return True
    caller.close()
    return False


def test_a_redirect_goes_nowhere(program: Program, elsewhere: socket.socket) -> None:
    """Redirected closes and reads: the other origin sees no connection at all."""
    ids = range(FIRST, FIRST + 6)
    scripts = [
        script(put=["redirect"]),
        script(put=["redirect_after"]),
        script(put=["redirect"], get=["redirect"]),
        script(put=["500"], get=["redirect"] * 5),
        script(put=["401"]),
        script(put=["ok"]),
    ]
    faults = scripted(by_id=dict(zip(ids, scripts, strict=True)), me=["redirect"])
    options = Options(faults=faults, redirect_to=origin(elsewhere))
    with simulator_thread(options, world=a_world(6)) as simulator:
        ran = program.close(simulator, ids=ids)
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    told = [(ran.by_id[i]["outcome"], ran.by_id[i]["reason"]) for i in ids[:4]]
    assert told == [
        ("rejected", "redirect"),
        ("closed", None),
        ("rejected", "redirect"),
        ("unknown", "http_500"),
    ]
    assert nobody_came(elsewhere)


def test_a_host_that_redirects_everything(program: Program, elsewhere: socket.socket) -> None:
    """A wrong base URL: every batch is rejected for the redirect, with its status, and nobody is called."""
    faults = fault_plan(shares=["redirect=100%"])
    options = Options(faults=faults, redirect_to=origin(elsewhere))
    with simulator_thread(options, world=a_world(10)) as simulator:
        ran = program.close(simulator, "--abort", "none", ids=range(FIRST, FIRST + 10))
        check_laws(simulator, ran)
    assert ran.code == 3
    assert {(r["outcome"], r["reason"], r["http_status"]) for r in ran.results} == {
        ("rejected", "redirect", 302)
    }
    assert nobody_came(elsewhere)
