"""The options of the graph: given as OPTION=value, kept in local.py by `./scons … save`.

Adds to the environment the options' values by name, and
    env["DEFAULT_HTTP_PORT"]   where the page is if HTTP_PORT does not say, None for a free port
    env["BOARD_TOML"]          the board's description, with the options that override it
    env["VIPERHTTP_SETTINGS"]  the C module's settings by macro
    env["BUILD_DIR"]           the folder of this board's outputs
    env.Save()                 an action that keeps the options that were given
    env.SettingsHelp()         the lines of the help that show the options
"""

import dataclasses
import os
import re
from pathlib import Path

import SCons.Script
from SCons.Variables import Variables
from viper.base import console, process
from viper.base.errors import UserError, exits, nearest
from viper.base.url import is_this_computer, without_userinfo
from viper.performance.request import Request
from viper.ports import port
from viper.source import board
from viper.source.pins import MOVABLE

LOCAL_FILE = "local.py"
_FOR_ONCE = ("TOKEN",)  # on the command line alone: what gives something up is never kept
_BOARDS = Path("boards")

_HTTP_PORT = 8080
_YES = ("1", "yes", "true", "on")
_NO = ("0", "no", "false", "off")


def exists(env):
    return True


@exits
def generate(env):
    options = Variables([LOCAL_FILE], SCons.Script.ARGUMENTS)
    for name, help, default, convert in _options():
        options.Add(name, help, default, converter=_named(name, convert))
    try:
        options.Update(env)
    except (SyntaxError, NameError, ImportError) as problem:
        line = f" line {problem.lineno}" if isinstance(problem, SyntaxError) else ""
        raise UserError(f"{LOCAL_FILE}{line}: {problem}", f"mend or remove {LOCAL_FILE}") from None
    _refuse_unknown(options)
    for name in set(_FOR_ONCE) - set(SCons.Script.ARGUMENTS):
        env[name] = None  # as a file may have it that was edited by hand
    for name in [option.key for option in options.options]:
        if env.get(name) is None:
            env.Dictionary().pop(name, None)
    given = env.Clone()
    env.AddMethod(lambda env: env.Deed(lambda env: _save(options, given)), "Save")
    _settle(env)
    if env["VERBOSE"]:
        process.show_commands()
    env.AddMethod(lambda env: _help(env, options), "SettingsHelp")


def _options():
    """Name, help, default (None: the board says, or nothing), and how the text is read."""
    measure = Request(host="")
    return [
        ("BOARD", "a folder of boards/; by default what fits the port or host", None, str),
        (
            "PORT",
            "virtual[:NAME], /dev/tty…, COM14, rfc2217://…, labgrid:…, auto; several: a,b",
            None,
            str,
        ),
        ("HOST", "a device on the network, 192.168.0.7 or name:port", None, str),
        ("BAUD", "bits per second to the device", "460800", _number(9600, 4_000_000)),
        (
            "HTTP_PORT",
            "the virtual board's page on this computer; virtual:NAME takes a free one",
            None,
            _number(1, 65535),
        ),
        ("GZIP_ENABLED", "ship compressed assets", None, _truth),
        ("GZIP_LEVEL", "1 fastest … 9 smallest", None, _number(1, 9)),
        (
            "GZIP_MIN_SIZE",
            "bytes under which an asset is not compressed",
            None,
            _number(0, 1 << 30),
        ),
        ("MICROPYTHON", "a MicroPython tree of your own, instead of the pin", None, str),
        (
            "MICROPYTHON_URL",
            "a git repository with the pinned commit (environment too)",
            os.environ.get("MICROPYTHON_URL"),
            str,
        ),
        (
            "REPARTITION",
            "what becomes of a device's data when its partitions change: keep or wipe",
            None,
            _choice("keep", "wipe"),
        ),
        (
            "TOKEN",
            "plain: ota sends a device's token in clear, to firmware that takes it no other way",
            None,
            _choice("plain"),
        ),
        ("FROM", "the backup that ./scons restore puts back", None, str),
        ("IDF", "the folder of ESP-IDF, instead of looking for it", None, str),
        ("IDF_ANY", "build with another version of ESP-IDF than the pinned one", "0", _truth),
        ("CACHE", "a folder in which builds share their outputs", None, str),
        ("CACHE_SIZE", "megabytes that it may take up", "2048", _number(1, 1 << 30)),
        ("SYNC_DELETE", "let sync delete what the image does not have", "yes", _truth),
        ("FUZZ_S", "seconds that ./scons fuzz gives each target", "60", _number(1, 86_400)),
        ("TOPICS", "what bench measures, with commas between; default: all", None, str),
        ("MAX_APP", "bytes that the application may take; more fails the build", None, _size),
        ("diff", "two builds to compare, by the first digits of their ids: ID1,ID2", None, str),
        ("why", "a target to explain instead of building it", None, str),
        ("PROFILES", "of tools/perf_profiles.toml, with commas between; default: all", None, str),
        ("RUNS", "how often perf measures each profile", measure.runs, _number(1, 1000)),
        ("BURST_S", "seconds of a burst phase", measure.burst_s, _number(0.1, 86_400, float)),
        ("LONG_S", "seconds of a long phase", measure.long_s, _number(0.1, 86_400, float)),
        ("HEARTBEAT_MS", "between perf's signs of life", measure.heartbeat_ms, _number(100, 10**6)),
        ("HARD_TIMEOUT_S", "of all of perf", measure.hard_timeout_s, _number(1, 10**6, float)),
        ("TAG", "what a run of perf is called", measure.tag, str),
        (
            "BASELINE",
            "what perf (a tag) and size (a build) compare with; default: the last",
            None,
            str,
        ),
        (
            "MAX_REGRESSION",
            "per cent by which perf may be worse",
            measure.max_regression,
            _number(0.1, 1000, float),
        ),
        ("UNTIL", "the last step of the pipeline", None, str),
        ("SKIP", "steps that the pipeline leaves out, with commas between", None, str),
        ("VERBOSE", "show commands in full", "0", _truth),
    ]


