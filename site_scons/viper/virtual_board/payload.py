# SPDX-License-Identifier: MIT
"""The application that runs on the board: a process whose terminal is the board's console."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable

HARD_RESET_STATUS = 3  # exit status that stands for machine.reset()

_ARGUMENTS = ["micropython"]
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_READ_SIZE = 16 * 1024

_libc = ctypes.CDLL(None)


class Payload:
    """A running application.

    It is executed from a memory file, so that it needs nothing outside the flash it came from,
    and dies with the board's process however that dies.

    Args:
        executable: the program.
        descriptors: names and numbers of the descriptors it inherits, told by environment.
        environment: what else it is told by environment.
        on_output: takes what it prints.
        on_exit: called once with its exit status, negative for a signal, after its last output.
    """

    def __init__(
        self,
        executable: bytes,
        descriptors: dict[str, int],
        environment: dict[str, str],
        on_output: Callable[[bytes], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._on_output = on_output
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._unwritten = bytearray()
        self._paused = False

        self._terminal, far_end = pty.openpty()
        memory = os.memfd_create("micropython")
        try:
            _configure(far_end)
            os.set_blocking(self._terminal, False)
            with open(memory, "wb", closefd=False) as file:
                file.write(executable)
            parent = os.getpid()
            self._process = subprocess.Popen(
                _ARGUMENTS,
                # Seen through this process: the child's own copy is closed before it executes.
                executable=f"/proc/{parent}/fd/{memory}",
                stdin=far_end,
                stdout=far_end,
                stderr=far_end,
                pass_fds=tuple(descriptors.values()),
                env=environment | {name: str(fd) for name, fd in descriptors.items()},
                cwd="/",
                start_new_session=True,
                preexec_fn=lambda: _tie_to(parent),  # this process has a single thread
            )
        except BaseException:
            os.close(self._terminal)
            raise
        finally:
            os.close(far_end)
            os.close(memory)
        self._exited = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._terminal, self._readable)
        self._loop.add_reader(self._exited, self._exit)

    @property
    def unwritten(self) -> int:
        """Bytes that the application has not taken."""
        return len(self._unwritten)

    def write(self, data: bytes) -> None:
        """Bytes for its terminal."""
        if not self._unwritten:
            self._loop.add_writer(self._terminal, self._writable)
        self._unwritten += data
        self._writable()

    def pause(self, paused: bool) -> None:
        """Stop or go on taking its output, which makes it wait when it prints much."""
        if paused != self._paused:
            self._paused = paused
            if paused:
                self._loop.remove_reader(self._terminal)
            else:
                self._loop.add_reader(self._terminal, self._readable)

    def kill(self) -> None:
        """End it now, as a reset does; on_exit is not called."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _readable(self) -> None:
        data = self._read()
        if data:
            self._on_output(data)
        else:
            self.pause(True)  # the other end is closed: the exit follows

    def _read(self) -> bytes:
        try:
            return os.read(self._terminal, _READ_SIZE)
        except OSError:  # nothing there, or nobody at the other end
            return b""

    def _writable(self) -> None:
        try:
            done = os.write(self._terminal, self._unwritten)
        except BlockingIOError:
            return
        except OSError:  # it has closed its terminal
            done = len(self._unwritten)
        del self._unwritten[:done]
        if not self._unwritten:
            self._loop.remove_writer(self._terminal)

    def _exit(self) -> None:
        status = self._process.wait()
        while data := self._read():
            self._on_output(data)
        self._close()
        self._on_exit(status)

    def _close(self) -> None:
        for descriptor in (self._terminal, self._exited):
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            os.close(descriptor)


def _configure(terminal: int) -> None:
    """A terminal that passes bytes as a UART does, and turns only Ctrl-C into an interrupt."""
    mode = termios.tcgetattr(terminal)
    mode[0] = 0  # input as it comes
    mode[1] = termios.OPOST | termios.ONLCR
    mode[3] = termios.ISIG
    mode[6][termios.VINTR] = b"\x03"
    for disabled in (termios.VQUIT, termios.VSUSP):
        mode[6][disabled] = b"\0"
    termios.tcsetattr(terminal, termios.TCSANOW, mode)


def _tie_to(parent: int) -> None:
    """In the child: die with the board, and have standard input as controlling terminal."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the board died before that
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
