"""Input of any kind, in any mix: what is an id is closed once, what is none is told."""

from __future__ import annotations

import gzip

import pytest

from tests.e2e.laws import check_laws, check_truth
from tests.e2e.support import FIRST, Program, a_world
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted

FORMATS: dict[str, bytes] = {
    "plain.txt": b"# October\n\n1001\n 1002 \n",
    "excel.csv": "\ufeffBatchID;Code\r\n1003;A\r\n1004;B\r\n".encode(),
    "utf16.csv": "name,batch_id\nx,1005\ny,1006\n".encode("utf-16"),
    "tabs.tsv": b"code\tid\na\t1007\nb\t1008\n",
    "numbers.json": b"[1009, 1010]",
    "objects.json": b'[{"batchId": 1011, "x": [1]}, {"batchId": 1012}]',
    "lines.jsonl": b'{"batchId": 1013}\n{"batchId": 1014}\n',
    "packed.txt.gz": gzip.compress(b"1015\n1016\n"),
    "packed.json.gz": gzip.compress(b"[1017, 1018]"),
}


def test_every_format_together(program: Program) -> None:
    """Arguments, a file of each format and standard input, in one run; each line remembers its place."""
    files = []
    for name, content in FORMATS.items():
        (program.folder / name).write_bytes(content)
        files.append(str(program.folder / name))
    with simulator_thread(world=a_world(22)) as simulator:
        ran = program.close(simulator, "1019", *files, "-", "1020", stdin=b"1021\n1022\n1021\n")
        check_laws(simulator, ran)
        check_truth(simulator, ran)
    assert ran.code == 0
    assert ran.summary["input"] == {"lines": 23, "ids": 22, "duplicates": 1, "invalid": 0}
    assert (ran.by_id[1021]["source"], ran.by_id[1021]["line"]) == ("stdin", 1)
    assert (ran.by_id[1004]["source"], ran.by_id[1004]["line"]) == (files[1], 3)
    assert ran.by_id[1020]["source"] == "arguments"


def test_lines_that_are_no_ids(program: Program) -> None:
    """Each is reported with file, line and text, the rest is closed, and duplicates are tried once."""
    bad = ["abc", "0", "-5", "2147483648", "1.5", "1e3", "99999999999999999999"]
    lines = ["1001", *bad, "1002", "1001", "01002"]
    with simulator_thread(world=a_world(3)) as simulator:
        ran = program.close(simulator, "-", "1003", "1003", stdin="\n".join(lines).encode())
        check_laws(simulator, ran)
        check_truth(simulator, ran)
        assert all(row["puts"] == 1 for row in simulator.world.truth().values())
    assert ran.code == 3
    invalid = [line for line in ran.results if line["outcome"] == "invalid"]
    assert [(line["input"], line["line"], line["source"]) for line in invalid] == [
        (text, number, "stdin") for number, text in enumerate(bad, start=2)
    ]
    assert all(line["batch_id"] is None for line in invalid)
    last = ["source", "line", "warnings", "account_period", "input"]
    assert all([*line][-5:] == last for line in invalid)
    assert ran.summary["input"] == {"lines": 13, "ids": 3, "duplicates": 3, "invalid": 7}
    assert len(ran.events("input.line_rejected")) == 7


@pytest.mark.parametrize("text", [b"", b"\n# nothing\n\n"])
def test_nothing_to_do(program: Program, text: bytes) -> None:
    """An empty input ends with exit 0 and every file written."""
    with simulator_thread(world=a_world(1)) as simulator:
        ran = program.close(simulator, "-", stdin=text)
        assert len(simulator.requests) == 0
    assert ran.code == 0
    assert len(list(ran.folder.iterdir())) >= 6
    assert (ran.folder / "results.jsonl").read_bytes() == b""
    assert ran.summary["input"] == {"lines": 0, "ids": 0, "duplicates": 0, "invalid": 0}


def test_retry_txt_feeds_back(program: Program) -> None:
    """What failed or is unknown goes into retry.txt, and a second run of it closes the rest."""
    ids = range(FIRST, FIRST + 6)
    faults = scripted(
        by_id={
            FIRST: script(put=["500"] * 5),
            FIRST + 1: script(put=["drop_after"], get=["500"] * 5),
            FIRST + 2: script(put=["403"]),
        }
    )
    with simulator_thread(Options(faults=faults), world=a_world(6)) as simulator:
        first = program.close(simulator, ids=ids)
        retry = first.folder / "retry.txt"
        assert (first.code, retry.read_text()) == (3, f"{FIRST}\n{FIRST + 1}\n")
        second = program.close(simulator, str(retry))
    assert second.code == 0
    assert {i: line["outcome"] for i, line in second.by_id.items()} == {
        FIRST: "closed",
        FIRST + 1: "already_closed",
    }
    assert (second.folder / "retry.txt").read_text() == ""
