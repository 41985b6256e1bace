"""Rules and dashboard in deploy/prometheus ask for what the program tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.support import ROOT, cells
from tests.operators.test_metrics import full_standing
from worker.telemetry.metrics import exposition

FOLDER = ROOT / "deploy" / "prometheus"
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
RULES = dict(re.findall(r"- alert: (\w+)\n(?: +#.*\n)* +expr: (.*)\n", ALERTS))
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
TOLD = {
    family.name: family.samples[0].labels
    for family in text_string_to_metric_families(exposition(full_standing()).decode())
}
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard with its panel's title."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def names_in(expression: str) -> set[str]:
    """The series that a query names."""
    return set(re.findall(r"batch_closer_\w+", expression))


def promtool(*arguments: object) -> str:
    """What promtool says, if it is content."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=FOLDER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_the_alerts_fire_when_they_should_and_not_otherwise() -> None:
    """promtool runs their tests."""
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    tested = (FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
    assert ALERTS.count("- alert: ") == len(RULES) == 6
    assert not [alert for alert in RULES if f"alertname: {alert}\n        exp_alerts" not in tested]


def test_alerts_and_dashboard_name_series_that_are_told() -> None:
    """Their label names too; and what is told is all shown."""
    asked: set[str] = set()
    for where, expression in [*RULES.items(), *expressions()]:
        asked |= names_in(expression)
        assert names_in(expression), where
        for name, matchers in re.findall(r"(batch_closer_\w+)\{(.*?)\}", expression):
            assert set(re.findall(r"(\w+)=", matchers)) <= set(TOLD[name]), where
    assert asked <= set(TOLD)
    (hosts,) = (each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query")
    assert names_in(hosts) <= set(TOLD)
    unshown = set(TOLD) - asked - {"batch_closer_build_info", "batch_closer_last_run_timestamp_seconds"}
    assert unshown == {"batch_closer_run_started_timestamp_seconds", "batch_closer_last_run_verified_batches"}


def test_the_dashboards_panels_fit() -> None:
    """Each has its number, its place and words that explain it; none covers another."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        place = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert x + w <= 24
        assert not taken & place, panel["title"]
        taken |= place
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
        legends = " ".join(target["legendFormat"] for target in panel["targets"])
        labels = set().union(*(TOLD[name] for _, expr in expressions() for name in names_in(expr)))
        assert set(re.findall(r"\{\{(\w+)\}\}", legends)) <= labels


@needs_promtool
def test_the_dashboards_queries_are_promql(tmp_path: Path) -> None:
    """promtool takes each of them as the expression of a rule."""
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$api_host", ".*")}
        for number, (_, expression) in enumerate(expressions())
    ]
    file = tmp_path / "dashboard.yml"
    # JSON is YAML too.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)


def test_the_page_lists_every_series_and_alert() -> None:
    """With their labels; and no other."""
    rows = cells((FOLDER / "README.md").read_text(encoding="utf-8"))
    listed = {f"batch_closer_{name}": row[1] for row in rows if len(row) == 3 for name in row[0].split(", ")}
    series = {name: label for name, label in listed.items() if name in TOLD}
    assert series == {name: ", ".join(sorted(set(labels) - {"api_host"})) for name, labels in TOLD.items()}
    alerts = [row[0] for row in rows if row[0].startswith("BatchCloser")]
    assert alerts == list(RULES)