def _save(options, given):
    for name in _FOR_ONCE:
        if name in given:
            raise UserError(f"{name} is never kept", f"give {name}= with the command that needs it")
    options.Save(LOCAL_FILE, given)
    kept = Path(LOCAL_FILE).read_text(encoding="utf-8").splitlines()
    console.step("SAVE", f"{LOCAL_FILE}  {', '.join(kept)}")


def _settle(env):
    """Let BOARD follow PORT or HOST, or PORT follow BOARD; refuse two that do not fit."""
    text = env.get("PORT")
    kinds = {port.parse(each).is_virtual for each in port.split(text or "virtual")}
    if True in kinds and len(kinds) > 1:
        raise UserError(
            f"PORT={text} names virtual boards and others, which take different images",
            "flash the ones, then the others",
        )
    is_elsewhere = text is None and not is_this_computer(env.get("HOST", "localhost"))
    on_virtual = kinds == {True} and not is_elsewhere
    name = env.get("BOARD") or ("VIRTUAL_N16R8" if on_virtual else "ESP32S3_N16R8")
    described = board.load(_BOARDS, name)
    is_virtual = described.firmware == "unix"
    if text is not None and (not is_virtual) in kinds:
        raise UserError(
            f"BOARD={name} is a {'virtual' if is_virtual else 'real'} board, PORT={text} is not",
            f"give PORT={'virtual' if is_virtual else '/dev/ttyUSB0'}, or another BOARD",
        )
    env["BOARD"] = name
    env["PORT"] = text or ("virtual" if is_virtual else "")
    env["BUILD_DIR"] = f"build/{name}"
    gzip = dataclasses.replace(
        described.gzip,
        **{
            key: env[f"GZIP_{key.upper()}"]
            for key in ("enabled", "level", "min_size")
            if f"GZIP_{key.upper()}" in env
        },
    )
    # The first virtual board has a port that a person remembers; others take a free one.
    first = env["PORT"] == "virtual"
    env["DEFAULT_HTTP_PORT"] = _HTTP_PORT if first else None
    env["BOARD_TOML"] = dataclasses.replace(described, gzip=gzip)
    env["VIPERHTTP_SETTINGS"] = {
        **described.viperhttp,
        "VHTTP_GZIP_ENABLED": gzip.enabled,
        "VHTTP_GZIP_LEVEL": gzip.level,
        "VHTTP_GZIP_MIN_SIZE": gzip.min_size,
    }


def _help(env, options):
    board_toml = env["BOARD_TOML"]
    shown = {
        "GZIP_ENABLED": board_toml.gzip.enabled,
        "GZIP_LEVEL": board_toml.gzip.level,
        "GZIP_MIN_SIZE": board_toml.gzip.min_size,
        "HTTP_PORT": env["DEFAULT_HTTP_PORT"],
    }
    for option in options.options:
        value = without_userinfo(str(env.get(option.key, shown.get(option.key) or "")))
        yield f"  {option.key + '=' + value:<28} {option.help}"


def _refuse_unknown(options):
    # `./scons pin` takes the names of pins.
    pins = MOVABLE if "pin" in SCons.Script.COMMAND_LINE_TARGETS else ()
    known = [*options.keys(), *pins]
    for name in set(options.UnknownVariables()) - set(known):
        raise UserError(f"no option '{name}'{nearest(name, known)}", "./scons -h")


def _named(name, convert):
    """Let a converter's refusal name its option."""

    def converted(value):
        if value in ("", "None"):
            return None  # not given; saving converts the defaults too, as texts
        try:
            return convert(value)
        except ValueError as problem:
            raise UserError(f"{name}={value}: {problem}", "./scons -h") from None

    return converted


def _number(low, high, kind=int):
    def convert(value):
        try:
            number = kind(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"not a {'whole ' * (kind is int)}number from {low} to {high}")
        return number

    return convert


def _size(value):
    """A number of bytes; 700k and 1.5M are thousands and millions of them."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", value)
    if match is None:
        raise ValueError("not a number of bytes, as 700000 or 700k")
    return int(float(match[1]) * {"": 1, "k": 1000, "M": 1_000_000}[match[2]])


def _choice(*words):
    def convert(value):
        if value.lower() not in words:
            raise ValueError(f"neither {' nor '.join(words)}" if words[1:] else f"not {words[0]}")
        return value.lower()

    return convert


def _truth(value):
    text = str(value).lower()
    if text not in _YES + _NO:
        raise ValueError("neither yes nor no")
    return text in _YES
