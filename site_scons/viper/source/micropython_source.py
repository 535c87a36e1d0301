# SPDX-License-Identifier: MIT
"""Where MicroPython's source comes from, and which one stands.

The pinned commit, fetched shallowly by git into build/micropython; Debian's source package in its
place when no git host can be reached and the board can do with it; or a developer's own tree. A
stamp file beside the checkout says what stands there: it is the graph's node for the source, since
SCons does not rebuild a folder when its pin moves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from viper.base import atomic_file, console, process
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.source import git_command, own_tree
from viper.source.pins import Pins, Submodule
from viper.source.tree import Tree

_WAY_OUT = "check the network, or name a checkout of your own: MICROPYTHON=<folder>"


@dataclass(frozen=True)
class Source:
    """MicroPython's source as it stands in a folder.

    Attributes:
        kind: "git" (the pin), "debian" (the stand-in) or "own" (MICROPYTHON=).
        path: its folder; relative to the project's root unless it is a developer's own.
        version: "v1.27.0", as MicroPython is to report it.
        commit: the git commit, 40 hexadecimal digits; of "own", HEAD and a digest of all files.
        date: what MicroPython reports as its build date, in seconds since 1970.
        stands_for: of "debian", the pinned commit that could not be fetched; else empty.
    """

    kind: str
    path: str
    version: str
    commit: str
    date: int
    stands_for: str = ""

    def is_told_by(self, own: Mapping[str, str]) -> bool:
        """Whether a developer's own tree had these files when it was looked at.

        Args:
            own: the digest of each; none of a tree that is nobody's own, which stands as it is.
        """
        return self.kind != "own" or self.commit.endswith(
            f"+{_state(Tree(dict(sorted(own.items()))))}"
        )

    def save(self, stamp: Path) -> None:
        """Write the stamp."""
        atomic_file.write_json(stamp, asdict(self))

    @staticmethod
    def load(stamp: Path) -> Source | None:
        """What a stamp says; None if there is none or it cannot be read."""
        try:
            return Source(**json.loads(stamp.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def read(stamp: Path) -> Source:
        """What a stamp says that has to be there.

        Raises:
            UserError: there is none or it cannot be read.
        """
        source = Source.load(stamp)
        if source is None:
            raise UserError(f"{stamp} cannot be read", "./scons fetch")
        return source


def ensure(
    checkout: Path,
    stamp: Path,
    pins: Pins,
    *,
    url: str,
    stand_in: bool,
    again: bool,
) -> Source:
    """Have the pinned MicroPython in `checkout`, fetching only what is not there.

    What stood there before stands until the other is whole.

    Args:
        checkout: the folder; anything in it that is not the pin is replaced.
        stamp: the file beside it; written last, so that a fetch that was killed is begun anew.
        url: the git repository that is asked for the pinned commit.
        stand_in: whether Debian's package may stand in when the git host cannot be reached.
        again: ask git even if a stand-in stands.

    Raises:
        UserError: neither could be had, or what came is not what is pinned.
    """
    stands = Source.load(stamp)
    wanted = _pinned(checkout, pins)
    if stands == wanted and git_command.is_at(checkout, wanted.commit):
        return wanted
    if stand_in and not again and stands == _stand_in(checkout, pins) and checkout.is_dir():
        return stands
    fresh = checkout.with_name(f"{checkout.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    try:
        source = _fetched(fresh, wanted, pins, url, stand_in)
        stamp.unlink(missing_ok=True)
        shutil.rmtree(checkout, ignore_errors=True)
        _make_read_only(fresh)
        fresh.rename(checkout)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    source.save(stamp)
    return source


def ensure_submodules(checkout: Path, folder: Path, pins: Pins) -> None:
    """Have the pinned submodules, each below `folder` by its path.

    They are kept out of the checkout, which boards that do without them share.

    Raises:
        UserError: one could not be had, or its pin is not what the checkout wants.
    """
    for submodule in pins.micropython.submodules:
        if git_command.is_at(folder / submodule.path, submodule.commit):
            continue
        fresh = folder / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch_submodule(checkout, fresh, submodule)
            shutil.rmtree(folder / submodule.path, ignore_errors=True)
            (folder / submodule.path).parent.mkdir(parents=True, exist_ok=True)
            fresh.rename(folder / submodule.path)
        except git_command.Unreachable as no_git:
            raise UserError(f"MicroPython's {submodule.path}: git: {no_git}", _WAY_OUT) from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def stand_in_notice(source: Source, pins: Pins) -> str:
    """The line that says what stands in for what, or nothing if nothing does."""
    if source.kind != "debian":
        return ""
    return (
        f"MicroPython {source.version} of Debian stands in for {pins.micropython.version}; "
        "./scons fetch tries git again"
    )


def own(folder: Path, port: str, contents: Contents) -> Source:
    """A developer's own tree, its state told by all files of it that a port is built from.

    Raises:
        UserError: the folder is not a MicroPython source tree.
    """
    header = folder / "py" / "mpconfig.h"
    try:
        text = header.read_text(encoding="utf-8")
    except OSError:
        raise UserError(
            f"MICROPYTHON={folder} is no MicroPython source tree: it has no py/mpconfig.h",
            "name the folder that holds ports/ and py/, or leave MICROPYTHON out",
        ) from None
    numbers = re.findall(r"#define MICROPY_VERSION_(?:MAJOR|MINOR|MICRO)\s+\(?(\d+)", text)
    state = _state(own_tree.find(folder, port, contents))
    return Source("own", str(folder), "v" + ".".join(numbers), f"{_head(folder)}+{state}", 0)


def _state(tree: Tree) -> str:
    return tree.digest[:16]


def _pinned(checkout: Path, pins: Pins) -> Source:
    pin = pins.micropython
    return Source("git", checkout.as_posix(), pin.version, pin.commit, pin.date)


def _stand_in(checkout: Path, pins: Pins) -> Source:
    pin = pins.stand_in
    wanted = pins.micropython.commit
    return Source("debian", checkout.as_posix(), pin.version, pin.commit, pin.date, wanted)


def _fetched(fresh: Path, wanted: Source, pins: Pins, url: str, stand_in: bool) -> Source:
    """Fetch what is wanted, or what stands in for it, into a folder that is not there yet."""
    from viper.source import debian

    try:
        git_command.fetch(fresh, url, wanted.commit, f"MicroPython {wanted.version}")
    except git_command.Unreachable as no_git:
        tried = f"MicroPython {wanted.version}: git: {no_git}"
    else:
        if not git_command.is_at(fresh, wanted.commit):
            raise UserError(
                f"what git fetched is not a clean {wanted.commit[:10]}", "./scons fetch"
            )
        return wanted
    if not stand_in:
        raise UserError(tried, _WAY_OUT)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        debian.fetch(pins.stand_in, fresh)
    except debian.Unreachable as no_mirror:
        raise UserError(f"{tried}; Debian: {no_mirror}", _WAY_OUT) from None
    console.note(tried)
    return _stand_in(Path(wanted.path), pins)


def _fetch_submodule(checkout: Path, fresh: Path, submodule: Submodule) -> None:
    linked = git_command.run("-C", str(checkout), "ls-tree", "HEAD", "--", submodule.path).split()
    if len(linked) < 3 or linked[2] != submodule.commit:
        raise UserError(
            f"submodule {submodule.path}: MicroPython wants {(linked + ['-'] * 3)[2][:10]}, "
            f"the pin is {submodule.commit[:10]}",
            "mend the pin in nix/pins.json",
        )
    git_command.fetch(fresh, submodule.url, submodule.commit, submodule.path)


def _make_read_only(folder: Path) -> None:
    """Of all files but git's own: what stands for a commit is not edited."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def _head(folder: Path) -> str:
    """The commit that a tree has checked out, for people to read; empty if git does not know."""
    try:
        return git_command.run("-C", str(folder), "rev-parse", "--verify", "HEAD").strip()
    except process.ToolFailed:
        return ""
