"""report.html in a browser: its table, its controls, its looks, and text that would be more than text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.browser.chromium import Tab
from tests.report.pages import mixed, page_of, result, stopped_run
from worker.rules.proof import Proof
from worker.rules.summary import Pauses, Verified
from worker.words.model import Outcome

SHOWN = "document.getElementById('shown').textContent"
COLUMN = "[...document.querySelectorAll('tr.row .c-{}')].map(cell => cell.textContent)"
EVIL = (
    "</script><script>window.evil = 1</script><img src=x onerror='window.evil = 2'>"
    '<!--<script>{{ 7 * 7 }}" onload="window.evil = 3\u202etxt.exe\u2028\x1b[2J'
)


async def _column(tab: Tab, name: str) -> list[str]:
    cells: list[str] = await tab.js(COLUMN.format(name))
    return cells


async def test_sort_filter_and_evidence(tab: Tab, tmp_path: Path) -> None:
    """Columns sort both ways, filters combine, a row opens to its evidence, by mouse and by keyboard."""
    results = [*mixed(60), result(61, Outcome.INVALID, message=None)]
    await tab.look_at(page_of(tmp_path, results), height=4000)
    assert await tab.js(SHOWN) == "61 entries"
    for turn in (1, -1):
        await tab.click("th.c-total button")
        totals = [float(text.replace(",", "")) for text in await _column(tab, "total") if text]
        assert totals == sorted(totals, reverse=turn < 0)
        assert (await _column(tab, "total"))[-1] == ""
    assert await tab.js("document.querySelector('th.c-total').ariaSort") == "descending"
    await tab.click("[data-name='held']")
    await tab.click("[data-name='not_found']")
    assert await tab.js(SHOWN) == "6 of 61 entries"
    await tab.js("document.getElementById('find').focus()")
    await tab.type("PENDING")
    assert await tab.js(SHOWN) == "3 of 61 entries"
    assert set(await _column(tab, "outcome")) == {"held"}
    await tab.click("tr.row .c-code")
    assert "november.csv:" in await tab.js("document.querySelector('tr.detail').textContent")
    await tab.js("document.querySelectorAll('.more')[1].focus()")
    await tab.press("ArrowDown")
    at = "document.activeElement.closest('tr').ariaRowIndex"
    assert await tab.js(at) == "4"
    await tab.js("document.activeElement.click()")
    assert await tab.js("document.activeElement.ariaExpanded") == "true"
    assert await tab.js("document.querySelectorAll('tr.detail').length") == 2


async def test_the_ids_of_a_group(tab: Tab, tmp_path: Path) -> None:
    """All ids of a group are copied, not only the first ten; its rows are shown, and those warned of."""
    expected = [1000 + n for n in range(1, 401) if n % 25 == 3]
    await tab.look_at(page_of(tmp_path, list(mixed(400))))
    place = await tab.js(
        "[...document.querySelectorAll('.groups h3')].findIndex(e => e.textContent.startsWith('not_found'))"
    )
    await tab.click(f"[data-show-group='{place}']")
    assert await tab.js(SHOWN) == f"{len(expected)} of 400 entries"
    assert [int(text) for text in await _column(tab, "id")] == expected
    await tab.allow("clipboardReadWrite", "clipboardSanitizedWrite")
    await tab.click(f"[data-copy-group='{place}']")
    assert await tab.js(f"document.querySelector(\"[data-copy-group='{place}']\").textContent") == "Copied"
    assert [int(line) for line in (await tab.js("navigator.clipboard.readText()")).split()] == expected
    await tab.click("[data-show-guard='flags']")
    assert await tab.js(SHOWN) == "16 of 400 entries"
    await tab.js("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    await tab.click("#copy")
    assert len((await tab.js("document.activeElement.value")).split()) == 16
    await tab.click("dialog button")
    await tab.click("#scope")
    assert await tab.js(SHOWN) == "400 entries"


async def test_many_rows(tab: Tab, tmp_path: Path) -> None:
    """Of twenty thousand rows those near the screen are in the page, the last one once one is there."""
    path = page_of(tmp_path, list(mixed(20_000)))
    await tab.look_at(path)
    rows = "document.querySelectorAll('tr.row').length"
    assert await tab.js(rows) < 100
    assert await tab.js("document.querySelector('#table table').ariaRowCount") == "20001"
    await tab.click("tr.row .more")
    await tab.js("scrollTo(0, document.body.scrollHeight)")
    await tab.settled()
    last = "[...document.querySelectorAll('tr.row')].at(-1)"
    assert await tab.js(f"{last}.ariaRowIndex") == "20001"
    assert await tab.js(f"{last}.getBoundingClientRect().bottom") < 800
    await tab.js("scrollTo(0, document.body.scrollHeight / 2)")
    await tab.settled()
    assert await tab.js("document.querySelector('tr.row').getBoundingClientRect().top") < 0
    assert await tab.js(f"{last}.getBoundingClientRect().bottom") > 800
    await tab.js("dispatchEvent(new Event('beforeprint'))")
    assert await tab.js(rows) == 2000
    assert "2,000 of 20,000" in await tab.js("document.getElementById('printed').textContent")
    await tab.js("dispatchEvent(new Event('afterprint'))")
    assert await tab.js(rows) < 100


async def test_text_stays_text(tab: Tab, tmp_path: Path) -> None:
    """No text of the API, the input or the key's owner becomes an element, a script or another direction."""
    evil: dict[str, Any] = {
        "batch_code": EVIL,
        "message": EVIL,
        "reason": EVIL,
        "source": EVIL,
        "account_period": EVIL,
        "end_date": EVIL,
    }
    results = [
        result(1, **evil, warnings=(EVIL,)),
        result(2, Outcome.REJECTED, **evil),
        result(3, Outcome.INVALID, input=EVIL),
    ]
    path = page_of(tmp_path, results, run_id=EVIL, base_url=EVIL, stopped="abort", stopped_by=EVIL)
    for script in (True, False):
        await tab.look_at(path, script=script)
        nodes = await tab.ask("DOM.getDocument", depth=-1)
        names = set(re.findall(r"'nodeName': '([^']*)'", str(nodes)))
        assert names.isdisjoint({"IMG", "IFRAME", "OBJECT"})
        assert str(nodes).count("'nodeName': 'SCRIPT'") == 3
    await tab.look_at(path)
    await tab.js("document.querySelectorAll('.more').forEach(button => button.click())")
    assert await tab.js("window.evil") is None
    text = await tab.js("document.body.innerText")
    assert text.count("<img src=x") > 6
    assert not set(text) & set("\u202e\u2028\x1b")
    assert "49" not in text


