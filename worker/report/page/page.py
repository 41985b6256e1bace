"""The page, piece by piece, so that no more than a few hundred results stand in memory at once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from worker.report.advice import why
from worker.report.page import view
from worker.report.page.charts import latency_chart, outcome_bar, progress_chart
from worker.report.page.money import Money, PeriodAmount, largest
from worker.report.page.rows import COLUMNS, json_for_page, row_of
from worker.report.page.svg import across, tag
from worker.report.page.timeline import Timeline, Working
from worker.rules.summary import Summary, printable
from worker.rules.summary.matching import Matcher
from worker.words.model import Outcome, Result

_TEMPLATE: Final = "report.html"
_STYLES: Final = ("page.css", "table.css", "print.css")
_SCRIPTS: Final = ("rows.js", "window.js", "table.js", "page.js")
_AT_ONCE: Final = 250
PLAIN_ROWS: Final = 500
"""A run of no more entries has its table where there is no script, too."""


def render_page(summary: Summary, results: Iterable[Result], ok: Collection[Outcome]) -> Iterator[bytes]:
    """The page of a run. ``results`` are taken once, in their order, while the pieces are."""
    page = Page(summary, results, ok)
    for piece in _environment().get_template(_TEMPLATE).generate(page=page, view=view, summary=summary):
        yield piece.encode("utf-8", "replace")


class Page:
    """What the template shows. ``rows`` comes first: what the results add up to is known after it."""

    def __init__(self, summary: Summary, results: Iterable[Result], ok: Collection[Outcome]) -> None:
        self._summary = summary
        self._results = results
        self._matcher = Matcher(summary.problems)
        self._timeline = Timeline(Working.of(summary))
        self._money = Money()
        self._base_ms = round(summary.started_at * 1000)
        self.outcomes = [(outcome, summary.outcomes.get(outcome, 0)) for outcome in Outcome]
        self.ok = frozenset(ok)
        self.plain: list[Result] = []
        self.entries = 0

    def rows(self) -> Iterator[Markup]:
        """The rows of the table as JSON arrays of some hundreds each."""
        results = iter(self._results)
        while some := list(islice(results, _AT_ONCE)):
            for result in some:
                self._timeline.add(result)
                self._money.add(result)
            self.plain += some[: max(0, PLAIN_ROWS - self.entries)]
            self.entries += len(some)
            place_of = self._matcher.place_of
            yield json_for_page([row_of(result, place_of(result), self._base_ms) for result in some])

    def told(self) -> Markup:
        """What the script has to know besides the rows."""
        spans_days = view.period(self._summary.started_at, self._summary.last_at).count(",") > 1
        return json_for_page(
            {
                "columns": COLUMNS,
                "outcomes": list(Outcome),
                "base": self._base_ms,
                "days": spans_days,
                "groups": [why(problem) for problem in self._summary.problems],
                "guards": {name: meaning for name, meaning, _ in view.warnings_of(self._summary)},
            }
        )

    @property
    def is_plain(self) -> bool:
        """Whether the table can do without the script."""
        return self.entries <= PLAIN_ROWS

    def outcome_bar(self) -> Markup:
        """How the batches ended."""
        return outcome_bar(self._summary.outcomes)

    def progress(self) -> Markup:
        """Progress and rate over time."""
        total = self._summary.input.ids
        return progress_chart(self._timeline, total, self._summary.pauses.longest)

    def latency(self) -> Markup:
        """How long answers took."""
        return latency_chart(self._summary.latency_buckets, self._summary.latency_ms)

    def money(self) -> Sequence[PeriodAmount]:
        """What was closed, by account period."""
        return self._money.sorted()

    def share_of(self, amount: PeriodAmount) -> Markup:
        """An amount as a bar beside the others."""
        most = largest(self.money())
        share = float(abs(amount.closed.running_total) / most) if most else 0.0
        bar = tag("rect", width=across(share), height="10", rx="2")
        return tag("svg", bar, class_="share", width="100%", height="10", aria_hidden="true")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=DictLoader({_TEMPLATE: _asset(_TEMPLATE)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = "\n".join(map(_asset, _STYLES)), _script()
    made.globals |= {
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "policy": _policy(style, script),
    }
    made.filters |= {"thousands": lambda number: f"{number:,}", "money": lambda amount: f"{amount:,.2f}"}
    made.filters |= {"cell": _cell}
    return made


def _script() -> str:
    inside = "\n".join(map(_asset, _SCRIPTS))
    return f'"use strict";\n(() => {{\n{inside}\n}})();'


def _policy(style: str, script: str) -> str:
    """Nothing from anywhere, and no style or script but the two that the page was made with."""
    allowed = f"style-src {_hash(style)}; script-src {_hash(script)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return resources.files("worker.report.page").joinpath("assets", name).read_text(encoding="utf-8")


def _cell(value: Any) -> str:
    return "" if value is None else printable(str(value), 200)
