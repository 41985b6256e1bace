"""One Chromium for all tests of a worker, and a tab of its own for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.browser.chromium import Tab, chromium, running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running Chromium; where CI asks for one, a missing one is a failure."""
    if chromium() is None:
        missing = "no Chromium is installed (on Debian: apt-get install chromium), or name one in CHROMIUM"
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail(missing)
        pytest.skip(missing)
    with running(tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def tab(browser: str) -> AsyncIterator[Tab]:
    """A tab that must end without a complaint, and have asked for nothing but files of this machine."""
    async with Tab.open(browser) as opened:
        yield opened
        assert opened.complaints == []
        assert [url for url in opened.requested if not url.startswith("file://")] == []
