"""What a run did, as data: totals that add up whatever the order the results came in.

``Counters``, ``Latency`` and ``Tally`` are folds that can be merged, so that the sessions of a run add up.
``Summary`` is the record that every report is rendered from; its keys are those of summary.json.
"""

from worker.rules.summary.counters import Counters, Latency, LatencyMs
from worker.rules.summary.forms import at_of, instant, printable, two_places
from worker.rules.summary.problems import Problem
from worker.rules.summary.record import InputCounts, KeyOwner, Rate, Summary, Verified, exit_code_of
from worker.rules.summary.spans import Pauses, Span
from worker.rules.summary.tally import Closed, Tally

__all__ = [
    "Closed",
    "Counters",
    "InputCounts",
    "KeyOwner",
    "Latency",
    "LatencyMs",
    "Pauses",
    "Problem",
    "Rate",
    "Span",
    "Summary",
    "Tally",
    "Verified",
    "at_of",
    "exit_code_of",
    "instant",
    "printable",
    "two_places",
]
