"""A queue on each broker, and the simulator to close at."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.support import Corner, Peer, RabbitPeer, SqsPeer
from tests.fleet.broker import a_server
from tests.process.program import Bench
from tests.required import missing
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """SQS on this machine."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        missing("moto is not installed: pip install '.[broker-checks]'")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis or Valkey, for a limiter."""
    with a_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["amqp", "sqs"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A queue of ids, empty, and the ends that its producer and the reader of its results hold."""
    name = f"bc-{secrets.token_hex(4)}"
    if request.param == "amqp":
        found: Peer = rabbit(name)
    else:
        found = SqsPeer(request.getfixturevalue("moto_url"), name)
    with found:
        yield found


def rabbit(name: str) -> RabbitPeer:
    """A queue on the RabbitMQ that is there."""
    found = RabbitPeer(AMQP_URL, name)
    if not found.is_there:
        missing(f"no RabbitMQ at {AMQP_URL.rpartition('@')[2]}; name one by AMQP_URL")
    return found


@pytest.fixture
def corner(tmp_path: Path, peer: Peer) -> Iterator[Corner]:
    """A worker's corner: simulator, state folder, queue."""
    options = Options(population=Population(batches=40, first_id=1001, seed=5, closed=0.1, missing=0.05))
    with simulator_thread(options) as simulator:
        bench = Bench(tmp_path, simulator)
        bench.environ |= {
            "BATCH_CLOSER_SNAPSHOT": "1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "BATCH_CLOSER_RATE": "500",
            "BATCH_CLOSER_BURST": "20",
            "BATCH_CLOSER_BACKOFF": "0.02",
        }
        yield Corner(bench, peer)
