# SPDX-License-Identifier: MIT
"""An application's handlers in a test, by the firmware that was built and without a port.

    from viperhttp.testing import TestClient

    def test_uptime() -> None:
        with TestClient() as client:
            assert client.get("/api/uptime").status_code == 200

The virtual board's firmware runs as it would on the board, with all files of the last build: the
same server, parser and interpreter. Only the chip is missing around it, and the network: requests
go over a local socket that no other program can name.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from viper.virtual_chip.shared_page import ChipPage

_MAC = bytes.fromhex("02000000cafe")  # locally administered, of nobody
_STARTED_IN_S = 30.0
_PROMPT = b"\n>>> "
_FAILED = b"Traceback (most recent call last)"
_PROBE = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class NotStarted(AssertionError):
    """The application has not come to serve; the text is what it printed."""


class TestClient(httpx.Client):
    """httpx's client, whose requests go to an application that runs as long as the context does.

    Every client begins with the files of the build, whatever another one has written.
    """

    __test__ = False  # for pytest, which takes the name for that of tests

    def __init__(
        self, board: str = "VIRTUAL_N16R8", project: Path = Path(), **options: Any
    ) -> None:
        """Starts nothing yet.

        Args:
            board: a virtual board, whose images `./scons image` has made.
            project: the folder with build/.
            options: what else httpx.Client takes.

        Raises:
            NotStarted: there are no such images.
        """
        self._build = Path(project, "build", board)
        if not (self._build / "flash.json").is_file():
            raise NotStarted(f"{self._build} has no image: ./scons image BOARD={board}")
        self._name = f"\0viperhttp-{secrets.token_hex(8)}"
        transport = httpx.HTTPTransport(uds=self._name)
        super().__init__(**{"base_url": "http://localhost", "transport": transport, **options})
        self._running = contextlib.ExitStack()
        self._printed = bytearray()

    @property
    def console(self) -> str:
        """What the board has printed so far."""
        return self._printed.decode(errors="replace")

    def __enter__(self) -> TestClient:
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(self._name)
            listener.listen()
            stack.enter_context(self._board(listener.fileno()))
            self._running = stack.pop_all()
        try:
            self._wait_until_served()
        except BaseException:
            self._running.close()
            raise
        super().__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        super().__exit__(*about)
        self._running.close()

    @contextlib.contextmanager
    def _board(self, listener: int) -> Iterator[None]:
        """The firmware as a process, and a thread that takes what it prints."""
        record = json.loads((self._build / "flash.json").read_text(encoding="utf-8"))
        app = next(part for part in record["parts"] if part["name"] == "factory")
        flash = os.memfd_create("flash")
        page = ChipPage(_MAC, record["psram_size"])
        try:
            with (self._build / "flash.bin").open("rb") as image:
                size = os.fstat(image.fileno()).st_size
                while os.lseek(flash, 0, os.SEEK_CUR) < size:
                    os.sendfile(flash, image.fileno(), None, size)
            told = {
                "VIRTUAL_FLASH_FD": flash,
                "VIRTUAL_CHIP_FD": page.fd,
                "VIRTUAL_LISTENER": listener,
            }
            process = subprocess.Popen(
                [str((self._build / "firmware/micropython").absolute())],
                stdin=subprocess.PIPE,  # which stays open, as a terminal nobody types at
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(told.values()),
                env={
                    "VIRTUAL_RUNNING_APP": str(app["offset"]),
                    **{name: str(fd) for name, fd in told.items()},
                },
                cwd="/",
            )
        finally:
            os.close(flash)
            page.close()
        with process:
            assert process.stdout is not None
            self._stopped_reading, told_by = os.pipe()
            reader = threading.Thread(target=self._read, args=(process.stdout.fileno(), told_by))
            reader.start()
            try:
                yield
            finally:
                process.kill()
                reader.join()
                os.close(self._stopped_reading)

    def _read(self, output: int, told_by: int) -> None:
        """Take all that is printed; `told_by` is closed when nothing can be served any more."""
        is_told = False
        while data := os.read(output, 65536):
            self._printed += data
            if not is_told and self._is_at_an_end():
                os.close(told_by)
                is_told = True
        if not is_told:
            os.close(told_by)

    def _is_at_an_end(self) -> bool:
        """Whether the application has failed: a traceback, and then the prompt."""
        at = self._printed.find(_FAILED)
        return at >= 0 and self._printed.find(_PROMPT, at) >= 0

    def _wait_until_served(self) -> None:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self._name)
            probe.sendall(_PROBE)
            waited = [probe, self._stopped_reading]
            ready, _, _ = select.select(waited, [], [], _STARTED_IN_S)
        if probe not in ready:
            raise NotStarted(f"the application does not serve:\n{self.console}")
