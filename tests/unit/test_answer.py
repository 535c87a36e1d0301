# SPDX-License-Identifier: MIT
"""Questions to a person at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import termios

ASK = "from viper.base import answer; print(len(answer.ask_secret('Password:')))"


def test_a_terminal_shows_again_what_is_typed_after_a_secret_though_output_goes_elsewhere() -> None:
    ours, theirs = os.openpty()

    def shows() -> bool:
        return bool(termios.tcgetattr(theirs)[3] & termios.ECHO)

    with subprocess.Popen(
        [sys.executable, "-c", ASK],
        stdin=theirs,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "site_scons"},
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(9) == b"Password:"
        assert not shows()
        os.write(ours, b"secret\n")
        assert asking.stdout.read().split() == [b"6"]
    assert asking.returncode == 0
    assert shows()
    os.close(ours)
    os.close(theirs)
