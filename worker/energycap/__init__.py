"""The EnergyCAP API over aiohttp: requests out, answers in our own words back."""

from worker.energycap.client import EnergyCap
from worker.energycap.connection import Connection, connect, connect_reader
from worker.energycap.reader import Reader

__all__ = ["Connection", "EnergyCap", "Reader", "connect", "connect_reader"]
