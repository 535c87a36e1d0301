# SPDX-License-Identifier: MIT
"""A board: what `boards/<NAME>/board.toml` says of it. Adding a board is adding a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from viper.base.errors import UserError, nearest
from viper.source import module_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OVERLAYS = Path("boards/overlays")  # folders that are no boards: see Board.overlay
CHIPS = ("esp32", "esp32s3")
FIRMWARES = ("esp32", "unix")  # MicroPython's ports that this project builds
FILE_SYSTEMS = ("fat", "littlefs")
FLASH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # MB that an image header can name
PSRAM_SIZES = (0, 2, 4, 8, 16, 32)  # MB
PSRAM_MODES = ("quad", "octal")  # how many lines its bus has


_NO_KEYS = ("name", "folder", "overlay")  # of Board, in board.toml


@dataclass(frozen=True)
class GzipSettings:
    """The table [gzip]: which assets get a compressed sibling, and how hard it is tried.

    They are compiled into the firmware too, as VHTTP_GZIP_ENABLED, _LEVEL and _MIN_SIZE.
    """

    enabled: bool = True
    level: int = 6  # 1 fastest .. 9 smallest
    min_size: int = 1024  # bytes; a smaller asset fits one packet either way


@dataclass(frozen=True)
class SmokeLimits:
    """The table [smoke]: bytes that must be free while the application waits for requests.

    The keys are those of viperhttp.memory_stats(), but for `stack_free`, the least that the stack
    of any task there had left; one that the device does not tell is not asked.
    """

    heap_free: int = 0  # of the interpreter's heap
    internal_free: int = 0  # of ESP-IDF's internal RAM
    internal_largest: int = 0  # in one piece of it
    psram_free: int = 0  # of its PSRAM
    stack_free: int = 0


@dataclass(frozen=True)
class Hardware:
    """A board as far as an image of its flash, or the list of its files, tells of it."""

    name: str
    chip: str
    flash_size: int  # bytes
    psram_size: int  # bytes


@dataclass(frozen=True)
class Board:
    """One board, as its board.toml describes it."""

    name: str  # the folder's name
    folder: Path  # with board.toml
    description: str
    chip: str  # one of CHIPS, as esptool spells it
    firmware: str  # one of FIRMWARES; "unix" stands for the virtual board
    flash_size: int  # bytes; "16MB" in the file
    psram_size: int  # bytes
    partitions: Path  # the partition table's CSV, given relative to board.toml
    fs: str  # one of FILE_SYSTEMS: what the partition `vfs` is formatted with
    psram_mode: str = "quad"  # one of PSRAM_MODES
    gzip: GzipSettings = field(default_factory=GzipSettings)
    smoke: SmokeLimits = field(default_factory=SmokeLimits)
    # The table [viperhttp]: values of the module's settings in place of their defaults.
    viperhttp: Mapping[str, module_settings.Value] = field(default_factory=dict)
    # No key: the folder of boards/overlays that makes its image one for an emulator; "" for itself.
    overlay: str = ""

    @property
    def build_name(self) -> str:
        """The folder of its outputs in build/; with an overlay it is another."""
        return f"{self.name}-{self.overlay}" if self.overlay else self.name

    @property
    def hardware(self) -> Hardware:
        """What of it is no setting."""
        return Hardware(self.name, self.chip, self.flash_size, self.psram_size)


def names(boards_dir: Path) -> list[str]:
    """The names of all boards, sorted."""
    return sorted(entry.parent.name for entry in boards_dir.glob("*/board.toml"))


def load(boards_dir: Path, name: str, own: Path | None = None) -> Board:
    """Read a board.

    Args:
        own: a project's own boards, which are looked at first.

    Raises:
        UserError: no such board, or its file is not TOML, misspells a key, or gives a value
            of the wrong type or out of range.
    """
    folders = [boards_dir] if own is None else [own, boards_dir]
    where = {name: folder for folder in reversed(folders) for name in names(folder)}
    known = sorted(where)
    if name not in known:
        raise UserError(f"no board '{name}'{nearest(name, known)}", f"boards: {', '.join(known)}")
    path = where[name] / name / "board.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}", f"git diff {path}") from None

    keys = [f.name for f in fields(Board) if f.name not in _NO_KEYS]
    top = _Table(path, document, keys)
    gzip_table = top.table("gzip", keys=[f.name for f in fields(GzipSettings)])
    limits = [item.name for item in fields(SmokeLimits)]
    smoke_table = top.table("smoke", keys=limits)
    board = Board(
        name=name,
        folder=path.parent,
        description=top.text("description"),
        chip=top.choice("chip", CHIPS),
        firmware=top.choice("firmware", FIRMWARES),
        flash_size=top.size("flash_size", FLASH_SIZES),
        psram_size=top.size("psram_size", PSRAM_SIZES),
        psram_mode=top.choice("psram_mode", PSRAM_MODES, Board.psram_mode),
        partitions=Path(os.path.normpath(path.parent / top.text("partitions"))),
        fs=top.choice("fs", FILE_SYSTEMS),
        gzip=GzipSettings(
            enabled=gzip_table.boolean("enabled", GzipSettings.enabled),
            level=gzip_table.integer("level", GzipSettings.level, 1, 9),
            min_size=gzip_table.integer("min_size", GzipSettings.min_size, 0, 1 << 30),
        ),
        smoke=SmokeLimits(**{key: smoke_table.integer(key, 0, 0, 1 << 30) for key in limits}),
        viperhttp=top.table("viperhttp", keys=None).settings(boards_dir.parent),
    )
    if not board.partitions.is_file():
        raise UserError(
            f"{path}: partitions = '{top.text('partitions')}': no such file",
            f"write {board.partitions}, or name another partition CSV",
        )
    return board


class _Table:
    """One table of board.toml; refuses keys that it does not know, so that none is misspelt."""

    def __init__(
        self, path: Path, values: dict[str, object], keys: list[str] | None, title: str = ""
    ) -> None:
        self._path = path
        self._values = values
        self._title = title
        for key in values:
            if keys is not None and key not in keys:
                raise UserError(
                    f"{path}: unknown key '{self._dotted(key)}'{nearest(key, keys)}",
                    f"known keys: {', '.join(keys)}",
                )

    def text(self, key: str) -> str:
        value = self._required(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "a text")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = default if default is not None and key not in self._values else self.text(key)
        if value not in choices:
            raise self._wrong(key, " or ".join(f'"{choice}"' for choice in choices))
        return value

    def size(self, key: str, megabytes: tuple[int, ...]) -> int:
        """A size in bytes, written as "16MB"."""
        return int(self.choice(key, tuple(f"{size}MB" for size in megabytes))[:-2]) << 20

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(key, f"a whole number from {low} to {high}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def table(self, key: str, keys: list[str] | None) -> _Table:
        """A table within this one, which may be absent; `keys` None allows any."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, f"a table: [{key}]")
        return _Table(self._path, value, keys, key)

    def settings(self, project: Path) -> dict[str, module_settings.Value]:
        """All keys of this table, which are settings of the project's module."""
        if not self._values:
            return {}
        path = project / module_settings.LIST
        known = {setting.name: setting for setting in module_settings.load(path)}
        result: dict[str, module_settings.Value] = {}
        for key, value in self._values.items():
            if key.startswith("VHTTP_GZIP_"):
                raise UserError(
                    f"{self._path}: '{self._dotted(key)}' is set by the table [gzip]",
                    f"set {key[len('VHTTP_GZIP_') :].lower()} there",
                )
            if key not in known:
                raise UserError(
                    f"{self._path}: '{self._dotted(key)}' is not a setting of viperhttp"
                    + nearest(key, list(known)),
                    f"its settings are in {path}",
                )
            if not known[key].takes(value):
                raise self._wrong(key, known[key].expects)
            assert isinstance(value, (int, str))
            result[key] = value
        return result

    def _required(self, key: str) -> object:
        if key not in self._values:
            raise UserError(
                f"{self._path}: the key '{self._dotted(key)}' is missing", f"add: {key} = ..."
            )
        return self._values[key]

    def _wrong(self, key: str, expected: str) -> UserError:
        value = self._values.get(key)
        return UserError(
            f"{self._path}: '{self._dotted(key)}' is {value!r}", f"it must be {expected}"
        )

    def _dotted(self, key: str) -> str:
        return f"{self._title}.{key}" if self._title else key
