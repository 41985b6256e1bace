"""A headless Chromium, spoken to in its DevTools protocol over a websocket on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-extensions", "--metrics-recording-only", "--password-store=basic"),
    *("--force-color-profile=srgb", "--font-render-hinting=none", "--lang=en-US"),
)
_PATIENCE_S = 30.0


def chromium() -> str | None:
    """The browser's program: the one that CHROMIUM names, else the first that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running(profile: Path) -> Iterator[str]:
    """Chromium with a new profile in that folder; gives the address of its websocket."""
    program = chromium()
    assert program is not None
    root = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
    process = subprocess.Popen(
        [program, *_FLAGS, *root, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield _address(profile / "DevToolsActivePort", process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        with suppress(OSError):
            lines = file.read_text(encoding="ascii").splitlines()
            if len(lines) >= 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        assert process.poll() is None, "Chromium ended before it listened"
        assert time.monotonic() < give_up_at, "Chromium does not listen"
        time.sleep(0.02)


class Tab:
    """A page in a tab of its own, with all that it said and asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None
        self._context: str | None = None
        self._loaded = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.complaints: list[str] = []
        self.requested: list[str] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[Self]:
        """A new tab, in a context of its own: no cookies, cache or storage of others."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(address, max_msg_size=0, proxy=None) as socket,
        ):
            tab = cls(socket)
            context = (await tab.ask("Target.createBrowserContext"))["browserContextId"]
            target = await tab.ask("Target.createTarget", url="about:blank", browserContextId=context)
            found = await tab.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            tab._session, tab._context = found["sessionId"], context
            for domain in ("Page", "Runtime", "Log", "Network"):
                await tab.ask(f"{domain}.enable")
            try:
                yield tab
            finally:
                tab._session = None
                await tab.ask("Target.disposeBrowserContext", browserContextId=context)
                tab._reader.cancel()

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and wait for its result."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        future = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(asked | ({"sessionId": self._session} if self._session else {}))
        answer = await asyncio.wait_for(future, _PATIENCE_S)
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        result: dict[str, Any] = answer["result"]
        return result

    async def _read(self) -> None:
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._waiting.pop(said["id"]).set_result(said)
            else:
                self._hear(said["method"], said["params"])

    def _hear(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{params['type']}: {params['args']}")
            case "Log.entryAdded":
                self.complaints.append(f"{params['entry']['level']}: {params['entry']['text']}")

    async def look_at(
        self, path: Path, *, width: int = 1280, height: int = 800, dark: bool = False, script: bool = True
    ) -> None:
        """Open a file of this machine, named by its whole path, as on a screen of that size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        await self.ask("Emulation.setScriptExecutionDisabled", value=not script)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme, still])
        self._loaded.clear()
        await self.ask("Page.navigate", url=path.as_uri())
        await asyncio.wait_for(self._loaded.wait(), _PATIENCE_S)

    async def allow(self, *permissions: str) -> None:
        """Let pages of this tab do what otherwise a person is asked about."""
        await self.ask("Browser.grantPermissions", permissions=permissions, browserContextId=self._context)

    async def js(self, expression: str) -> Any:
        """The value of an expression in the page, awaited where it is a promise."""
        answer = await self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def click(self, selector: str) -> None:
        """Click the middle of the first element of that kind, with the mouse."""
        x, y = await self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        await self.settled()

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.ask("Input.insertText", text=text)
        await self.settled()

    async def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)
        await self.settled()

    async def settled(self) -> None:
        """Wait until the page has done what it put off, and has drawn."""
        drawn = "requestAnimationFrame(() => requestAnimationFrame(done))"
        await self.js(f"new Promise(done => setTimeout(() => {drawn}, 150))")

    async def picture(self) -> bytes:
        """A PNG of the screen."""
        await self.settled()
        shot = await self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])

    async def pdf(self) -> bytes:
        """The page as it is printed, on A4."""
        answer = await self.ask(
            "Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=False
        )
        return base64.b64decode(answer["data"])
