"""Log events as text: JSON lines for programs, console lines for people. No control characters get out."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

import orjson
import structlog

from worker.rules.summary import printable

_KNOWN: Final = (str, int, float, Decimal, PurePath, list, tuple, dict)
_HEAD: Final = ("timestamp", "level", "event")


def json_line(event: dict[str, Any]) -> bytes:
    """An event as one line of JSON. Foreign objects are named by type only: their text might hold the key."""
    try:
        return orjson.dumps(event, default=_foreign, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, a number beyond 64 bits or a key that is no text
        return orjson.dumps(_mended(event), option=orjson.OPT_APPEND_NEWLINE)


def _foreign(value: object) -> str:
    return str(value) if isinstance(value, Decimal | PurePath) else f"<{type(value).__name__}>"


def _mended(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, dict):
        return {str(_mended(key)): _mended(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(each) for each in value]
    text = str(value) if isinstance(value, str | int) else _foreign(value)
    return text.encode("utf-8", "replace").decode()


def terminal_safe(line: bytes) -> str:
    """A line of JSON without its newline, meaning the same, in which every odd character is escaped."""
    text = line.rstrip(b"\n").decode()
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def console_renderer(colour: bool) -> Callable[[dict[str, Any]], str]:
    """A function that renders an event for people: short, in one line, nulls left out."""
    render = structlog.dev.ConsoleRenderer(
        colors=colour and os.name != "nt",  # there it would need another library
        pad_event_to=0,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )

    def line(event: dict[str, Any]) -> str:
        sentence = _SENTENCES.get(event["event"])
        shown = {key: value for key, value in event.items() if value is not None}
        if sentence is not None:
            shown = {key: shown[key] for key in _HEAD} | {"event": sentence(event)}
        shown = {printable(str(key), 60): _shown(value) for key, value in shown.items()}
        shown["timestamp"] = event["timestamp"][11:19] + "Z"
        return str(render(None, "", shown))

    return line


def _settled(event: dict[str, Any]) -> str:
    status, reason = event.get("http_status"), event.get("reason")
    why = f"HTTP {status}" if status is not None and reason in {None, f"http_{status}"} else reason
    subject = f"batch {event.get('batch_id')}" if event.get("batch_id") is not None else "input line"
    words = f"{subject} {event.get('outcome')}" + (f" ({why})" if why else "")
    return f"{words}: {event['message']}" if event.get("message") else words


def _line_rejected(event: dict[str, Any]) -> str:
    return f"{event.get('source')} line {event.get('line')} is no batch id: {event.get('input')}"


def _paused(event: dict[str, Any]) -> str:
    return f"paused for {event.get('wait_s')} s ({event.get('reason')})"


def _stopping(event: dict[str, Any]) -> str:
    if event.get("at_once"):
        return f"stopping at once ({event.get('stopped_by')})"
    ids = event.get("batch_ids")
    at = f" at batches {', '.join(map(str, ids))}" if isinstance(ids, list | tuple) and ids else ""
    words = f"stopping ({event.get('stopped')}: {event.get('stopped_by')}{at}): nothing new is begun"
    return f"{words}; once more stops at once" if event.get("stopped") == "signal" else words


def _started(event: dict[str, Any]) -> str:
    counts = event.get("input")
    ids = counts.get("ids") if isinstance(counts, dict) else None
    again = f", session {event['session']}" if event.get("session") not in {None, 1} else ""
    many = "batch" if ids == 1 else "batches"
    return f"run {event.get('run_id')} started{again}: {ids} {many} at {event.get('base_url')}"


def _finished(event: dict[str, Any]) -> str:
    took, code = event.get("duration_s"), event.get("exit_code")
    return f"run {event.get('run_id')} ended after {took} s, exit code {code}"


_SENTENCES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "batch.settled": _settled,
    "input.line_rejected": _line_rejected,
    "run.started": _started,
    "run.paused": _paused,
    "run.stopping": _stopping,
    "run.finished": _finished,
}
"""The events that people read most, as a sentence each; the others are shown as name and fields."""


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = " ".join(f"{key}={each}" for key, each in value.items())
    return printable(str(value) if isinstance(value, _KNOWN) else f"<{type(value).__name__}>")
