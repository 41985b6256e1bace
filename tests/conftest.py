"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How quick a machine is says nothing of whether the program is right.
settings.register_profile(
    "project", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")
