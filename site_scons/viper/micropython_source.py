"""Where MicroPython's source comes from, and which one stands.

The pinned commit, fetched shallowly by git into build/micropython; Debian's source package in its
place when no git host can be reached and the board can do with it; or a developer's own tree. A
stamp file beside the checkout says what stands there: it is the graph's node for the source, since
SCons does not rebuild a folder when its pin moves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from viper import atomic_file, console, debian_source, process
from viper.errors import UserError
from viper.pins import Pins, Submodule
from viper.url import without_userinfo

_SILENCE_S = 20  # a git host that says nothing for so long cannot be reached

# What a person's network needs, of an environment that is otherwise left out.
_NETWORK_VARIABLES = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """MicroPython's source as it stands in a folder.

    Attributes:
        kind: "git" (the pin), "debian" (the stand-in) or "own" (MICROPYTHON=).
        path: its folder; relative to the project's root unless it is a developer's own.
        version: "v1.27.0", as MicroPython is to report it.
        commit: the git commit, 40 hexadecimal digits; of "own", whatever tells its state.
        date: what MicroPython reports as its build date, in seconds since 1970.
        submodules: the paths of those that are there, each with its commit.
        stands_for: of "debian", the pinned commit that could not be fetched; else empty.
    """

    kind: str
    path: str
    version: str
    commit: str
    date: int
    submodules: dict[str, str]
    stands_for: str = ""

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


def ensure(
    checkout: Path,
    stamp: Path,
    pins: Pins,
    *,
    url: str,
    submodules: bool,
    stand_in: bool,
    again: bool,
) -> Source:
    """Have the pinned MicroPython in `checkout`, fetching only what is not there.

    What stood there before stands until the other is whole.

    Args:
        checkout: the folder; anything in it that is not the pin is replaced.
        stamp: the file beside it; written last, so that a fetch that was killed is begun anew.
        url: the git repository that is asked for the pinned commit.
        submodules: whether the pinned submodules are needed.
        stand_in: whether Debian's package may stand in when the git host cannot be reached.
        again: ask git even if a stand-in stands.

    Raises:
        UserError: neither could be had, or what came is not what is pinned.
    """
    stands = Source.load(stamp)
    wanted = _pinned(checkout, pins, submodules)
    if stands == wanted and _verified(checkout, wanted):
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
        fresh.rename(checkout)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    source.save(stamp)
    return source


def stand_in_notice(source: Source, pins: Pins) -> str:
    """The line that says what stands in for what, or nothing if nothing does."""
    if source.kind != "debian":
        return ""
    return (
        f"MicroPython {source.version} of Debian stands in for {pins.micropython.version}; "
        "./scons fetch tries git again"
    )


def own(folder: Path) -> Source:
    """A developer's own tree, its state told by HEAD and by what has changed since.

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
    numbers = re.findall(r"#define MICROPY_VERSION_(?:MAJOR|MINOR|MICRO)\s+\((\d+)\)", text)
    try:
        state = _git_state(folder) if (folder / ".git").exists() else _files_state(folder)
    except process.ToolFailed as failure:
        raise UserError(
            f"MICROPYTHON={folder}: git: {_reason(failure.output)}", f"git -C {folder} status"
        ) from None
    return Source("own", str(folder), "v" + ".".join(numbers), state, 0, {})


class _Unreachable(Exception):
    """A git host could not be asked; the text says why, on one line."""


def _pinned(checkout: Path, pins: Pins, submodules: bool) -> Source:
    pin = pins.micropython
    chosen = pin.submodules if submodules else ()
    commits = {submodule.path: submodule.commit for submodule in chosen}
    return Source("git", checkout.as_posix(), pin.version, pin.commit, pin.date, commits)


def _stand_in(checkout: Path, pins: Pins) -> Source:
    pin = pins.stand_in
    wanted = pins.micropython.commit
    return Source("debian", checkout.as_posix(), pin.version, pin.commit, pin.date, {}, wanted)


