"""The keys of a queue and of a pace. What scripts build by themselves is in ``lua/common.lua``."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

GROUP = "workers"


class Names(NamedTuple):
    """The keys of one queue; its name is their hash tag, so that a cluster keeps them together."""

    queue: str

    @property
    def tag(self) -> str:
        """What every other key begins with."""
        return f"{{{self.queue}}}:"

    @property
    def stops(self) -> str:
        """The channel that tells of a run's stop."""
        return f"{self.tag}stops"

    @property
    def runs(self) -> str:
        """All runs by the time they were made."""
        return f"{self.tag}runs"

    @property
    def dead(self) -> str:
        """The dead letters."""
        return f"{self.tag}dead"

    @property
    def meta(self) -> str:
        """What holds for the whole queue."""
        return f"{self.tag}meta"

    def run(self, run_id: str, part: str = "") -> str:
        """A key of a run."""
        return f"{self.tag}run:{run_id}{part and f':{part}'}"


def pace_key(base_url: str, key: str) -> str:
    """The key of the pace of all who use this API host with this key; nobody can learn the key from it."""
    mark = hmac.new(key.encode(), b"batch-closer pace", hashlib.sha256).hexdigest()[:16]
    return f"{{batch-closer-pace}}:{base_url}:{mark}"
