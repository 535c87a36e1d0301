# SPDX-License-Identifier: MIT
"""The options of the graph: given as OPTION=value, kept in local.py by `./scons … save`."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base.errors import UserError, nearest
from viper.base.url import is_this_computer, without_userinfo
from viper.performance.request import Request
from viper.ports import port
from viper.ports.port import Port
from viper.source import board, checkout
from viper.source.board import Board
from viper.sync import theirs

from toolkit import scons
from toolkit.scons import Values, Variable

LOCAL_FILE = "local.py"

_BOARDS = checkout.FOLDER / "boards"
_OWN_BOARDS = None if checkout.IS_HERE else Path("boards")
_HTTP_PORT = 8080
_YES = ("1", "yes", "true", "on")
_NO = ("0", "no", "false", "off")
_MEASURE = Request(host="")


def _option(
    help: str,
    default: object = None,
    convert: Callable[[str], object] = str,
    *,
    is_kept: bool = True,
) -> Any:
    """An option: its default (None: the board says, or nothing), and how its text is read.

    Args:
        is_kept: whether it may stand in local.py; what gives something up never does.
    """
    how = {"help": help, "default": default, "convert": convert, "is_kept": is_kept}
    return dataclasses.field(metadata=how)


def _number(low: float, high: float, kind: type[int] | type[float] = int) -> Callable[[str], float]:
    def convert(value: str) -> float:
        try:
            number = kind(value)
        except ValueError:
            number = kind(low - 1)
        if not low <= number <= high:
            raise ValueError(f"not a {'whole ' * (kind is int)}number from {low} to {high}")
        return number

    return convert


def _size(value: str) -> int:
    """A number of bytes; 700k and 1.5M are thousands and millions of them."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", value)
    if match is None:
        raise ValueError("not a number of bytes, as 700000 or 700k")
    return int(float(match[1]) * {"": 1, "k": 1000, "M": 1_000_000}[match[2]])


def _choice(*words: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"neither {' nor '.join(words)}" if words[1:] else f"not {words[0]}")
        return value.lower()

    return convert


def _truth(value: str) -> bool:
    text = str(value).lower()
    if text not in _YES + _NO:
        raise ValueError("neither yes nor no")
    return text in _YES


def _theirs(value: str) -> str:
    theirs.parse(value)
    return value


