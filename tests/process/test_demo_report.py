"""After the demo: where its report is, and opening it."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from worker.cli.demo import _tell_report


@pytest.mark.parametrize(
    ("opens", "works", "complains"), [(False, True, 0), (True, True, 0), (True, False, 1)]
)
def test_the_report_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    opens: bool,
    works: bool,
    complains: int,
) -> None:
    """Its address is said on standard error alone; a browser opens where that is asked for."""
    opened: list[str] = []

    def browse(address: str) -> bool:
        opened.append(address)
        return works

    monkeypatch.setattr(webbrowser, "open", browse)
    page = tmp_path / "a run" / "report.html"
    _tell_report(page, opens=opens)
    assert capsys.readouterr() == ("", "")
    page.parent.mkdir()
    page.touch()
    _tell_report(page, opens=opens)
    out, err = capsys.readouterr()
    assert (out, page.as_uri() in err) == ("", True)
    assert err.count("no browser") == complains
    assert opened == ([page.as_uri()] if opens else [])
