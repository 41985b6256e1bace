"""Status and body of an answer, and the shapes that an error's body may have."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import orjson

from worker.simulator.options import ErrorBody

JSON = "application/json; charset=utf-8"
LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1>"
    b'<form method="post"><input name="user"><input name="password" type="password"></form></body></html>\n'
)


class Answer(NamedTuple):
    """What goes back, apart from how it is sent."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON
    headers: Mapping[str, str] | None = None


def as_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is the value as JSON."""
    return Answer(status, orjson.dumps(value), JSON, headers)


def error(shape: ErrorBody, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in the shape chosen."""
    match shape:
        case ErrorBody.OBJECT:
            return as_json({"message": message, "statusCode": status}, status, headers)
        case ErrorBody.ODD:
            return as_json([{"errors": [[message, None]]}, status, {"": {}}], status, headers)
        case ErrorBody.PROBLEM:
            problem = {
                "type": "about:blank",
                "title": phrase(status),
                "status": status,
                "detail": message,
                "traceId": "00-0000000000000000-00",
            }
            return Answer(status, orjson.dumps(problem), "application/problem+json", headers)
        case ErrorBody.TEXT:
            return Answer(status, message.encode(), "text/plain; charset=utf-8", headers)
        case ErrorBody.HTML:
            title = f"{status} {phrase(status)}"
            page = f"<html><head><title>{title}</title></head><body><h1>{message}</h1></body></html>"
            return Answer(status, page.encode(), "text/html; charset=utf-8", headers)
        case ErrorBody.EMPTY:
            return Answer(status, b"", None, headers)


def phrase(status: int) -> str:
    """The reason phrase of a status, for those that have one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
