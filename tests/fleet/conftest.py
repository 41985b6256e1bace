"""The broker of these tests, and ``--batches N --workers N --seed N`` for the long crash test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import redis

from tests.fleet.broker import a_server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they are known where this folder is named on the command line."""
    parser.addoption("--batches", type=int, default=150, help="batches of the crash test [150]")
    parser.addoption("--workers", type=int, default=3, help="workers of the crash test [3]")
    parser.addoption("--seed", type=int, default=1, help="what the crash test's chances are made from [1]")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis or Valkey."""
    with a_server(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def queue(server: str) -> Iterator[str]:
    """The address of a queue that nobody else uses, forgotten afterwards."""
    name = f"test-{secrets.token_hex(6)}"
    yield f"{server}?queue={name}"
    with redis.Redis.from_url(server) as client:
        for key in [name.encode(), *client.scan_iter(f"{{{name}}}:*", count=1000)]:
            client.delete(key)
