"""SIGKILL in the middle of commits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.ledger import open_ledger
from worker.words.model import Planned

from .support import planned

PROGRAM = Path(__file__).with_name("acknowledge.py")


@pytest.mark.parametrize("lines", [1, 50, 333])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, lines: int) -> None:
    """After a kill every acknowledged intent and result is in the ledger, and none without its intent."""
    run, session = planned(tmp_path, range(1, 5001))
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(tmp_path), str(session), str(run.first_seq), "5000"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() != 0

    intents = {int(line.split()[1]) for line in said if line.startswith("intent")}
    results = {int(seq) for line in said if line.startswith("result") for seq in line.split()[1:]}
    assert intents
    with open_ledger(tmp_path) as store:
        known, settled = set(), set()
        for line in store.results(run):
            assert isinstance(line.entry, Planned)
            seq = line.entry.seq
            if line.entry.attempts:
                assert (line.entry.attempts, line.entry.first_attempt_at) == (1, 5.0)
                known.add(seq)
            if line.record is not None:
                assert (line.final, line.record) == (True, b"r%d" % seq)
                settled.add(seq)
        assert known >= intents
        assert settled >= results
        assert known >= settled
        assert int(store.sessions(run)[0].counters or 0) == len(settled)
