"""``--crashes N``: how many runs to kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.figures import Figures

FEW = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option; it is known where this folder is named on the command line."""
    parser.addoption("--crashes", type=int, default=FEW, metavar="N", help=f"runs to kill [{FEW}]")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each run to be killed a seed of its own."""
    if "seed" in metafunc.fixturenames and metafunc.module.__name__.endswith("test_crash"):
        metafunc.parametrize("seed", range(metafunc.config.getoption("crashes", FEW)))


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """What all crashes together were, told at the end (visible with -s)."""
    figures = Figures()
    yield figures
    print(f"\n{figures}")