@dataclass(frozen=True, eq=False, repr=False)
class Options:
    """Every option by its name, as it counts in this run; None where nobody has given one."""

    BOARD: str = _option("a folder of boards/; by default what fits the port or host")
    PORT: str = _option(
        "virtual[:NAME], qemu[:NAME], /dev/tty…, COM14, rfc2217://…, labgrid:…, auto; several: a,b"
    )
    HOST: str | None = _option("a device on the network, 192.168.0.7 or name:port")
    BAUD: int = _option("bits per second to the device", "460800", _number(9600, 4_000_000))
    HTTP_PORT: int | None = _option(
        "a virtual or emulated board's page here; virtual:NAME and qemu take a free one",
        None,
        _number(1, 65535),
    )
    GZIP_ENABLED: bool | None = _option("ship compressed assets", None, _truth)
    GZIP_LEVEL: int | None = _option("1 fastest … 9 smallest", None, _number(1, 9))
    GZIP_MIN_SIZE: int | None = _option(
        "bytes under which an asset is not compressed", None, _number(0, 1 << 30)
    )
    MICROPYTHON: str | None = _option("a MicroPython tree of your own, instead of the pin")
    MICROPYTHON_URL: str | None = _option(
        "a git repository with the pinned commit (environment too)",
        os.environ.get("MICROPYTHON_URL"),
    )
    REPARTITION: str | None = _option(
        "what becomes of a device's data when its partitions change: keep or wipe",
        None,
        _choice("keep", "wipe"),
        is_kept=False,
    )
    THEIRS: str | None = _option(
        "files of the device's own where yours are to be: keep, overwrite, overwrite:/path, ...",
        None,
        _theirs,
        is_kept=False,
    )
    SPACE: str | None = _option(
        "inplace: sync replaces files one by one where there is no room beside them",
        None,
        _choice("inplace"),
        is_kept=False,
    )
    TOKEN: str | None = _option(
        "plain: ota sends a device's token in clear, to firmware that takes it no other way",
        None,
        _choice("plain"),
        is_kept=False,
    )
    FROM: str | None = _option("the backup that ./scons restore puts back")
    IDF: str | None = _option("the folder of ESP-IDF, instead of looking for it")
    QEMU: str | None = _option(
        "Espressif's qemu-system-xtensa, instead of ESP-IDF's or that on PATH (environment too)",
        os.environ.get("QEMU"),
    )
    IDF_ANY: bool = _option(
        "build with another version of ESP-IDF than the pinned one", "0", _truth
    )
    CACHE: str | None = _option("a folder in which builds share their outputs")
    CACHE_SIZE: int = _option("megabytes that it may take up", "2048", _number(1, 1 << 30))
    SYNC_DELETE: bool = _option("let sync delete what is ours and not in the image", "yes", _truth)
    FUZZ_S: int = _option("seconds that ./scons fuzz gives each target", "60", _number(1, 86_400))
    PATHS: str = _option(
        "what mutants changes, with commas between", "site_scons/viper,firmware/cmodules"
    )
    MUTANTS: int = _option("how many places mutants changes", "100", _number(1, 100_000))
    SEED: int = _option("chooses the places that mutants changes", "1", _number(0, 1 << 31))
    TOPICS: str | None = _option("what bench measures, with commas between; default: all")
    BESIDE: str | None = _option("an older commit that bench measures too", is_kept=False)
    MAX_APP: int | None = _option(
        "bytes that the application may take; more fails the build", None, _size
    )
    new: str | None = _option("a folder in which a project of your own begins", is_kept=False)
    diff: str | None = _option("two builds to compare, by the first digits of their ids: ID1,ID2")
    why: str | None = _option("a target to explain instead of building it")
    PROFILES: str | None = _option("of tools/perf_profiles.toml, with commas between; default: all")
    RUNS: int = _option("how often perf measures each profile", _MEASURE.runs, _number(1, 1000))
    BURST_S: float = _option(
        "seconds of a burst phase", _MEASURE.burst_s, _number(0.1, 86_400, float)
    )
    LONG_S: float = _option("seconds of a long phase", _MEASURE.long_s, _number(0.1, 86_400, float))
    HEARTBEAT_MS: int = _option(
        "between perf's signs of life", _MEASURE.heartbeat_ms, _number(100, 10**6)
    )
    HARD_TIMEOUT_S: float = _option(
        "of all of perf", _MEASURE.hard_timeout_s, _number(1, 10**6, float)
    )
    TAG: str = _option("what a run of perf is called", _MEASURE.tag)
    BASELINE: str | None = _option(
        "what perf (a tag) and size (a build) compare with; default: the last"
    )
    MAX_REGRESSION: float = _option(
        "per cent by which perf may be worse", _MEASURE.max_regression, _number(0.1, 1000, float)
    )
    UNTIL: str | None = _option("the last step of the pipeline")
    SKIP: str | None = _option("steps that the pipeline leaves out, with commas between")
    VERBOSE: bool = _option("show commands in full", "0", _truth)


def declared() -> list[Variable]:
    """The options, as SCons reads them."""
    return [
        Variable(each.name, each.metadata["help"], each.metadata["default"], _named(each))
        for each in dataclasses.fields(Options)
    ]


def _named(option: dataclasses.Field[Any]) -> Callable[[str], object]:
    """Let the refusal of a text name its option."""

    def converted(value: str) -> object:
        if value in ("", "None"):
            return None  # not given; saving converts the defaults too, as texts
        try:
            return option.metadata["convert"](value)
        except ValueError as problem:
            raise UserError(f"{option.name}={value}: {problem}", "./scons -h") from None

    return converted


def read(others: tuple[str, ...]) -> Values:
    """What was given on the command line, or else in local.py.

    Args:
        others: names that may be given besides, and are no options.

    Raises:
        UserError: local.py is not Python; an option is misspelt, or its text is no value of it.
    """
    try:
        values = Values(LOCAL_FILE, declared())
    except (SyntaxError, NameError, ImportError) as problem:
        line = f" line {problem.lineno}" if isinstance(problem, SyntaxError) else ""
        raise UserError(f"{LOCAL_FILE}{line}: {problem}", f"mend or remove {LOCAL_FILE}") from None
    for option in _never_kept():
        if option not in scons.arguments():
            values.by_name.pop(option, None)  # as a file may have it that was edited by hand
    known = [*[option.name for option in dataclasses.fields(Options)], *others]
    for name in sorted(values.unknown - set(known)):
        raise UserError(f"no option '{name}'{nearest(name, known)}", "./scons -h")
    return values


