"""Makes the README's pictures: ``make screenshots``. The demo's seeds are fixed, its times are not."""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from tests.browser.chromium import Tab, chromium, running
from worker.report import render_text
from worker.rules.summary import Summary

IMAGES = Path(__file__).parents[2] / "deploy" / "images"
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


async def pictures(address: str, page: Path) -> dict[str, bytes]:
    """The report's first screen in light and dark, and on a phone."""
    made = {}
    async with Tab.open(address) as tab:
        for name, dark, width, height in (
            ("report-light.png", False, 1280, 800),
            ("report-dark.png", True, 1280, 800),
        ):
            await tab.look_at(page, dark=dark, width=width, height=height)
            made[name] = await tab.picture()
        await tab.look_at(page, height=1100)
        await tab.js("document.querySelector('#course').scrollIntoView()")
        made["report-charts.png"] = await tab.picture()
        assert not tab.complaints, tab.complaints
    return made


def terminal(summary: Summary) -> str:
    """The text summary as an SVG that fetches no font."""
    text = render_text(summary, Path("demo/runs") / summary.run_id, colour=True)
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text("$ make demo\n...", style="dim"))
    console.print(Text.from_ansi(text))
    return _FONTS.sub("", console.export_svg(title="batch-closer demo", unique_id="terminal"))


def main() -> None:
    """Run the demo, and picture what it leaves."""
    if chromium() is None:
        sys.exit("no Chromium is installed (on Debian: apt-get install chromium), or name one in CHROMIUM")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "demo"
        subprocess.run([sys.executable, "-m", "worker", "demo", "--state", str(state)], check=True)
        run = state / "runs" / "demo-1"
        with running(Path(folder) / "profile") as address:
            made = asyncio.run(pictures(address, run / "report.html"))
        summary = Summary.from_json_dict(orjson.loads((run / "summary.json").read_bytes()))
    IMAGES.mkdir(exist_ok=True)
    made["terminal.svg"] = terminal(summary).encode()
    for name, content in made.items():
        (IMAGES / name).write_bytes(content)
        print(f"{IMAGES / name}: {len(content) / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
