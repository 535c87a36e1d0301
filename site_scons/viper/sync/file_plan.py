# SPDX-License-Identifier: MIT
"""Which files of a device differ from those of an image, and what is done about them.

Pure: what the device has is given. Ours is what a flash or a sync has put there and what still is
as it was put (viper.image.ownership). All else is the user's: it is never replaced or removed
unless the user says so, by name or for all (viper.sync.theirs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from viper.base.mac import Mac
from viper.flash.writing import File
from viper.image import fat_names
from viper.image.device_files import SITE
from viper.image.ownership import Line, Ownership, renamed
from viper.sync.theirs import KEEP, OVERWRITE, Theirs

_PAGES = (".html", ".htm", ".html.gz", ".htm.gz")  # name other files: they change last


@dataclass(frozen=True)
class Found:
    """What a device says of itself and of its files."""

    build: str  # the build id of its firmware
    mac: Mac
    fs: str  # one of board.FILE_SYSTEMS
    free: int  # bytes of its file system
    serving: bool  # whether its server runs
    waiting: frozenset[str] = frozenset()  # names of files that wait for their places
    switched_s: int | None = None  # seconds since the last sync, if it has not restarted since
    ownership: Ownership = field(default_factory=Ownership)
    files: Mapping[str, str] = field(default_factory=dict)  # sha256, in hex, of what was looked at
    folders: frozenset[str] = frozenset()  # where a file of the image is to be
    others: Mapping[str, int] = field(default_factory=dict)  # of the site, not ours: their sizes
    made: Mapping[str, str] = field(default_factory=dict)  # .gz that the device made of ours
    # Paths that are a FAT's short names, and the files that may be meant: their sha256 by path.
    called: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Conflict:
    """A file of the user's where one of ours is to be, or was."""

    path: str
    why: str


@dataclass(frozen=True)
class Placed:
    """A file that is to take its place."""

    path: str
    sha256: str
    before: str  # sha256 of the file that it replaces, "" for none
    copy_of: str = ""  # where the device has its content already
    is_seed: bool = False  # it is the user's from then on

    @property
    def name(self) -> str:
        """What it is called while it waits: another content has another name."""
        return hashlib.sha256(f"{self.path}\0{self.sha256}".encode()).hexdigest()[:16]

    @property
    def record(self) -> Line:
        """Its record in an intent."""
        action = "?" if self.is_seed else "+"
        return (action, self.path, self.sha256, self.name, self.before)


@dataclass(frozen=True)
class SyncPlan:
    """What a sync does, or would do."""

    placed: tuple[Placed, ...] = ()  # in the order of the switch
    respelt: tuple[tuple[str, str], ...] = ()  # names that FAT takes for one: old, new
    cleared: tuple[tuple[str, str], ...] = ()  # removed before others are placed: path, sha256
    removed: tuple[tuple[str, str], ...] = ()  # removed after it
    noted: tuple[Line, ...] = ()  # what changes in the device's note of files alone
    gone: tuple[str, ...] = ()  # of the image no more: removed, or served until the next sync
    kept: tuple[str, ...] = ()  # the user's, by decision
    conflicts: tuple[Conflict, ...] = ()  # nothing is decided

    @property
    def sent(self) -> tuple[str, ...]:
        """The files whose content comes from here."""
        return tuple(sorted(placed.path for placed in self.placed if not placed.copy_of))

    @property
    def moved(self) -> tuple[tuple[str, str], ...]:
        """The files whose content the device has under another name: it, and the new one."""
        copies = (placed for placed in self.placed if placed.copy_of not in ("", placed.path))
        copied = ((placed.copy_of, placed.path) for placed in copies)
        return (*self.respelt, *copied)

    @property
    def deleted(self) -> tuple[str, ...]:
        """The files that go without another name."""
        sources = {old for old, _ in self.moved}
        return tuple(path for path in self.gone if path not in sources)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.intent)

    @property
    def intent(self) -> list[Line]:
        """The records of the switch; see firmware/python/sync_switch.py."""
        respelt: list[Line] = [(">", old, new) for old, new in self.respelt]
        cleared: list[Line] = [("-", path, sha256) for path, sha256 in self.cleared]
        placed = [placed.record for placed in self.placed]
        removed: list[Line] = [("-", path, sha256) for path, sha256 in self.removed]
        return [*respelt, *cleared, *placed, *removed, *self.noted]

    @property
    def touched(self) -> frozenset[str]:
        """Every path that the switch may change."""
        paths = {record[1] for record in self.intent} | {new for _, new in self.respelt}
        return frozenset(paths)

    @property
    def touches_application(self) -> bool:
        """Whether anything changes besides the site, which the server reads anew by itself."""
        changed = {record[1] for record in self.intent if record[0] in "+?->"}
        return any(not in_site(path) for path in changed)


