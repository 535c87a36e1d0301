# SPDX-License-Identifier: MIT
"""Running a tool: output kept for when it fails, Ctrl-C handed on, no child left behind."""

from __future__ import annotations

import os
import selectors
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from viper.base import console, interrupt
from viper.base.errors import UserError
from viper.base.url import without_userinfo

# Held by every child while it runs: the next build also waits for the tools of one that was killed.
_inherited: list[int] = []


_verbose = False

# What a person's network needs, of an environment that is otherwise left out.
_NETWORK_VARIABLES = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSH_AUTH_SOCK",
)  # fmt: skip


def show_commands() -> None:
    """Print every command before it runs."""
    global _verbose
    _verbose = True


def inherit(descriptor: int) -> None:
    """Let every tool started from now on hold `descriptor`."""
    _inherited.append(descriptor)


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a tool: what finds it and nothing that could change its output."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC", **more}


def network_environment() -> dict[str, str]:
    """What a tool that fetches something needs besides `clean_environment`."""
    return {name: os.environ[name] for name in _NETWORK_VARIABLES if name in os.environ}


class ToolFailed(Exception):
    """A tool ended with a status other than 0, or was silent for too long.

    Attributes:
        status: its exit status; negative for a signal, None if it was silent and has been killed.
        output: all that it printed, standard output and error together.
    """

    def __init__(self, tool: str, status: int | None, output: str) -> None:
        self.status = status
        self.output = output
        super().__init__(f"{tool}: exit status {status}: {self.last_line()}")

    def last_line(self) -> str:
        """The last line that it printed, where tools say what was wrong."""
        lines = self.output.strip().splitlines()
        return lines[-1].strip() if lines else ""


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    silence_s: float | None = None,
    grace_s: float = interrupt.GRACE_S,
) -> str:
    """Run a tool to its end.

    Args:
        command: the program and its arguments.
        environment: all of its environment; `clean_environment()` if None.
        on_line: called with each line it prints (ended by a line feed or a carriage return).
        silence_s: it is killed when it prints nothing for so many seconds.
        grace_s: what it has to end by itself after Ctrl-C, in seconds.

    Returns:
        All that it printed, standard output and error together.

    Raises:
        UserError: there is no such program.
        ToolFailed: it failed, or was silent for too long.
        KeyboardInterrupt: Ctrl-C; the tool has ended.
    """
    if _verbose:
        console.note(without_userinfo(shlex.join(command)))
    variables = dict(clean_environment() if environment is None else environment)
    if shutil.which(command[0], path=variables.get("PATH")) is None:
        raise UserError(f"{command[0]} is missing", f"sudo apt install {command[0]}")
    with subprocess.Popen(
        # A build that is killed takes its tools with it.
        ["setpriv", "--pdeathsig", "TERM", *command],
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=_inherited,
        start_new_session=True,
    ) as process:
        output, in_time = _read(process, on_line, silence_s, grace_s)
        if not in_time:
            interrupt.end(process)
            raise ToolFailed(command[0], None, output)
        status = interrupt.wait(process, grace_s)
    if status != 0:
        raise ToolFailed(command[0], status, output)
    return output


def module_environment() -> dict[str, str]:
    """The environment of a module of viper, or of esptool, in a process of its own.

    esptool would take settings from files in the working folder.
    """
    here = Path(__file__).resolve()
    return clean_environment(
        PYTHONPATH=str(here.parents[2]), ESPTOOL_CFGFILE=str(here.with_name("esptool.cfg"))
    )


def run_module(module: str, *arguments: str) -> str:
    """Run a module of viper by this interpreter, in a process of its own.

    Raises:
        UserError: it ended with status 2, by which our modules tell what a user can mend.
        ToolFailed: it failed otherwise.
    """
    try:
        return run([sys.executable, "-m", module, *arguments], environment=module_environment())
    except ToolFailed as failure:
        if failure.status != 2:
            raise
        raise user_error(failure.output) from None


def user_error(printed: str) -> UserError:
    """The error that a module of viper printed before it ended with status 2."""
    what, _, next_step = printed.strip().removeprefix("error: ").partition("\n")
    return UserError(what, next_step.strip())


def _read(
    process: subprocess.Popen[bytes],
    on_line: Callable[[str], None] | None,
    silence_s: float | None,
    grace_s: float,
) -> tuple[str, bool]:
    """All that a process prints until it closes its output, and whether it did so in time."""
    assert process.stdout is not None
    kept = bytearray()
    pending = b""
    signals = interrupt.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if signals is not None:
            selector.register(signals, selectors.EVENT_READ)
        deadline = None if silence_s is None else time.monotonic() + silence_s
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = [key.fd for key, _ in selector.select(left)]
            if not ready:
                return kept.decode(errors="replace"), False
            if signals in ready:
                interrupt.end(process, grace_s)
                raise KeyboardInterrupt
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return kept.decode(errors="replace"), True
            kept += chunk
            if deadline is not None and silence_s is not None:
                deadline = time.monotonic() + silence_s
            if on_line is not None:
                *lines, pending = (pending + chunk).replace(b"\r", b"\n").split(b"\n")
                for line in lines:
                    on_line(line.decode(errors="replace"))
