"""The other ends of a queue: a producer, and a reader of results and dead letters."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import aio_pika

from tests.process.program import Bench
from tests.process.within import call

_PAGE = 10


class Peer(Protocol):
    """What talks to the broker by its own library, not by the program's."""

    url: str
    server: tuple[str, int]

    def url_by(self, port: int) -> str:
        """The queue's address by way of another port of this machine."""

    @property
    def is_there(self) -> bool:
        """Whether the broker can be reached."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def send(self, *bodies: bytes) -> None:
        """Put messages into the queue of ids."""

    def read(self, queue: str) -> list[str]:
        """Take all that is in the queue of ``results``, of ``dead`` letters, or of ``ids``."""


class RabbitPeer:
    """RabbitMQ."""

    def __init__(self, server: str, name: str) -> None:
        self._server, self._name = server, name
        self.url = f"{server}?queue={name}"
        parts = urlsplit(server)
        self.server = parts.hostname or "127.0.0.1", parts.port or 5672

    def url_by(self, port: int) -> str:
        parts = urlsplit(self.url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{port}").geturl()

    @property
    def is_there(self) -> bool:
        try:
            asyncio.run(self._with(lambda _: asyncio.sleep(0)))
        except (OSError, aio_pika.exceptions.AMQPError):
            return False
        return True

    async def _with(self, work: Any) -> Any:
        async with await aio_pika.connect(self._server) as connection:
            return await work(await connection.channel())

    def __enter__(self) -> Self:
        asyncio.run(self._with(lambda channel: channel.declare_queue(self._name, durable=True)))
        return self

    def __exit__(self, *_: object) -> None:
        async def drop(channel: Any) -> None:
            for name in (self._name, f"{self._name}.results", f"{self._name}.dead"):
                await channel.queue_delete(name)

        asyncio.run(self._with(drop))

    def send(self, *bodies: bytes) -> None:
        async def put(channel: Any) -> None:
            for body in bodies:
                await channel.default_exchange.publish(aio_pika.Message(body), self._name)

        asyncio.run(self._with(put))

    def read(self, queue: str) -> list[str]:
        async def take(channel: Any) -> list[str]:
            name = self._name if queue == "ids" else f"{self._name}.{queue}"
            found = await channel.get_queue(name)
            bodies = []
            while (message := await found.get(fail=False)) is not None:
                await message.ack()
                bodies.append(message.body.decode("utf-8", "replace"))
            return bodies

        taken: list[str] = asyncio.run(self._with(take))
        return taken


class SqsPeer:
    """SQS, as moto's server speaks it."""

    is_there = True

    def __init__(self, endpoint: str, name: str) -> None:
        self._name = name
        parts = urlsplit(endpoint)
        self.server = parts.hostname or "127.0.0.1", parts.port or 80
        import boto3  # comes with moto

        self._client = boto3.client(
            "sqs",
            region_name="eu-west-1",
            endpoint_url=endpoint,
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        self.url = self._url(endpoint)

    def _url(self, endpoint: str) -> str:
        return f"sqs://eu-west-1/{self._name}?endpoint={endpoint}"

    def url_by(self, port: int) -> str:
        return self._url(f"http://127.0.0.1:{port}")

    def __enter__(self) -> Self:
        self._client.create_queue(QueueName=self._name)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _address(self, queue: str) -> str:
        name = self._name if queue == "ids" else f"{self._name}-{queue}"
        return str(self._client.get_queue_url(QueueName=name)["QueueUrl"])

    def send(self, *bodies: bytes) -> None:
        url = self._address("ids")
        for start in range(0, len(bodies), _PAGE):
            page = [
                {"Id": str(number), "MessageBody": body.decode("latin-1")}
                for number, body in enumerate(bodies[start : start + _PAGE])
            ]
            assert not self._client.send_message_batch(QueueUrl=url, Entries=page).get("Failed")

    def read(self, queue: str) -> list[str]:
        url, bodies = self._address(queue), []
        while messages := self._client.receive_message(QueueUrl=url, MaxNumberOfMessages=_PAGE).get(
            "Messages"
        ):
            page = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            self._client.delete_message_batch(QueueUrl=url, Entries=page)
            bodies += [message["Body"] for message in messages]
        return bodies


@dataclass
class Corner:
    """A worker's surroundings."""

    bench: Bench
    peer: Peer

    def work(self, *arguments: str) -> tuple[int, str]:
        """Work until the queue is empty; the exit code and what was said on standard error."""
        said = call(self.bench, "work", "--once", "--queue", self.peer.url, *arguments)
        return said.code, said.err

    def results(self) -> list[dict[str, Any]]:
        """The results that were sent."""
        return [json.loads(body) for body in self.peer.read("results")]
