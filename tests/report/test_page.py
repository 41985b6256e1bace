"""The page agrees with the summary and the results, and lets nothing run but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.pages import mixed, result, stopped_run, summary_of
from worker.report.page import render_page
from worker.report.page.page import PLAIN_ROWS
from worker.report.page.rows import COLUMNS, json_for_page
from worker.rules.summary import Summary, instant
from worker.words.model import FINE_BY_DEFAULT, Outcome, Result, Stopped

from .support import odd_results, odd_text


def page(results: list[Result], summary: Summary | None = None) -> str:
    """The page of a run."""
    return b"".join(render_page(summary or summary_of(results), results, FINE_BY_DEFAULT)).decode()


class Seen(HTMLParser):
    """The elements of a page, and what stands in its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.raw:
            self.raw[str(self.cdata_elem)][-1] += data

    @property
    def rows(self) -> list[dict[str, object]]:
        """The rows of the table, by the names of the columns."""
        parts = json.loads(self.raw["script"][0])
        return [dict(zip(COLUMNS, row, strict=False)) for part in parts for row in part]


def test_the_rows_are_the_results() -> None:
    """Each result is a row with its evidence, in input order, and says to which problem it belongs."""
    results = [*mixed(600), result(601, Outcome.INVALID)]
    summary = summary_of(results)
    rows = Seen(page(results, summary)).rows
    assert [row["id"] for row in rows] == [each.batch_id for each in results]
    assert [list(Outcome)[int(str(row["outcome"]))] for row in rows] == [each.outcome for each in results]
    for place, problem in enumerate(summary.problems):
        ids = [row["id"] for row in rows if row.get("problem") == place]
        assert len(ids) == problem.count
        assert tuple(ids[:10]) == (problem.first_ids or (None,))
    row, each = rows[0], results[0]
    assert (row["code"], row["total"], row["period"]) == (each.batch_code, str(each.running_total), "2026-11")
    assert (row["source"], row["line"], row["settled"]) == ("november.csv", 2, 125)


def test_nothing_runs_but_its_own_script() -> None:
    """The policy allows one style and one script by their hashes; no attribute holds either."""
    text = page(list(mixed(40)))
    seen = Seen(text)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    allowed = dict(part.strip().split(" ", 1) for part in policy.replace("&#39;", "'").split(";"))
    assert allowed["default-src"] == "'none'"
    for kind, source in (("style-src", seen.raw["style"][0]), ("script-src", seen.raw["script"][-1])):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert allowed[kind] == f"'sha256-{digest}'"
    assert not [name for name in seen.attributes if name == "style" or name.startswith("on")]
    assert "http" not in seen.raw["style"][0] + seen.raw["script"][-1]


@pytest.mark.parametrize("odd", ["</script>", "</script ><img src=x>", "<!-- <script >", "&lt;", "]]>"])
def test_json_in_the_page(odd: str) -> None:
    """No text can end the element that the rows stand in, or begin another; read back, it is the same."""
    text = json_for_page([odd, 2**70])
    assert not set(text) & set("<>&")
    assert json.loads(text) == [odd, None]


def test_without_a_script() -> None:
    """A small run has its table all the same; a large one names the file that has it."""
    small, large = page(list(mixed(PLAIN_ROWS))), page(list(mixed(PLAIN_ROWS + 1)))
    assert Seen(small).tags.count("tr") > PLAIN_ROWS
    assert Seen(large).tags.count("tr") < 20
    assert "too many for a table without a script" in large


def test_what_must_not_be_missed() -> None:
    """Why a run was stopped and how to continue it stand first; so does a proof that disagrees."""
    results, told = stopped_run()
    text = page(results, summary_of(results, **told))
    assert text.index("Stopped early: the deadline passed") < text.index("batches closed")
    assert "batch-closer resume month-end" in text
    assert "Nothing was read again" in text


@pytest.mark.parametrize("results", [list(mixed(40)), [result(1)], [result(1, Outcome.NOT_ATTEMPTED)], []])
def test_unfinished(results: list[Result]) -> None:
    """A run that has not come to its end says so first, and nowhere that nothing is left to do."""
    text = page(results, summary_of(results, finished_at=None, exit_code=None))
    assert text.index("<h2>Unfinished: ") < text.index("batches closed")
    assert "batch-closer resume month-end" in text
    assert "none yet" in text
    assert "UTC on" in text
    assert "Nothing is left to do" not in text
    assert "runs retry" not in text


@settings(max_examples=30)
@given(st.lists(odd_results, max_size=6), odd_text, st.none() | st.sampled_from(Stopped))
def test_odd_text(results: list[Result], odd: str, stopped: Stopped | None) -> None:
    """Whatever stands in a result, the page has the same elements, valid JSON and only what can be shown."""
    plain = [
        each._replace(reason="x", message="y", batch_code="z", source="s", end_date=None, input="i")
        for each in results
    ]
    odd_ones = summary_of(results, stopped=stopped, stopped_by=odd, run_id=odd, base_url=odd)
    seen = Seen(page(results, odd_ones))
    same = summary_of(plain, stopped=stopped, stopped_by="by", run_id="r", base_url="u")
    assert {*seen.tags} <= {*Seen(page(plain, same)).tags} | {"q", "details", "summary"}
    assert len(seen.rows) == len(results)
    assert len(seen.raw["script"]) == 3
    assert all(line.isprintable() for line in page(results, odd_ones).split("\n"))


@pytest.mark.parametrize("odd", [-1e9, 0.0, 1e12, 4e9])
def test_odd_clocks(odd: float) -> None:
    """A clock that jumped does no harm to the charts."""
    results = [result(1, settled_at=odd, first_attempt_at=odd), result(2)]
    assert page(results).count("<svg") > 3
    assert instant(0)
