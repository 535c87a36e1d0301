# SPDX-License-Identifier: MIT
"""Git by itself: no hook, filter, prompt or repository of the user's.

Of the user's configuration, `url.*.insteadOf` alone counts: a site with a mirror of git hosts
needs it (https://git-scm.com/docs/git-config#Documentation/git-config.txt-urlltbasegtinsteadOf).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

from viper.base import console, process
from viper.base.errors import UserError
from viper.base.url import without_userinfo

_SILENCE_S = 20  # a git host that says nothing for so long cannot be reached


class Unreachable(Exception):
    """A git host could not be asked; the text says why, on one line."""


def run(
    *arguments: str,
    on_line: Callable[[str], None] | None = None,
    silence_s: float | None = None,
) -> str:
    """Run git.

    Args:
        on_line: called with each line it prints.
        silence_s: it is killed when it prints nothing for so many seconds.

    Raises:
        process.ToolFailed: it failed, or was silent for too long.
    """
    environment = process.clean_environment(
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="true",
        SSH_ASKPASS="true",
        GIT_SSH_COMMAND="ssh -o BatchMode=yes",
        **process.network_environment(),
        **_mirrors(),
    )
    command = ["git", "-c", "core.autocrlf=false", *arguments]
    return process.run(command, environment=environment, on_line=on_line, silence_s=silence_s)


@functools.cache
def _mirrors() -> dict[str, str]:
    """The variables that hand on by what the user has other URLs replaced.

    Not on the command line, which others on this machine can read: a URL may hold a password.
    """
    where = {
        name: os.environ[name]
        for name in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME")
        if name in os.environ
    }
    asked = ["git", "config", "--includes", "--null", "--get-regexp", r"^url\..*\.insteadof$"]
    try:
        # Outside of any repository: its own configuration is not the user's.
        told = process.run(asked, cwd=Path("/"), environment=process.clean_environment(**where))
    except process.ToolFailed:
        return {}  # there is none
    entries = [entry.partition("\n") for entry in told.split("\0") if entry]
    variables = {"GIT_CONFIG_COUNT": str(len(entries))}
    for at, (key, _, value) in enumerate(entries):
        variables |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    return variables


def fetch(checkout: Path, url: str, commit: str, title: str) -> None:
    """Fetch one commit into a folder, shallowly, and check it out.

    What an interrupted fetch has left there is gone on with.

    Args:
        title: what is fetched, for the bar.

    Raises:
        Unreachable: the host could not be asked.
        UserError: it has no such commit, or the folder cannot be written.
    """
    from git import RemoteProgress

    class Bar(RemoteProgress):
        def update(
            self,
            op_code: int,
            cur_count: str | float,
            max_count: str | float | None = None,
            message: str = "",
        ) -> None:
            if op_code & self.OP_MASK == self.RECEIVING and max_count:
                show(int(float(cur_count) * 100 / float(max_count)))

    _write(checkout, "init", "--quiet")
    try:
        with console.progress(title, 100) as show:
            run(
                "-C", str(checkout), "fetch", "--depth=1", "--no-tags", "--progress",
                url, commit,
                on_line=Bar().new_message_handler(),
                silence_s=_SILENCE_S,
            )  # fmt: skip
    except process.ToolFailed as failure:
        shown = without_userinfo(url)
        if "not our ref" in failure.output or "no such remote ref" in failure.output:
            raise UserError(
                f"{shown} has no commit {commit}",
                "mend the pin in nix/pins.json, or MICROPYTHON_URL",
            ) from None
        if failure.status is None:
            raise Unreachable(f"{shown}: no answer in {_SILENCE_S} s") from None
        raise Unreachable(f"{shown}: {without_userinfo(reason(failure.output))}") from None
    _write(checkout, "checkout", "--quiet", "--detach", "--force", commit)


def _write(checkout: Path, *arguments: str) -> None:
    """Have git write into a checkout, asking nobody.

    Raises:
        UserError: it could not.
    """
    try:
        checkout.mkdir(parents=True, exist_ok=True)
        run("-C", str(checkout), *arguments)
    except process.ToolFailed as failure:
        raise UserError(
            f"{checkout}: git {arguments[0]}: {reason(failure.output)}",
            "see that git works there and the disk has room, and try again",
        ) from None


def is_at(checkout: Path, commit: str) -> bool:
    """Whether HEAD is that commit, and nothing in the tree differs from it."""
    try:
        return (
            (checkout / ".git").exists()
            and run("-C", str(checkout), "rev-parse", "HEAD").strip() == commit
            and not run("-C", str(checkout), "status", "--porcelain", "--ignored").strip()
        )
    except process.ToolFailed:
        return False


def reason(output: str) -> str:
    """Git's own words for what went wrong, on one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    return (told or lines or ["git said nothing"])[0].removeprefix("fatal: ")