def _fetched(fresh: Path, wanted: Source, pins: Pins, url: str, stand_in: bool) -> Source:
    """Fetch what is wanted, or what stands in for it, into a folder that is not there yet."""
    way_out = "check the network, or name a checkout of your own: MICROPYTHON=<folder>"
    try:
        _fetch(fresh, url, wanted.commit, f"MicroPython {wanted.version}")
        for submodule in pins.micropython.submodules if wanted.submodules else ():
            _fetch_submodule(fresh, submodule)
    except _Unreachable as no_git:
        tried = f"MicroPython {wanted.version}: git: {no_git}"
    else:
        if not _verified(fresh, wanted):
            raise UserError(
                f"what git fetched is not a clean {wanted.commit[:10]}", "./scons fetch"
            )
        return wanted
    if not stand_in:
        raise UserError(tried, way_out)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        debian_source.fetch(pins.stand_in, fresh)
    except debian_source.Unreachable as no_mirror:
        raise UserError(f"{tried}; Debian: {no_mirror}", way_out) from None
    return _stand_in(Path(wanted.path), pins)


def _git(*arguments: str, on_line: Callable[[str], None] | None = None) -> str:
    """Run git by itself: no configuration, hook, prompt or repository of the user's."""
    network = {name: os.environ[name] for name in _NETWORK_VARIABLES if name in os.environ}
    environment = process.clean_environment(
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="true",
        SSH_ASKPASS="true",
        GIT_SSH_COMMAND="ssh -o BatchMode=yes",
        **network,
    )
    command = ["git", "-c", "core.autocrlf=false", *arguments]
    return process.run(command, environment=environment, on_line=on_line, silence_s=_SILENCE_S)


def _fetch(checkout: Path, url: str, commit: str, title: str) -> None:
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

    _git("init", "--quiet", str(checkout))
    try:
        with console.progress(title, 100) as show:
            _git(
                *("-C", str(checkout), "fetch", "--depth=1", "--no-tags", "--progress"),
                *(url, commit),
                on_line=Bar().new_message_handler(),
            )
    except process.ToolFailed as failure:
        shown = without_userinfo(url)
        if "not our ref" in failure.output or "no such remote ref" in failure.output:
            raise UserError(
                f"{shown} has no commit {commit}",
                "mend the pin in nix/pins.json, or MICROPYTHON_URL",
            ) from None
        if failure.status is None:
            raise _Unreachable(f"{shown}: no answer in {_SILENCE_S} s") from None
        raise _Unreachable(f"{shown}: {without_userinfo(_reason(failure.output))}") from None
    _git("-C", str(checkout), "checkout", "--quiet", "--detach", "--force", commit)


def _fetch_submodule(checkout: Path, submodule: Submodule) -> None:
    linked = _git("-C", str(checkout), "ls-tree", "HEAD", "--", submodule.path).split()
    if len(linked) < 3 or linked[2] != submodule.commit:
        raise UserError(
            f"submodule {submodule.path}: MicroPython wants {(linked + ['-'] * 3)[2][:10]}, "
            f"the pin is {submodule.commit[:10]}",
            "mend the pin in nix/pins.json",
        )
    _fetch(checkout / submodule.path, submodule.url, submodule.commit, submodule.path)


def _reason(output: str) -> str:
    """Git's own words for what went wrong, on one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    return (told or lines or ["git said nothing"])[0].removeprefix("fatal: ")


def _verified(checkout: Path, wanted: Source) -> bool:
    """Whether HEAD is the wanted commit, and nothing in the tree differs from it."""
    heads = {checkout: wanted.commit}
    heads |= {checkout / path: commit for path, commit in wanted.submodules.items()}
    try:
        return all(
            (folder / ".git").exists()
            and _git("-C", str(folder), "rev-parse", "HEAD").strip() == commit
            and not _git("-C", str(folder), "status", "--porcelain", "--ignored").strip()
            for folder, commit in heads.items()
        )
    except process.ToolFailed:
        return False


def _git_state(folder: Path) -> str:
    """HEAD, and a digest of every change since it, of tracked files and new ones."""
    root = str(folder)
    digest = hashlib.sha256(_git("-C", root, "diff", "--binary", "HEAD").encode())
    for name in _git("-C", root, "ls-files", "-z", "--others", "--exclude-standard").split("\0"):
        if name and (folder / name).is_file():
            digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    return f"{_git('-C', root, 'rev-parse', 'HEAD').strip()}+{digest.hexdigest()[:16]}"


def _files_state(folder: Path) -> str:
    """A digest of every file's path, size and time, for a tree that git knows nothing of."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            status = (Path(parent) / name).lstat()
            relative = (Path(parent) / name).relative_to(folder)
            digest.update(f"{relative}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:40]