def _value(option: dataclasses.Field[Any], values: Values) -> Any:
    """What was given, or else the default."""
    default = option.metadata["default"]
    if option.name in values.by_name or default is None:
        return values.by_name.get(option.name)
    return option.metadata["convert"](str(default))


def save(values: Values) -> None:
    """Keep in local.py what was given.

    Raises:
        UserError: an option is among it that is never kept.
    """
    for name in _never_kept():
        if name in values.by_name:
            raise UserError(f"{name} is never kept", f"give {name}= with the command that needs it")
    values.save(LOCAL_FILE)


def _never_kept() -> list[str]:
    return [each.name for each in dataclasses.fields(Options) if not each.metadata["is_kept"]]


def settle(values: Values) -> tuple[Options, Board]:
    """Let BOARD follow PORT or HOST, or PORT follow BOARD; the options override the board's.

    Raises:
        UserError: two of them do not fit; there is no such board.
    """
    given = Options(**{each.name: _value(each, values) for each in dataclasses.fields(Options)})
    text: str | None = given.PORT
    ports = [port.parse(each) for each in port.split(text or "virtual")]
    kinds = {each.is_virtual for each in ports}
    overlay, *other_overlays = {each.overlay for each in ports}
    if other_overlays:
        raise UserError(
            f"PORT={text} names emulators and others, which take different images",
            "flash the ones, then the others",
        )
    if True in kinds and len(kinds) > 1:
        raise UserError(
            f"PORT={text} names virtual boards and others, which take different images",
            "flash the ones, then the others",
        )
    is_elsewhere = text is None and not is_this_computer(given.HOST or "localhost")
    on_virtual = kinds == {True} and not is_elsewhere
    name = given.BOARD or ("VIRTUAL_N16R8" if on_virtual else "ESP32S3_N16R8")
    described = board.load(_BOARDS, name, _OWN_BOARDS)
    is_virtual = described.firmware == "unix"
    if text is not None and (not is_virtual) in kinds:
        raise UserError(
            f"BOARD={name} is a {'virtual' if is_virtual else 'real'} board, PORT={text} is not",
            f"give PORT={'virtual' if is_virtual else '/dev/ttyUSB0'}, or another BOARD",
        )
    gzip: dict[str, Any] = {
        "enabled": given.GZIP_ENABLED,
        "level": given.GZIP_LEVEL,
        "min_size": given.GZIP_MIN_SIZE,
    }
    changed = {key: value for key, value in gzip.items() if value is not None}
    options = dataclasses.replace(given, BOARD=name, PORT=text or ("virtual" if is_virtual else ""))
    return options, dataclasses.replace(
        described, gzip=dataclasses.replace(described.gzip, **changed), overlay=overlay
    )


def lines(options: Options, board: Board) -> list[str]:
    """The lines of the help: each option with its value now, and what it is for."""
    told = []
    decided = {
        "GZIP_ENABLED": board.gzip.enabled,
        "GZIP_LEVEL": board.gzip.level,
        "GZIP_MIN_SIZE": board.gzip.min_size,
        "HTTP_PORT": default_http_port(options),
    }
    for option in dataclasses.fields(Options):
        value = getattr(options, option.name)
        shown = decided.get(option.name) or "" if value is None else value
        text = without_userinfo(str(shown))
        told.append(f"  {option.name + '=' + text:<28} {option.metadata['help']}")
    return told


def default_http_port(options: Options) -> int | None:
    """Where a virtual board's page is if HTTP_PORT does not say; None for any port that is free."""
    # The first virtual board has a port that a person remembers; others take a free one.
    first = {"virtual", f"virtual:{port.DEFAULT_BOARD}"} & {*options.PORT.split(",")}
    return _HTTP_PORT if first else None


def board_of_http_port(values: Values, options: Options) -> Port | None:
    """The PORT that HTTP_PORT was typed or saved with; None of several."""
    text = options.PORT
    if "HTTP_PORT" not in scons.arguments():
        text = values.saved("PORT") or "virtual"
    return None if "," in text else port.parse(text)
