"""A headless Chromium, driven over its DevTools pipe: opens a page, waits for words, clicks, and tells what it asked for.

The report's tests use it. It needs no package: the pipe carries JSON messages that end with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1400,1400",
    "--remote-debugging-pipe",
)  # fmt: skip
_START_SECONDS = 30.0
_WAIT_SECONDS = 15.0


_GONE = ("Inspected target navigated or closed", "Cannot find default execution context")


class NavigatedError(Exception):
    """The page that was asked has made way for another one."""


class Browser:
    """One browser with one page; a context manager. `requested`: every URL that the page asked for."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def pipes() -> None:
            # Chromium reads descriptor 3 and writes descriptor 4; by way of high ones, in case a pipe is 3 or 4 itself.
            reading, writing = os.dup2(to_browser, 100), os.dup2(from_browser, 101)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=pipes,
            pass_fds=(3, 4),
        )
        os.close(to_browser)
        os.close(from_browser)
        self.requested: list[str] = []
        self.failed: list[str] = []
        self._buffer = b""
        self._last_id = 0
        self._session = ""

    def __enter__(self) -> Browser:
        target = self._call("Target.createTarget", {"url": "about:blank"}, _START_SECONDS)["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        os.close(self._write)
        os.close(self._read)

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", size)

    def open(self, url: str) -> None:
        self._call("Page.navigate", {"url": url})

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", {"expression": script, "returnByValue": True})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """What a person can read on the page; nothing while one page makes way for the next."""
        try:
            return str(self.evaluate("document.body ? document.body.innerText : ''"))
        except NavigatedError:
            return ""

    def wait_for(self, words: str, seconds: float = _WAIT_SECONDS) -> str:
        """Wait until the page shows these words; its text."""
        until = time.monotonic() + seconds
        while words not in (shown := self.text()):
            assert time.monotonic() < until, f"{words!r} is not on the page, which shows:\n{shown[:4000]}"
            self._receive(0.05)
        return shown

    def wait_until(self, condition: str, seconds: float = _WAIT_SECONDS) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < until, f"not so within {seconds:g} s: {condition}"
            self._receive(0.05)

    def click(self, words: str) -> None:
        """Click the innermost element whose whole text begins with these words."""
        script = f"""(() => {{
            const words = {json.dumps(words)};
            const fits = element => element.innerText !== undefined && element.innerText.trim().startsWith(words);
            const all = [...document.body.querySelectorAll('*')].filter(fits);
            const inner = all.filter(element => ![...element.children].some(fits));
            if (inner.length) inner[0].click();
            return inner.length;
        }})()"""
        assert self.evaluate(script), f"nothing to click that begins with {words!r}:\n{self.text()[:4000]}"

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, parameters: dict[str, Any] | None = None, seconds: float = _WAIT_SECONDS) -> Any:
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for answer in self._receive(min(0.5, seconds)):
                if answer.get("id") == self._last_id:
                    if answer.get("error", {}).get("message") in _GONE:
                        raise NavigatedError
                    assert "error" not in answer, answer
                    return answer["result"]
        raise AssertionError(f"the browser did not answer {method} within {seconds:g} s")

    def _receive(self, seconds: float) -> list[dict[str, Any]]:
        readable, _, _ = select.select([self._read], [], [], seconds)
        if readable:
            chunk = os.read(self._read, 1 << 20)
            assert chunk, "the browser has ended"
            self._buffer += chunk
        *whole, self._buffer = self._buffer.split(b"\0")
        messages = [json.loads(part) for part in whole]
        for message in messages:
            match message.get("method"):
                case "Network.requestWillBeSent":
                    self.requested.append(message["params"]["request"]["url"])
                case "Network.loadingFailed":
                    self.failed.append(message["params"]["errorText"])
        return messages
