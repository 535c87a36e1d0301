# SPDX-License-Identifier: MIT
"""Headless Chromium driven over its DevTools pipe: open a page, ask it questions.

Chromium started with ``--remote-debugging-pipe`` reads commands from descriptor 3 and writes
answers and events to descriptor 4, each a JSON object that ends in a NUL.
https://chromedevtools.github.io/devtools-protocol/ names the methods used here.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root in a container, and load our own page only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Chromium:
    """A browser with a profile of its own; leaving the context ends all its processes."""

    def __init__(self, executable: str, profile: Path) -> None:
        # It leaves folders behind here, with a socket: the path to one has 107 bytes at the most.
        self._temporary = TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # bash moves the two ends to 3 and 4, which Popen itself cannot promise to leave free.
        redirect = ["bash", "-c", 'exec "${@:3}" 3<&"$1" 4>&"$2"', "", str(commands), str(answers)]
        self._process = subprocess.Popen(
            [*redirect, executable, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(commands, answers),
            env={**os.environ, "TMPDIR": self._temporary.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self._received = b""
        self._last_id = 0
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, TimeoutError, RuntimeError):
            self.call("Browser.close", seconds=5)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._temporary.cleanup()
        os.close(self._commands)
        os.close(self._answers)

    def open(self, url: str, width: int, scheme: str = "light") -> Page:
        """A new page at `url` in a window of `width` CSS pixels and the light or dark scheme."""
        # A window of its own: a tab behind another is hidden, and a hidden page may rest.
        created = self.call("Target.createTarget", {"url": "about:blank", "newWindow": True})
        target = created["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, target, attached["sessionId"])
        self._pages[attached["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False},
        )
        page.call("Emulation.setScrollbarsHidden", {"hidden": True})
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.call("Emulation.setEmulatedMedia", {"features": [feature]})
        page.call("Page.navigate", {"url": url})
        return page

    def send(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        """Sends a command; the number by which its answer is known."""
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        return self._last_id

    def call(
        self,
        method: str,
        parameters: dict[str, Any] | None = None,
        session: str | None = None,
        seconds: float = 20,
    ) -> dict[str, Any]:
        """Sends a command and returns its result; events that arrive meanwhile reach their page.

        Raises RuntimeError where the browser refuses, TimeoutError where it does not answer.
        """
        number = self.send(method, parameters or {}, session)
        deadline = time.monotonic() + seconds
        while True:
            message = self._receive(deadline)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result
            page = self._pages.get(message.get("sessionId", ""))
            if page and "method" in message:
                page.handle(message["method"], message["params"])

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError("Chromium did not answer")
            data = os.read(self._answers, 1 << 16)
            if not data:
                raise RuntimeError("Chromium ended")
            self._received += data
        message, _, self._received = self._received.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded


class Page:
    """One window. `complaints` gathers what its console shows as a warning or an error."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session
        self._substitutes: dict[str, str] = {}
        self.complaints: list[str] = []

    def call(
        self, method: str, parameters: dict[str, Any] | None = None, seconds: float = 20
    ) -> dict[str, Any]:
        """A DevTools command to this page."""
        return self._browser.call(method, parameters, self._session, seconds)

    def handle(self, method: str, event: dict[str, Any]) -> None:
        """Takes an event of this page."""
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", details).get("description", ""))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("warning", "error"):
            self.complaints.append(" ".join(str(a.get("value")) for a in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("warning", "error"):
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")
        elif method == "Fetch.requestPaused":
            self._substitute(event)

    def _substitute(self, event: dict[str, Any]) -> None:
        answer = {
            "requestId": event["requestId"],
            "responseCode": 200,
            "body": base64.b64encode(self._substitutes[event["request"]["url"]].encode()).decode(),
        }
        self._browser.send("Fetch.fulfillRequest", answer, self._session)

    def substitute(self, url: str, body: str) -> None:
        """From now on `url` is answered with `body`, in the browser and not by the server."""
        self._substitutes[url] = body
        self.call("Fetch.enable", {"patterns": [{"urlPattern": u} for u in self._substitutes]})

    def cut_off(self, cut: bool) -> None:
        """Takes the network away from this page, or gives it back."""
        self.call(
            "Network.emulateNetworkConditions",
            {"offline": cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )

    def evaluate(self, expression: str, seconds: float = 20) -> Any:
        """The value of a JavaScript expression; of a promise, what it resolves to."""
        answer = self.call(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
            seconds,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_until(self, condition: str, seconds: float = 10) -> None:
        """Returns once `condition`, a JavaScript expression, is true; TimeoutError after that."""
        deadline = time.monotonic() + seconds
        look = f"""new Promise((done) => {{
            const end = performance.now() + 1000;
            const look = () => {{
              if ({condition}) done(true);
              else if (performance.now() > end) done(false);
              else setTimeout(look, 20);
            }};
            look();
        }})"""
        while time.monotonic() < deadline:
            with suppress(RuntimeError):  # a navigation ends what was being evaluated
                if self.evaluate(look):
                    return
        raise TimeoutError(f"not so after {seconds} s: {condition}")

    def screenshot(self) -> bytes:
        """The whole document as a PNG."""
        answer = self.call(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True}
        )
        return base64.b64decode(answer["data"])

    def close(self) -> None:
        """Closes the window."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})
