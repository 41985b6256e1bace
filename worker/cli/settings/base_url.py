"""Which base URLs can be used."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isprintable() and " " not in host


def check_base_url(text: str) -> str:
    """The URL without a trailing slash; ValueError says what is wrong with it.

    Any https host will do: EnergyCAP runs on more than the documentation lists.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is no URL ({error})") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be a URL such as https://app.energycap.com")
    if not _is_name(host):
        raise ValueError("holds no host name that can be looked up")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must have no query and no fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(
            "must be https: http would send the key in the clear (http is for loopback hosts only)"
        )
    path = parts.path.rstrip("/")
    if path.casefold().endswith(("/api", "/api/v3")):
        raise ValueError("must end before /api: the program adds /api/v3/... itself")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{path}"
