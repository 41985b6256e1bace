"""Metrics for node_exporter's textfile collector. Loaded only where they are asked for."""

from worker.telemetry.metrics.file import check_place, write
from worker.telemetry.metrics.keeper import Keeper
from worker.telemetry.metrics.series import Standing, UnderWay, exposition

__all__ = ["Keeper", "Standing", "UnderWay", "check_place", "exposition", "write"]
