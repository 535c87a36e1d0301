# SPDX-License-Identifier: MIT
"""Asking the person at the terminal, from a thread that Ctrl-C has to end."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
from collections.abc import Iterator

from viper.base import interrupt


def ask(question: str) -> str:
    """The answer to a question, without its line end; "" at the end of the input.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    sys.stdout.write(f"{question} ")
    sys.stdout.flush()
    return _line()


def ask_secret(question: str) -> str:
    """As `ask`, without showing what is typed."""
    with _no_echo():
        try:
            return ask(question)
        finally:
            if sys.stdin.isatty():
                print(flush=True)  # the line end was not shown either


def _line() -> str:
    """One line of standard input, byte by byte: a buffer would keep what `select` waits for."""
    signals = interrupt.fileno()
    watched = [0] if signals is None else [0, signals]
    line = bytearray()
    while not line.endswith(b"\n"):
        if signals in select.select(watched, [], [])[0]:
            raise KeyboardInterrupt
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line.decode(errors="replace").strip("\r\n")


@contextlib.contextmanager
def _no_echo() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(0)
    hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(0, termios.TCSAFLUSH, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSAFLUSH, before)
