"""Whether everything is ready for a close: what was found becomes checks, and checks an exit code."""

from worker.rules.readiness.access import BatchesAsked, export_setting, goes_on, key_accepted, listing, rights
from worker.rules.readiness.record import Check, CheckState, Readiness, failed, ok, skipped, warning
from worker.rules.readiness.way import clock, is_answered, way, worth_another

__all__ = [
    "BatchesAsked",
    "Check",
    "CheckState",
    "Readiness",
    "clock",
    "export_setting",
    "failed",
    "goes_on",
    "is_answered",
    "key_accepted",
    "listing",
    "ok",
    "rights",
    "skipped",
    "warning",
    "way",
    "worth_another",
]
