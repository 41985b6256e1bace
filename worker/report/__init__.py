"""What a run leaves behind for people and programs: result lines, report files and the text summary."""

from worker.report.files import write_reports
from worker.report.lines import line_of, parse_line
from worker.report.markdown import render_markdown
from worker.report.results import ResultsFile, write_results
from worker.report.text import render_text

__all__ = [
    "ResultsFile",
    "line_of",
    "parse_line",
    "render_markdown",
    "render_text",
    "write_reports",
    "write_results",
]
