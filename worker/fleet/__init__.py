"""A queue that many workers share, on Redis or Valkey Streams: leases, results that exist once, one pace.

The stream that has the queue's name holds messages of flat text fields (``rules.message``); a consumer
group gives them out; every step that must not be torn apart is one script in ``lua/``. Beside it, with
the queue's name as hash tag: a hash, a results stream and counts for each run, the dead letters, and
``meta`` with the one base URL that the queue is for.
"""

from worker.fleet.address import Address, parse_address
from worker.fleet.book import Book
from worker.fleet.ear import Ear
from worker.fleet.header import Header, Lesson
from worker.fleet.line import Line
from worker.fleet.meter import Meter
from worker.fleet.names import Names, pace_key
from worker.fleet.opening import open_line
from worker.fleet.pacer import SharedPacer
from worker.fleet.persistence import trouble_with_persistence
from worker.fleet.queue import RedisQueue
from worker.fleet.results import Entry
from worker.fleet.runs import Runs
from worker.fleet.worker import Worker

__all__ = [
    "Address",
    "Book",
    "Ear",
    "Entry",
    "Header",
    "Lesson",
    "Line",
    "Meter",
    "Names",
    "RedisQueue",
    "Runs",
    "SharedPacer",
    "Worker",
    "open_line",
    "pace_key",
    "parse_address",
    "trouble_with_persistence",
]
