# SPDX-License-Identifier: MIT
"""QEMU as the machine that a board carries.

A reset goes through its monitor, while the guest stands still: so nothing that it has printed
before is taken for what the chip prints then. Which mode the chip starts in stands on its command
line and can be set no other way, so QEMU is started anew for that; the board's own two ports stay
open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable

from viper.base.parent_process import end_with_it
from viper.emulator import command_line, forwarded_port
from viper.emulator.command_line import Emulated
from viper.emulator.forwarded_port import ForwardedPort
from viper.emulator.qmp import Monitor, MonitorError
from viper.virtual_board.machine import Cause, Mode, Surroundings
from viper.virtual_board.reset_circuit import Boot

_PIECE = 64 * 1024
_ERRORS_SIZE = 4096  # bytes of what it said last
_END_S = 5.0  # QEMU writes what it has of the flash; then it is killed


class QemuMachine:
    """A `machine.Machine`. Everything happens in its event loop.

    Args:
        board: what it is on.
        emulated: what QEMU is to be.
        page: the port that leads to the guest's port 80.
    """

    def __init__(self, board: Surroundings, emulated: Emulated, page: ForwardedPort) -> None:
        self.mode = Mode.OFF
        self._board = board
        self._emulated = emulated
        self._page = page
        self._qemu: _Qemu | None = None
        self._wanted: Boot | None = None  # None: held in reset, or off
        self._changed = asyncio.Event()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    @property
    def untaken(self) -> int:
        """See machine.Machine."""
        return self._qemu.untaken if self._qemu else 0

    def leave_reset(self, cause: Cause, strapping: Boot) -> None:
        """See machine.Machine; what the reason is, the chip's own ROM says."""
        self.mode = Mode.DOWNLOAD if strapping is Boot.DOWNLOAD else Mode.APPLICATION
        self._wanted = strapping
        self._changed.set()

    def stop(self, mode: Mode) -> None:
        """See machine.Machine.

        A QEMU that is held in reset goes on unseen: what it is to start as is not known yet.
        """
        self.mode = mode
        self._wanted = None
        if self._qemu is not None:
            self._qemu.hear(None)
            if mode is Mode.OFF:
                self._end()

    def forgive(self) -> None:
        """See machine.Machine: nothing is counted."""

    def receive(self, data: bytes) -> None:
        """See machine.Machine; a chip that is in reset receives nothing."""
        if self._qemu is not None and self._qemu.is_heard:
            self._qemu.send(data)

    def pause(self, paused: bool) -> None:
        """See machine.Machine."""
        if self._qemu is not None:
            self._qemu.pause(paused)

    def actions(self) -> dict[str, Callable[..., object]]:
        """See machine.Machine."""
        return {}

    def close(self) -> None:
        """See machine.Machine."""
        self._keeper.cancel()
        self._page.close()
        self._end()

    async def _keep(self) -> None:
        """Bring QEMU to where it is wanted, again and again: nothing else starts or resets it."""
        await self._page.serve()
        while True:
            await self._changed.wait()
            self._changed.clear()
            strapping = self._wanted
            if strapping is None:
                continue
            try:
                await self._leave_reset(strapping)
            except (MonitorError, OSError) as problem:
                self._halt(str(problem))

    async def _leave_reset(self, strapping: Boot) -> None:
        """Have a QEMU whose chip has just left reset with this strapping."""
        if self._qemu is not None and self._qemu.strapping is strapping:
            await self._qemu.reset(self._hears(strapping))
            return
        self._end()
        self._qemu = _Qemu(self._emulated, strapping, self._ended)
        self._qemu.hear(self._hears(strapping))
        await self._qemu.connect()
        self._page.target = self._qemu.http_port

    def _hears(self, strapping: Boot) -> Callable[[bytes], None]:
        return self._board.answered if strapping is Boot.DOWNLOAD else self._board.printed

    def _end(self) -> None:
        if self._qemu is not None:
            qemu, self._qemu = self._qemu, None
            self._page.target = 0
            qemu.end()

    def _ended(self, qemu: _Qemu) -> None:
        """QEMU has ended by itself."""
        if qemu is self._qemu:
            self._halt(f"QEMU has ended: {qemu.said()}")

    def _halt(self, why: str) -> None:
        if self.mode is Mode.HALTED:
            return  # its line and its monitor have both told
        self._end()
        self._wanted = None
        self.mode = Mode.HALTED
        self._board.printed(f"halted: {why}; reset the board\r\n".encode())


