"""report.html: one file for people, made from the summary and the results and from nothing else."""

from worker.report.page.page import render_page

__all__ = ["render_page"]
