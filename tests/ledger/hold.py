"""A process that, at a word, takes the lock, says how that went, and holds it until its input ends.

Arguments: the state folder, the API host, the run's name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from worker.ledger import Holder, RunLock
from worker.words.errors import LockedError

folder, api_host, run = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
try:
    with RunLock(folder, api_host, Holder(pid=os.getpid(), host="server", run=run, since=1_760_000_000.0)):
        print("held", flush=True)
        sys.stdin.read()
except LockedError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
