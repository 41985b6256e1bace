"""The report's charts: pure functions from numbers to inline SVG."""

from worker.report.page.charts.latency import latency_chart
from worker.report.page.charts.outcomes import outcome_bar
from worker.report.page.charts.progress import progress_chart

__all__ = ["latency_chart", "outcome_bar", "progress_chart"]