async def test_looks(tab: Tab, tmp_path: Path) -> None:
    """Runs of every kind fit on a screen and on a phone, in light and dark, and say what matters."""
    late, told = stopped_run()
    closed = list(mixed(50))
    pages = {
        "Nothing to do": page_of(tmp_path / "1", [], latency_buckets={}, pauses=Pauses()),
        "Closed the batch": page_of(tmp_path / "2", [result(1)]),
        "Closed no batch": page_of(
            tmp_path / "3", [result(n, Outcome.FAILED, http_status=500) for n in range(9)]
        ),
        "Closed 52 of 100 batches": page_of(tmp_path / "4", late, **told),
        "but 2 are not closed": page_of(tmp_path / "5", closed, Proof(Verified(44, 2), (1001,), (1002,))),
    }
    for number, (title, path) in enumerate(pages.items()):
        for width in (1280, 390):
            await tab.look_at(path, width=width, dark=number % 2 == 1)
            assert title in await tab.js("document.querySelector('h1').innerText")
            assert await tab.js("document.documentElement.scrollWidth") == width
            alerts = await tab.js(
                "[...document.querySelectorAll('.alert')].map(e => e.getBoundingClientRect().bottom)"
            )
            assert len(alerts) == (number in {3, 4})
            assert all(bottom < 800 for bottom in alerts)
    assert (await tab.pdf()).startswith(b"%PDF")
