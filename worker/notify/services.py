"""Mail, Teams, Slack and many more, through Apprise. Loaded only where its URLs are given."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from worker.words.errors import ConfigurationError

if TYPE_CHECKING:
    from apprise import NotifyBase

INSTALL: Final = "pip install 'energycap-batch-closer[notify]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people are told."""

    subject: str
    text: str  # for those who show text as it is
    markdown: str
    good: bool


@dataclass(frozen=True, slots=True)
class Service:
    """One place where people read."""

    name: str  # its position among the URLs and its kind; nothing of the URL
    plugin: NotifyBase

    def send(self, message: Message) -> str | None:
        """Send, blocking; why it was not sent, in a word. Apprise says no more that is fit to be shown."""
        from apprise import Apprise, NotifyFormat, NotifyType

        sender = Apprise(asset=self.plugin.asset)
        sender.add(self.plugin)
        plain = self.plugin.resolve_format(NotifyFormat.MARKDOWN) is NotifyFormat.TEXT
        sent = sender.notify(
            title=message.subject,
            body=message.text if plain else message.markdown,
            body_format=NotifyFormat.TEXT if plain else NotifyFormat.MARKDOWN,
            notify_type=NotifyType.SUCCESS if message.good else NotifyType.FAILURE,
        )
        return None if sent else "not_sent"


def services_of(urls: Sequence[SecretStr]) -> tuple[Service, ...]:
    """The services that Apprise URLs name.

    Raises ConfigurationError, without the URL, where one can't be used or Apprise is not installed.
    """
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise ConfigurationError(
            f"notify.urls needs an extra that is not installed: {INSTALL} (nothing was sent)"
        ) from None
    # What Apprise logs may hold parts of a URL, or what a service answered.
    logging.getLogger("apprise").propagate = False
    # Sequential and without its own time limit: else it works in threads that outlive a time-out of ours.
    asset = AppriseAsset(app_id="batch-closer", app_desc="EnergyCAP batch closer", service_timeout=0)
    asset.async_mode = False
    found = []
    for number, url in enumerate(urls, 1):
        plugin = Apprise.instantiate(url.get_secret_value(), asset=asset)
        if plugin is None:
            raise ConfigurationError(
                f"notify.urls, number {number} can't be used: it is no URL that Apprise knows "
                "(github.com/caronc/apprise lists them; nothing was sent)"
            )
        _fit(plugin)
        found.append(Service(f"urls[{number}] {_kind(plugin)}", plugin))
    return tuple(found)


def _fit(plugin: NotifyBase) -> None:
    """A message too long for a service comes in parts, unless its URL says otherwise."""
    from apprise import OverflowMode

    if plugin.overflow_mode is OverflowMode.UPSTREAM:
        plugin.overflow_mode = OverflowMode.SPLIT


def _kind(plugin: NotifyBase) -> str:
    return str(plugin.url(privacy=True)).partition(":")[0]  # type: ignore[no-untyped-call]  # Apprise's
