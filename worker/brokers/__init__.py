"""Brokers that hold batch ids already, RabbitMQ and SQS: ids in, results out, no message lost in between.

`port` says what a broker promises, `address` reads where it is; a broker's library is loaded with its client.
"""

from __future__ import annotations

import importlib

from worker.brokers.address import Address, parse_address
from worker.brokers.port import Broker, BrokerGoneError, QueueMissingError, Received
from worker.words.errors import ConfigurationError

__all__ = [
    "Address",
    "Broker",
    "BrokerGoneError",
    "QueueMissingError",
    "Received",
    "broker_at",
    "parse_address",
]


def broker_at(address: Address, lease_s: float) -> Broker:
    """The client for the address; a message not kept for so long goes to others.

    Raises ConfigurationError where its library is not installed.
    """
    module, name = (
        ("worker.brokers.sqs", "Sqs") if address.is_sqs else ("worker.brokers.rabbitmq", "RabbitMQ")
    )
    try:
        found: Broker = getattr(importlib.import_module(module), name)(address, lease_s)
    except ModuleNotFoundError as error:
        extra = "sqs" if address.is_sqs else "rabbitmq"
        raise ConfigurationError(
            f"queue {address.shown} needs the library {error.name}: "
            f"pip install 'energycap-batch-closer[{extra}]'"
        ) from None
    return found
