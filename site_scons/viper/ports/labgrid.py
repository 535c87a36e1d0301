# SPDX-License-Identifier: MIT
"""Boards on other machines: places of a labgrid lab, held from first use to the end of the run."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path

from viper.base import console, interrupt, process

_HELD = "VIPERHTTP_HELD_PLACES"  # what a run tells the runs that it starts: URLs by place, as JSON
_GRACE_S = 10.0  # that Ctrl-C waits for the release of a place that is just being acquired
_LIBRARY = Path(__file__).resolve().parents[2]

_keepers: dict[str, tuple[subprocess.Popen[bytes], str]] = {}  # and the URL, by place


def hold(place: str) -> str:
    """Acquire a place until the end of this process, however it ends.

    What the user has acquired is used, and stays acquired.

    Args:
        place: as labgrid-client takes it.

    Returns:
        The address of its serial port, rfc2217://host:port.

    Raises:
        UserError: it cannot be had (see viper.ports.labgrid_client).
        KeyboardInterrupt: Ctrl-C; it has been released, or will be once the coordinator answers.
    """
    held = json.loads(os.environ.get(_HELD, "{}"))
    if place in held:
        return str(held[place])
    if place not in _keepers:
        _keepers[place] = _start(place)
    return _keepers[place][1]


def handed_on() -> dict[str, str]:
    """The environment by which a run that this one starts uses the places held here."""
    return {_HELD: json.dumps({place: url for place, (_, url) in _keepers.items()})}


def _start(place: str) -> tuple[subprocess.Popen[bytes], str]:
    """Let a process of its own acquire a place."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "viper.ports.labgrid_keeper", place],
        env={**os.environ, "PYTHONPATH": str(_LIBRARY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is not for it
    )
    assert keeper.stdout is not None
    signals = interrupt.fileno()
    awaited = [keeper.stdout] if signals is None else [keeper.stdout, signals]
    if keeper.stdout not in select.select(awaited, [], [])[0]:
        assert keeper.stdin is not None
        keeper.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(_GRACE_S)
        raise KeyboardInterrupt
    said = keeper.stdout.readline()
    if not said.startswith(b"{"):
        printed = (said + keeper.stdout.read()).decode(errors="replace")
        if keeper.wait() == 2:
            raise process.user_error(printed)
        raise RuntimeError(f"viper.ports.labgrid_keeper failed:\n{printed}")
    answer = json.loads(said)
    until = "released at the end" if answer["ours"] else "yours before, and left so"
    console.step("ACQUIRE", f"labgrid:{place}  {answer['url']}, {until}")
    return keeper, str(answer["url"])


@atexit.register
def _release() -> None:
    """End the keepers, all at once, and say which could not release its place."""
    for keeper, _ in _keepers.values():
        assert keeper.stdin is not None
        keeper.stdin.close()
    with contextlib.suppress(KeyboardInterrupt):  # they go on by themselves
        for place, (keeper, _) in _keepers.items():
            assert keeper.stdout is not None
            said = keeper.stdout.read().decode(errors="replace")
            if keeper.wait() != 0:
                killed = f"PORT=labgrid:{place} was not released: what held it was killed"
                undo = f"labgrid-client --place {place} release"
                console.error(str(process.user_error(said or f"{killed}\n{undo}")))
