"""Traces by OpenTelemetry, where its environment asks for them. Loads nothing of it otherwise."""

from worker.telemetry.traces.asked import is_asked
from worker.telemetry.traces.watching import Spans, watched

__all__ = ["Spans", "is_asked", "watched"]