def plan(
    wanted: Mapping[str, File],
    ours: Mapping[str, str],
    found: Found,
    theirs: Theirs,
    *,
    delete: bool,
) -> SyncPlan:
    """What has to be done about a device's files.

    Args:
        wanted: the files of the image, by path.
        ours: the sha256 of the files that flashes and syncs have put there, by path.
        found: what is there.
        theirs: what the user has decided.
        delete: take out what is ours and not in the image.
    """
    return _Planner(wanted, ours, found, theirs, delete).plan()


def folding(fs: str) -> Callable[[str], str]:
    """What is equal for paths that a file system takes for the same.

    Args:
        fs: one of board.FILE_SYSTEMS.
    """
    return fat_names.folded if fs == "fat" else str


def in_site(path: str) -> bool:
    """Whether a path is one of the web site's."""
    return path.startswith(f"{SITE}/")


class _Planner:
    def __init__(
        self,
        wanted: Mapping[str, File],
        ours: Mapping[str, str],
        found: Found,
        theirs: Theirs,
        delete: bool,
    ) -> None:
        self._wanted = wanted
        self._ours = {**ours}
        self._noted_ours = {**found.ownership.files}
        self._retired = {**found.ownership.retired}
        self._kept = found.ownership.kept
        self._there = {**found.made, **found.files}
        self._others = {**found.others}
        self._made = {**found.made}
        self._folders = found.folders
        self._called = found.called
        self._theirs = theirs
        self._delete = delete
        self._fold = folding(found.fs)
        self._respelt: list[tuple[str, str]] = []
        self._cleared: dict[str, str] = {}
        self._removed: dict[str, str] = {}
        self._noted: dict[str, Line] = {}
        self._placed: list[Placed] = []
        self._gone: list[str] = []
        self._keep: set[str] = set()
        self._conflicts: dict[str, Conflict] = {}

    def plan(self) -> SyncPlan:
        self._spell_as_wanted()
        self._content = self._by_content()
        self._clear_the_way()
        for path, file in self._wanted.items():
            if path not in self._keep:
                self._bring(path, file)
        self._give_short_names()
        self._take_out()
        self._drop_made()
        return SyncPlan(
            placed=tuple(sorted(self._placed, key=_turn)),
            respelt=tuple(self._respelt),
            cleared=tuple(self._cleared.items()),
            removed=tuple(self._removed.items()),
            noted=tuple(self._noted.values()),
            gone=tuple(sorted(self._gone)),
            kept=tuple(sorted(self._keep)),
            conflicts=tuple(self._conflicts.values()),
        )

    # ---- Names

    def _spell_as_wanted(self) -> None:
        """Give what a FAT takes for a wanted file or folder the wanted spelling."""
        if self._fold is str:
            return
        present = {*self._there, *self._others}
        there = {self._fold(path): path for path in present}
        folders = {self._fold(each): each for path in present for each in _parents(path)}
        spelling: dict[str, str] = {}
        for path in self._wanted:
            for folder in _parents(path):
                self._spell(folder, folders, spelling)
            # A file that is replaced gets its name by that.
            if self._wanted[path].sha256 == self._there.get(there.get(self._fold(path), "")):
                self._spell(path, there, spelling)
            else:
                spelling[self._fold(path)] = path

        def spelt(path: str) -> str:
            for folder in (path, *reversed(list(_parents(path)))):
                if (wanted := spelling.get(self._fold(folder))) is not None:
                    return wanted + path[len(folder) :]
            return path

        for path in (*self._ours, *self._retired, *self._kept):
            noted = path
            for old, new in self._respelt:
                noted = renamed(noted, old, new)
            if noted != spelt(path):
                self._noted[noted] = ("x", noted)
        self._there = {spelt(path): sha256 for path, sha256 in self._there.items()}
        self._ours = {spelt(path): sha256 for path, sha256 in self._ours.items()}
        self._noted_ours = {spelt(path): sha256 for path, sha256 in self._noted_ours.items()}
        self._retired = {spelt(path): sha256 for path, sha256 in self._retired.items()}
        self._made = {spelt(path): sha256 for path, sha256 in self._made.items()}
        self._kept = {spelt(path): both for path, both in self._kept.items()}
        self._others = {spelt(path): size for path, size in self._others.items()}

    def _spell(self, wanted: str, present: Mapping[str, str], spelling: dict[str, str]) -> None:
        key = self._fold(wanted)
        if key in spelling:
            return
        spelling[key] = wanted
        name = present.get(key, wanted).rpartition("/")[2]
        folder, _, new = wanted.rpartition("/")
        if name != new:
            self._respelt.append((f"{folder}/{name}", wanted))

    def _by_content(self) -> dict[str, str]:
        """Where the device has which content; what is to go there goes first."""
        known = {sha256: path for path, sha256 in self._there.items()}
        leaving = (path for path in self._there if path not in self._wanted)
        return {**known, **{self._there[path]: path for path in leaving}}

    # ---- What is in the way

    def _clear_the_way(self) -> None:
        """Find files that are where a wanted one needs a folder, and the other way round."""
        files = {self._fold(path): path for path in (*self._there, *self._others)}
        below: dict[str, list[str]] = {}
        for path in (*self._there, *self._others):
            for folder in _parents(path):
                below.setdefault(self._fold(folder), []).append(path)
        for path, file in self._wanted.items():
            key = self._fold(path)
            blocking = [files[f] for f in map(self._fold, _parents(path)) if f in files]
            if key not in files or path in self._folders:
                blocking += below.get(key, [])
            self._clear(blocking, path, file)

    def _clear(self, blocking: Sequence[str], path: str, file: File) -> None:
        if blocking and file.is_seed:
            self._keep.add(path)
            return
        why = "is where a file of ours is to be, or its folder"
        theirs = [block for block in blocking if self._there.get(block) != self._put(block)]
        if all([self._decides(block, path, file, why) for block in theirs]):
            self._cleared |= {block: self._there.get(block, "") for block in blocking}

    def _put(self, path: str) -> str:
        """The sha256 of what we put somewhere."""
        return self._made.get(path) or self._retired.get(path) or self._ours.get(path, "")

    # ---- Files of the image

    def _bring(self, path: str, file: File) -> None:
        there = None if path in self._cleared else self._there.get(path)
        if file.is_seed and path not in self._called:
            if there is None and path not in self._others:
                self._place(path, file, "")
        elif path in self._called:
            self._place(path, file, next(iter(self._called[path].values())))
        elif there is None and path not in self._others:
            self._place(path, file, "")
        elif there == file.sha256:
            if self._noted_ours.get(path) != there:
                self._noted[path] = ("=", path, there)
        elif there is not None and there == self._put(path):
            self._place(path, file, there)
        else:
            why = "was changed there" if path in self._ours else "is the device's own"
            if self._decides(path, path, file, why):
                self._place(path, file, there or "")

    def _place(self, path: str, file: File, before: str) -> None:
        copy_of = self._content.get(file.sha256, "")
        self._placed.append(Placed(path, file.sha256, before, copy_of, file.is_seed))

    def _give_short_names(self) -> None:
        """Place again what goes as a wanted file takes the place of its short name."""
        placed = {each.path for each in self._placed}
        for path in {*self._called} & placed:
            for other, sha256 in self._called[path].items():
                if other not in placed:
                    is_theirs = other not in self._ours
                    self._placed.append(Placed(other, sha256, "", other, is_theirs))
                    placed.add(other)

    def _decides(self, block: str, path: str, file: File, why: str) -> bool:
        """Whether a file of the user's may go for a wanted one."""
        there = self._there.get(block, "")
        state = (there if block == path else "", file.sha256)
        decision = self._theirs.decision(block)
        if not decision and self._kept.get(path) == state:
            self._keep.add(path)
        elif decision == KEEP:
            self._keep.add(path)
            self._noted[path] = ("!", path, *state)
        elif decision != OVERWRITE:
            self._conflicts[block] = Conflict(block, why)
        return decision == OVERWRITE

    # ---- Files that are not in the image

    def _take_out(self) -> None:
        for path, put in {**self._retired, **self._ours}.items():
            is_wanted = path in self._wanted and not self._wanted[path].is_seed
            if is_wanted or path in self._cleared:
                if path in self._cleared:
                    self._gone.append(path)
                continue
            there = self._there.get(path)
            if there is None or path in self._wanted:
                self._noted[path] = ("x", path)
            elif there != put:
                self._give_up(path, there)
            elif path in self._retired:
                self._removed[path] = there
            elif self._delete:
                self._gone.append(path)
                if in_site(path):
                    self._noted[path] = (".", path, there)
                else:
                    self._removed[path] = there
        for path in self._kept:
            if path not in self._wanted:
                self._noted[path] = ("x", path)

    def _give_up(self, path: str, there: str) -> None:
        """Decide of a file that was ours and is to go, and was changed on the device."""
        decision = self._theirs.decision(path)
        if path in self._retired or decision == KEEP:
            self._keep.add(path)
            self._noted[path] = ("x", path)
        elif decision == OVERWRITE:
            self._gone.append(path)
            self._removed[path] = there
        elif self._delete:
            self._conflicts[path] = Conflict(path, "was changed there, and is to be deleted")

    def _drop_made(self) -> None:
        """Remove what the device compressed of files that change or go."""
        changing = {placed.path for placed in self._placed} | {*self._removed, *self._cleared}
        for path, sha256 in self._made.items():
            if path.removesuffix(".gz") in changing and path not in self._wanted:
                self._cleared[path] = sha256


def _parents(path: str) -> Iterator[str]:
    """The folders that a path is in, outermost first."""
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _turn(placed: Placed) -> tuple[bool, bool, bool, str]:
    """What may be short names first, then new ones, then those that others name, pages last."""
    page = placed.path.endswith(_PAGES)
    return "~" not in placed.path, bool(placed.before), page, placed.path
