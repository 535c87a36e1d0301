# SPDX-License-Identifier: MIT
"""What a person sees: one quiet line per action, and a bar for what takes over a second."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base.mac import Mac
from viper.base.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress

_BAR_AFTER_S = 1.0  # a bar for anything shorter would only flicker

_lock = threading.RLock()
_shared_bars: Progress | None = None  # rich draws one live display per terminal
_bars_open = 0
_copies: list[Callable[[str], None]] = []


def human_size(size: int) -> str:
    """A byte count for reading, in the units of a partition table: '812 B', '4 KiB', '9.9 MiB'."""
    if size < 1024:
        return f"{size} B"
    for unit, scale in (("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)):
        if size < 1023.95 * scale or unit == "GiB":
            return f"{size / scale:.1f}".removesuffix(".0") + f" {unit}"
    raise AssertionError("unreachable")


def human_mac(mac: Mac) -> str:
    """A MAC as people write it: '02:3c:d3:2b:e1:46'."""
    return ":".join(mac[at : at + 2] for at in range(0, len(mac), 2))


def step(tag: str, text: str) -> None:
    """One line for one action that has been done: `GZIP     app.js  4.1 KiB → 1.2 KiB`."""
    note(f"{tag:<8} {printable(text, kept='')}")


@contextmanager
def copied(to: Callable[[str], None]) -> Iterator[None]:
    """Hand each text that is shown, errors too, to a function as well."""
    _copies.append(to)
    try:
        yield
    finally:
        _copies.remove(to)


def is_copied() -> bool:
    """Whether someone keeps what is shown: then programs must not write to the terminal alone."""
    return bool(_copies)


def note(text: str) -> None:
    """A line on standard output, above any bar that is being drawn; see viper.base.printable."""
    text = printable(text)
    with _lock:
        for copy in _copies:
            copy(text)
        if _shared_bars is not None:
            _shared_bars.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            try:
                print(text, flush=True)
            except BrokenPipeError:
                # Nobody reads on (`./scons get | head`): the work goes on without a word.
                sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


def error(text: str) -> None:
    """An error for the user on standard error, each line of it whole."""
    text = printable(text)
    with _lock, contextlib.suppress(BrokenPipeError):
        for copy in _copies:
            copy(f"error: {text}")
        print(f"error: {text}", file=sys.stderr, flush=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far something has come, if it takes over a second.

    Args:
        title: what is being done, in a few words.
        total: how much there is to do, in any unit.

    Yields:
        A function that takes how much is done so far (not the increment). Any thread may call it.
    """
    started = time.monotonic()
    task: int | None = None

    def show(done: int) -> None:
        nonlocal task
        if time.monotonic() - started < _BAR_AFTER_S:
            return
        with _lock:
            if task is None:
                if not sys.stdout.isatty():
                    task = -1
                    note(f"{title} ...")
                else:
                    task = _bars(+1).add_task(title, total=total)
            if task >= 0 and _shared_bars is not None:
                _shared_bars.update(task, completed=done)  # type: ignore[arg-type]

    try:
        yield show
    finally:
        with _lock:
            if task is not None and task >= 0 and _shared_bars is not None:
                _shared_bars.remove_task(task)  # type: ignore[arg-type]
                _bars(-1)


def _bars(change: int) -> Progress:
    """The bars shared by all threads, drawn while anyone has one open."""
    global _shared_bars, _bars_open
    if _shared_bars is None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        _shared_bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            transient=True,
        )
        _shared_bars.start()
    bars = _shared_bars
    _bars_open += change
    if _bars_open == 0:
        bars.stop()
        _shared_bars = None
    return bars