class _Qemu(asyncio.Protocol):
    """One run of QEMU: the protocol of its serial line.

    Attributes:
        strapping: what its chip finds on its pins.
        http_port: the port that leads to the guest's port 80.
    """

    def __init__(
        self, emulated: Emulated, strapping: Boot, on_end: Callable[[_Qemu], None]
    ) -> None:
        self.strapping = strapping
        self.http_port = forwarded_port.free()
        self._on_end = on_end
        self._heard: Callable[[bytes], None] | None = None
        self._transport: asyncio.Transport | None = None
        self._monitor: Monitor | None = None
        self._line, serial = socket.socketpair()
        self._monitor_line, monitor = socket.socketpair()
        inherited = serial.fileno(), monitor.fileno()
        self._process = subprocess.Popen(
            command_line.words(emulated, strapping, self.http_port, *inherited),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=inherited,
            preexec_fn=lambda: end_with_it(signal.SIGKILL),  # this process has a single thread
        )
        serial.close()
        monitor.close()
        assert self._process.stderr is not None
        self._errors = self._process.stderr
        os.set_blocking(self._errors.fileno(), False)
        self._said = b""
        asyncio.get_running_loop().add_reader(self._errors, self._read_errors)

    async def connect(self) -> None:
        """Open its line and its monitor.

        Raises:
            MonitorError: it has ended; what it says is in the message.
        """
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, sock=self._line)
        try:
            self._monitor = await Monitor.connect(self._monitor_line)
        except MonitorError as problem:
            raise MonitorError(f"{problem}: {self.said()}") from None

    @property
    def is_heard(self) -> bool:
        """Whether its line is connected through."""
        return self._heard is not None

    @property
    def untaken(self) -> int:
        """Bytes that it has not taken from its line."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    async def reset(self, heard: Callable[[bytes], None]) -> None:
        """Press its reset button; `heard` takes what it prints from then on, and nothing before."""
        assert self._monitor is not None
        self.hear(None)
        await self._monitor.execute("stop")
        with contextlib.suppress(BlockingIOError):
            while self._line.recv(_PIECE):
                continue
        await self._monitor.execute("system_reset", event="RESET")
        self.hear(heard)
        await self._monitor.execute("cont")

    def hear(self, heard: Callable[[bytes], None] | None) -> None:
        """Who takes what comes from its line from now on; None for nobody."""
        self._heard = heard

    def send(self, data: bytes) -> None:
        """Bytes for its line."""
        if self._transport is not None:
            self._transport.write(data)

    def pause(self, paused: bool) -> None:
        """Stop or go on taking from its line, which makes it wait when it prints much."""
        if self._transport is not None and not self._transport.is_closing():
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def said(self) -> str:
        """What it said last, once it has ended; or nothing."""
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return "it hangs"
        self._read_errors()
        lines = self._said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {status}"

    def _read_errors(self) -> None:
        """Take what it says: a pipe that is full would stop it."""
        if self._errors.closed:
            return
        said = self._errors.read(_ERRORS_SIZE)
        self._said = (self._said + (said or b""))[-_ERRORS_SIZE:]
        if said == b"":  # it has closed its end
            asyncio.get_running_loop().remove_reader(self._errors)

    def end(self) -> None:
        """End it, so that its flash file is whole."""
        if self._transport is not None:
            self._transport.abort()
        if self._monitor is not None:
            self._monitor.close()
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if not self._errors.closed:
            asyncio.get_running_loop().remove_reader(self._errors)
            self._errors.close()
        self._line.close()
        self._monitor_line.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes from the line."""
        if self._heard is not None:
            self._heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line has gone, and QEMU with it."""
        self._on_end(self)
