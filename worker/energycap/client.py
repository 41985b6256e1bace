"""The client that can close: the reader, and the one write."""

from __future__ import annotations

from collections.abc import Awaitable

from worker.energycap.reader import Reader
from worker.words.answer import Answer


class EnergyCap(Reader):
    """The API with its one write."""

    def close(self, batch_id: int) -> Awaitable[Answer]:
        """Close a batch: ``PUT /api/v3/batch/close/{batchId}``, with an empty body as the SDK sends it."""
        return self._ask_about("PUT", f"/api/v3/batch/close/{batch_id}", batch_id)
