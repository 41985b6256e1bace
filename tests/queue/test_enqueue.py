"""``enqueue``: what is added, what is refused, what is said."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.e2e.support import a_world
from tests.queue.support import ELSEWHERE, Queueing
from worker.cli.local.enqueue import enqueue
from worker.cli.options import settings_from
from worker.cli.queues import EnqueueOrder, Queue
from worker.cli.settings.queue import LOCAL
from worker.simulator.running import Simulator, simulator_thread
from worker.words.errors import ConfigurationError


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """An API that nothing here may ask."""
    with simulator_thread(world=a_world(1)) as running:
        yield running
        assert not len(running.requests)


def test_it_says_what_was_added_and_how_many_wait(program: Queueing, simulator: Simulator) -> None:
    """In words and as JSON; nothing is asked of the API, and no key is needed."""
    first = program.enqueue(simulator, ids=[1001, 1002, 1001])
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[:2] == [
        "Added 2 batches; 1 duplicate left out.",
        f"Waiting for {simulator.url}: 2 batches.",
    ]
    assert f"`batch-closer work --once --state {program.state}`" in first.out
    again = program.enqueue(simulator, "-", "--json", stdin=b"1002\n1003\n")
    assert orjson.loads(again.out) == {
        "base_url": simulator.url,
        "added": 1,
        "duplicates": 1,
        "invalid": 0,
        "waiting": 3,
    }
    assert program.waiting(simulator.url) == [1001, 1002, 1003]


def test_a_line_that_is_no_id_is_told_and_kept_for_the_report(
    program: Queueing, simulator: Simulator
) -> None:
    """The others wait too; exit 3. A key that slipped into the input gets into no file."""
    program.environment(ENERGYCAP_API_KEY=simulator.key)
    told = ("--base-url", simulator.url, "--state", str(program.state))
    ran = program.raw("enqueue", "-", *told, stdin=f"1001\nabc\n{simulator.key}\n".encode())
    assert ran.code == 3
    lines = [orjson.loads(line) for line in ran.err.splitlines()]
    assert [(line["event"], line["line"], line["input"]) for line in lines] == [
        ("input.line_rejected", 2, "abc"),
        ("input.line_rejected", 3, "***"),
    ]
    assert "1 batch; 2 invalid lines kept for the report." in ran.out
    assert program.waiting(simulator.url) == [1001, "abc", "***"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no batch is named"),
        (("1001", "missing.csv"), "missing.csv: no such file"),
        (("1001", "late.csv"), "late.csv"),
        (("1001", "--max-batches", "1", "1002"), "2 batches would be added, and --max-batches allows 1"),
        (("1001", "--queue", "redis://u:secret@host/0?x=secret"), "redis://host/0 can't be used"),
        (("1001", "--queue", "http://[u:secret"), "can't be used"),
        (("1001", "--queue", "somewhere"), "'somewhere' can't be used"),
        (("1001", "--base-url", "http://example.com"), "must be https"),
        (("--list", "1001"), "leave TARGETs"),
        (("--take-back", "--wait", "1001"), "leave --wait out"),
        (("--take-back",), "no batch is named"),
        (("--list", "--queue", "redis://host/0"), "leave --queue out"),
    ],
)
def test_what_is_refused(
    program: Queueing, simulator: Simulator, arguments: tuple[str, ...], told: str
) -> None:
    """One line that says why, exit 2, and nothing is added."""
    (program.folder / "late.csv").write_bytes(b"id\n1001\n1002\n" + b"1\n" * 40_000 + b"\xff\xfe\n")
    named = [str(program.folder / word) if word.endswith(".csv") else word for word in arguments]
    own = () if "--base-url" in arguments else ("--base-url", simulator.url)
    ran = program.raw("enqueue", *named, *own, "--state", str(program.state))
    assert ran.code == 2, ran.err
    (line,) = ran.err.splitlines()
    assert told in line
    assert "secret" not in line
    assert ran.out == ""
    assert program.waiting(simulator.url) == []


def test_a_base_url_is_needed(program: Queueing) -> None:
    """For ids of two hosts must never mix."""
    ran = program.raw("enqueue", "1001", "--state", str(program.state))
    assert ran.code == 2
    assert "no base URL" in ran.err


def test_what_the_worker_decides_is_not_asked_for_here(program: Queueing) -> None:
    """A guard or a bound that would go unheeded is refused, by its name."""
    settings = settings_from({"api__base_url": ELSEWHERE, "output__state": str(program.state)}, None)
    for flags, run_id, told in (
        ({"--max-batches", "--guard"}, None, "--guard is for whoever closes"),
        (set(), "r", "--run-id is for whoever closes"),
    ):
        order = EnqueueOrder(
            queue=Queue(LOCAL),
            settings=settings,
            entries=[],
            flags=frozenset(flags),
            agreed=True,
            waits=False,
            as_json=False,
            run_id=run_id,
        )
        with pytest.raises(ConfigurationError, match=told):
            enqueue(order)


def test_what_waits_can_be_seen_and_taken_back(program: Queueing, simulator: Simulator) -> None:
    """As an input for other verbs, and with where it came from."""
    program.enqueue(simulator, "-", ids=[1001], stdin=b"1002\nabc\n1002\n")
    told = ("--base-url", simulator.url, "--state", str(program.state))
    assert program.raw("enqueue", "--list", *told).out == "1001\n1002\nabc\n"
    rows = [orjson.loads(line) for line in program.raw("enqueue", "--list", "--json", *told).out.splitlines()]
    assert [(row["batch_id"], row["source"], row["line"], row["repeats"]) for row in rows] == [
        (1001, "arguments", 1, 0),
        (1002, "stdin", 1, 1),
        (None, "stdin", 2, 0),
    ]
    assert rows[2]["input"] == "abc"
    back = program.raw("enqueue", "--take-back", "-", *told, stdin=b"1002\nabc\n7\n")
    assert back.code == 0
    assert back.out == f"Took back 1 batch.\nWaiting for {simulator.url}: 1 batch.\n"
    assert program.waiting(simulator.url) == [1001]


def test_ids_go_by_as_a_stream(program: Queueing, tmp_path: Path) -> None:
    """A million ids do not become a million objects: an id takes fewer bytes than an object would."""
    file, count = tmp_path / "ids.txt", 60_000
    file.write_text("".join(f"{batch_id}\n" for batch_id in range(1, count + 1)), encoding="utf-8")
    tracemalloc.start()
    try:
        ran = program.raw("enqueue", str(file), "--base-url", ELSEWHERE, "--state", str(program.state))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ran.code == 0
    assert peak < 50 * count
