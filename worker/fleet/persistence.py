"""Does the store keep what it is told? Asked once, for a warning."""

from __future__ import annotations

from worker.fleet.line import Line


async def trouble_with_persistence(line: Line) -> str | None:
    """Why a crash of the store would lose results; None where it wouldn't, or where the store doesn't say."""
    from worker.fleet.failures import FOREIGN

    try:
        told = await line.redis.info("persistence")
        if told.get("aof_enabled"):
            config = await line.redis.config_get("appendfsync")
            return None if config.get("appendfsync") != "no" else "appendfsync is no"
    except FOREIGN:
        return None  # not allowed to ask, as with many hosted stores
    return "it keeps no append-only file (appendonly no): a crash of it loses what was recorded last"
