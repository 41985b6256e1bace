"""Bodies of any shape: read up to a cap, and make of them what can be made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape

import orjson
from pydantic import ValidationError

from worker.energycap.wire import Response
from worker.words.model import Batch

LARGEST_BATCH = 1 << 20
"""A BatchResponse is under 2 KB; what is larger than a MiB is none."""
LARGEST_MESSAGE = 1 << 16
_LONGEST_MESSAGE = 300
_WORDS = ("message", "detail", "errormessage", "error_description", "error", "title", "errors")


def at_hand(response: Response, cap: int) -> bytes | None:
    """The body where all of it came with the headers and is no larger than ``cap`` bytes, else None."""
    content = response.content
    return content.read_nowait() if content.is_eof() and content.total_bytes <= cap else None


async def read_capped(response: Response, cap: int) -> bytes | None:
    """The body in full, or None where it is larger than ``cap`` bytes (the connection is then given up)."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > cap:
            response.close()
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def to_batch(body: bytes) -> Batch | None:
    """A BatchResponse from JSON; None where it is none.

    A field of an unexpected type must not hide what matters: it is left out, the rest stands.
    """
    try:
        return Batch.model_validate_json(body)
    except ValidationError:
        return to_batch_of(decode_json(body))


def to_batch_of(data: object) -> Batch | None:
    """The same from decoded JSON."""
    if not isinstance(data, dict):
        return None
    try:
        return Batch.model_validate(data)
    except ValidationError as error:
        broken = {str(part["loc"][0]) for part in error.errors(include_input=False, include_url=False)}
    sound = {key: value for key, value in data.items() if key not in broken}
    try:
        return Batch.model_validate(sound)
    except ValidationError:
        return None


def decode_json(body: bytes) -> object:
    """JSON as leniently as it can be read (a byte order mark, broken UTF-8, NaN); None where it is none."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def message_of(body: bytes | None, redact: Callable[[str], str]) -> str | None:
    """The server's words in an error body of any shape (the shape is not documented), made fit to show."""
    if not body:
        return None
    try:
        words = next(_texts(orjson.loads(body), 4), None)
    except orjson.JSONDecodeError:
        words = _from_text(body.decode("utf-8", "replace"))
    return tidy(redact(words)) if words else None


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value
    elif depth and isinstance(value, dict):
        known = {str(key).casefold(): part for key, part in value.items()}
        for word in _WORDS:
            if word in known:
                yield from _texts(known[word], depth - 1)
        for key, part in known.items():
            if key not in _WORDS and isinstance(part, dict | list):
                yield from _texts(part, depth - 1)
    elif depth and isinstance(value, list):
        for part in value[:20]:
            yield from _texts(part, depth - 1)


def _from_text(text: str) -> str:
    if "<" in text and ">" in text:
        # No "<" within: a hostile text of nothing but beginnings must not take forever.
        title = re.search(r"<title[^<>]*>([^<]{0,500})</title>", text, re.IGNORECASE)
        text = title.group(1) if title else re.sub(r"<[^<>]{0,1000}>", " ", text)
        text = unescape(text)
    return text


def tidy(text: str) -> str | None:
    """One line of at most 300 printable characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:5000]).split())
    return (line[: _LONGEST_MESSAGE - 1] + "…" if len(line) > _LONGEST_MESSAGE else line) or None
