# SPDX-License-Identifier: MIT
"""Ctrl-C for threads that wait.

SCons takes SIGINT with a handler of its own that only sets a flag, and runs the actions in worker
threads, which never see a signal. A wake-up descriptor is written to whatever handler is in place,
so a wait that selects on it ends at once.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess

GRACE_S = 0.8  # what a child has to leave the device in order before it is killed

_reader: int | None = None


def install() -> None:
    """Make signals visible to `requested` and `wait`. Main thread only; once is enough."""
    global _reader
    if _reader is None:
        _reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)


def fileno() -> int | None:
    """A descriptor that becomes readable, and stays so, once a signal has come."""
    return _reader


def requested(timeout: float = 0.0) -> bool:
    """Whether a signal has come; waits for one up to `timeout` seconds."""
    signals = [] if _reader is None else [_reader]
    return bool(select.select(signals, [], [], timeout)[0])


def wait(process: subprocess.Popen[bytes], grace_s: float = GRACE_S) -> int:
    """Wait for a child, handing Ctrl-C on to it.

    The child is expected in a session of its own, so that it gets SIGINT once, from here.

    Args:
        grace_s: what it has to end by itself, in seconds, before it is killed.

    Returns:
        The child's exit status, as subprocess gives it.

    Raises:
        KeyboardInterrupt: a signal came; the child has ended.
    """
    ended = os.pidfd_open(process.pid)
    try:
        signals = [] if _reader is None else [_reader]
        if (
            not select.select([ended], [], [], 0)[0]
            and _reader in select.select([ended, *signals], [], [])[0]
        ):
            end(process, grace_s)
            raise KeyboardInterrupt
    finally:
        os.close(ended)
    return process.wait()


def end(process: subprocess.Popen[bytes], grace_s: float = GRACE_S) -> None:
    """Tell the leader of a session to stop, and make sure that it and all it has started have."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # make, for one, leaves its compilers to themselves
    process.wait()
