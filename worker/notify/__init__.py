"""Tells people and programs elsewhere how a run went. Nothing here can change what a run did."""

from worker.notify.outside import Outside, Patience
from worker.notify.ping import Ping, PingKind
from worker.notify.sending import Delivery, Sending, deliver
from worker.notify.webhook import Webhook

__all__ = ["Delivery", "Outside", "Patience", "Ping", "PingKind", "Sending", "Webhook", "deliver"]
