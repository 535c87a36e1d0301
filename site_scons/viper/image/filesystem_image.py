# SPDX-License-Identifier: MIT
"""What a file system image is, whichever file system it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from viper.base.errors import UserError
from viper.image.sectors import SECTOR_SIZE, runs

_NAMED_WHEN_TOO_BIG = 5


@dataclass(frozen=True)
class FilesystemImage:
    """The content of a partition."""

    data: bytes  # all of it; sectors that nothing uses are FF
    used: list[tuple[int, int]]  # runs of sectors that must be written: (first, count), ascending

    @classmethod
    def of(cls, data: bytes, used: Iterable[int]) -> FilesystemImage:
        """An image, from the numbers of the sectors it uses in ascending order."""
        return cls(data, [(run.first, run.count) for run in runs(used)])


def sectors(size: int) -> int:
    """How many sectors a partition of `size` bytes has.

    Raises:
        UserError: it does not end with a sector.
    """
    count, rest = divmod(size, SECTOR_SIZE)
    if rest:
        raise UserError(
            f"a file system cannot fill a partition of {size:#x} bytes",
            f"make its size a multiple of {SECTOR_SIZE:#x}",
        )
    return count


def too_big(kind: str, files: Mapping[str, bytes], needed: int, room: int) -> UserError:
    """The error for files that do not fit: by how much, and the largest ones.

    Args:
        kind: what they should fit into ("FAT").
        files: content by path.
        needed: sectors that they take.
        room: sectors that there are.
    """
    largest = sorted(files, key=lambda path: (-len(files[path]), path))[:_NAMED_WHEN_TOO_BIG]
    listed = ", ".join(f"{path} ({len(files[path])} bytes)" for path in largest)
    return UserError(
        f"the files take {needed * SECTOR_SIZE} bytes of a {kind} that holds "
        f"{room * SECTOR_SIZE}: {(needed - room) * SECTOR_SIZE} too many",
        f"the largest: {listed}",
    )
