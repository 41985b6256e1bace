"""Whether the environment asks for traces, in OpenTelemetry's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.words.errors import ConfigurationError

INSTALL: Final = "pip install 'energycap-batch-closer[otel]'"
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OFF: Final = "OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none turns traces off"


def is_asked(environ: Mapping[str, str]) -> bool:
    """Whether an OTLP endpoint is named and traces are not turned off.

    Raises ConfigurationError where they are asked for in a way that is not to be had here.
    """
    endpoint = next((name for name in _ENDPOINTS if _of(environ, name)), None)
    if endpoint is None or _of(environ, "OTEL_SDK_DISABLED").lower() == "true":
        return False
    exporters = {each.strip() for each in (_of(environ, "OTEL_TRACES_EXPORTER") or "otlp").split(",")}
    if "otlp" not in exporters:
        return False
    protocol = next((name for name in _PROTOCOLS if _of(environ, name)), None)
    if protocol is not None and _of(environ, protocol) != "http/protobuf":
        raise ConfigurationError(
            f"{protocol} must be http/protobuf, the only one that traces are exported by here; {_OFF} "
            "(nothing was sent)"
        )
    return True


def not_installed(environ: Mapping[str, str]) -> ConfigurationError:
    """Why it stops where traces are asked for and the library for them is missing."""
    endpoint = next(name for name in _ENDPOINTS if _of(environ, name))
    return ConfigurationError(
        f"{endpoint} asks for traces, which need an extra that is not installed: {INSTALL}; {_OFF} "
        "(nothing was sent)"
    )


def _of(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()
