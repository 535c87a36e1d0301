"""Which files of a device differ from those of an image, and what is done about them.

Pure: the device's manifest is given. What is neither below `device_files.SITE` nor put there by an
image is the user's, and nothing here names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from viper.base.mac import Mac
from viper.flash.writing import File
from viper.image.device_files import SITE

STAGE = "/.sync"  # where files wait on the device (firmware/python/viperhttp/sync.py)


@dataclass(frozen=True)
class Manifest:
    """What a device says of itself and of the files in a scope."""

    build: str  # the build id of its firmware
    mac: Mac
    fs: str  # one of board.FILE_SYSTEMS
    free: int  # bytes of its file system
    serving: bool  # whether its server runs
    files: Mapping[str, str]  # sha256, in hex, by path
    staged: frozenset[str]  # names of files that an interrupted sync has left complete


@dataclass(frozen=True)
class SyncPlan:
    """What a sync does, or would do."""

    sent: tuple[str, ...]  # paths on the device
    deleted: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All that is sent or deleted."""
        return (*self.sent, *self.deleted)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.paths)

    @property
    def touches_application(self) -> bool:
        """Whether anything changes besides the site, which the server reads anew by itself."""
        return any(not _in_site(path) for path in self.paths)


def scope(paths: Iterable[str]) -> list[str]:
    """The files and folders that a device is asked about.

    Args:
        paths: files of the image, and those that earlier images may have put there.
    """
    return [SITE, *sorted(path for path in paths if not _in_site(path))]


def plan(
    wanted: Mapping[str, File], ours: Mapping[str, str], found: Mapping[str, str], delete: bool
) -> SyncPlan:
    """What has to be done about a device's files.

    Args:
        wanted: the files of the image, by path.
        ours: the sha256 of the files that earlier images put there, by path.
        found: the sha256 of the files that are there, by path.
        delete: remove what the image does not have: anything of the site, and of the application
            what an earlier image put there. A file of the application that was edited on the
            device since is the user's, and stays.
    """
    sent = tuple(path for path, file in wanted.items() if found.get(path) != file.sha256)
    extra = sorted(path for path in found if path not in wanted)
    gone = (path for path in extra if _in_site(path) or found[path] == ours.get(path))
    return SyncPlan(sent, tuple(gone) if delete else ())


def _in_site(path: str) -> bool:
    return path.startswith(f"{SITE}/")
