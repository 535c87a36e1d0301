# SPDX-License-Identifier: MIT
"""The lines of sdkconfig and of its fragments; those of a board as the tools of ESP-IDF take them.

These differ in what they take: of a value with a comment behind it, of a line that is indented. So
the kconfgen of the ESP-IDF that is built with is asked what a fragment assigns. It is given a
Kconfig of nothing but the fragment's symbols, twice, with other defaults: what comes out the same
was assigned.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError

_ASSIGNMENT = re.compile(r"CONFIG_([^=]+)=(.*)")
_UNSET = re.compile(r"# CONFIG_([^ ]+) is not set")
_TEXT = re.compile(r'"((?:[^\\"]|\\.)*)"')
_MENTIONED = re.compile(r"CONFIG_(\w+)")
_DEFAULTS = {
    "bool": ("n", "y"),
    "int": ("-7", "-8"),
    "hex": ("0x7", "0x8"),
    "string": ('"one"', '"other"'),
}
_Value = bool | int | str


@dataclass(frozen=True)
class Setting:
    """One assignment and where it stands.

    Attributes:
        name: the symbol without CONFIG_.
        value: as Kconfig writes it: y, n, a number, or a text without its quotes.
        file: the fragment.
        line: from 1.
    """

    name: str
    value: str
    file: Path
    line: int


def read(file: Path) -> list[Setting]:
    """Every assignment of a fragment or of `sdkconfig`, in order; "is not set" is n.

    Lines are taken as esp-idf-kconfig 2.5.2 takes them (kconfgen/core.py and kconfiglib/core.py).
    Where the tools of an ESP-IDF are at hand, `Tools` has them read the board's.
    """
    settings = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        assigned = _ASSIGNMENT.match(line.strip())
        unset = _UNSET.match(line.strip())
        if assigned:
            settings.append(Setting(assigned[1], _plain(assigned[2]), file, number))
        elif unset:
            settings.append(Setting(unset[1], "n", file, number))
    return settings


class Tools:
    """kconfgen of one ESP-IDF.

    Args:
        environment: all of the environment that its tools run in.
        version: ESP-IDF's, "v5.5.1".
        outcome: `config/sdkconfig.json` of its build, which tells the types of symbols.
    """

    def __init__(self, environment: Mapping[str, str], version: str, outcome: Path) -> None:
        self._environment = dict(environment)
        self._version = version.lstrip("v")
        try:
            self._known: Mapping[str, _Value] = json.loads(outcome.read_bytes())
        except (OSError, ValueError):
            self._known = {}

    def read(self, file: Path) -> list[Setting]:
        """What a fragment asks for, in order: as kconfgen takes it, else as `read`."""
        text = file.read_text(encoding="utf-8")
        lines = {
            name: number
            for number, line in enumerate(text.splitlines(), 1)
            for name in _MENTIONED.findall(line)
        }
        seen = {setting.name: setting for setting in read(file)}
        kinds = self._kinds(lines, seen)
        try:
            one, other = (self._ask(file, kinds, which) for which in (0, 1))
        except (process.ToolFailed, UserError, OSError, ValueError):
            return read(file)
        taken = {
            name: Setting(name, _written(one[name]), file, number)
            for name, number in lines.items()
            if name in one and one[name] == other.get(name)
        }
        # What kconfgen leaves out is still what a person has asked for, to be held against what
        # came out.
        return sorted({**seen, **taken}.values(), key=lambda setting: setting.line)

    def _kinds(self, names: Mapping[str, int], seen: Mapping[str, Setting]) -> dict[str, str]:
        """The type of each symbol: as it came out, or as its value looks."""
        kinds = {}
        for name in names:
            value = self._known.get(name)
            text = seen[name].value if name in seen else ""
            if isinstance(value, bool) or (value is None and text in ("y", "n")):
                kinds[name] = "bool"
            elif text.startswith("0x"):
                kinds[name] = "hex"
            elif isinstance(value, int) or (value is None and text.lstrip("-").isdigit()):
                kinds[name] = "int"
            else:
                kinds[name] = "string"
        return kinds

    def _ask(self, file: Path, kinds: Mapping[str, str], which: int) -> Mapping[str, _Value]:
        """What comes out of a fragment alone.

        Raises:
            process.ToolFailed, UserError, OSError, ValueError: kconfgen is not there, or is
                another one.
        """
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            kconfig = "".join(
                f'config {name}\n    {kind} "{name}"\n    default {_DEFAULTS[kind][which]}\n'
                for name, kind in kinds.items()
            )
            (folder / "Kconfig").write_text(f'mainmenu "fragment"\n{kconfig}', encoding="utf-8")
            process.run(
                [
                    "python", "-m", "kconfgen", "--kconfig", str(folder / "Kconfig"),
                    "--config", str(folder / "sdkconfig"), "--defaults", str(file.absolute()),
                    "--env", f"IDF_VERSION={self._version}",
                    "--output", "json", str(folder / "sdkconfig.json"),
                ],
                environment={**self._environment, "TMPDIR": temporary},
            )  # fmt: skip
            outcome: Mapping[str, _Value] = json.loads((folder / "sdkconfig.json").read_bytes())
            return outcome


def _written(value: _Value) -> str:
    """A value as Kconfig writes it."""
    if isinstance(value, bool):
        return "y" if value else "n"
    return str(value)


def _plain(value: str) -> str:
    """What an assignment means; behind a text, and behind y or n, may stand anything."""
    quoted = _TEXT.match(value)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return value[0] if value.startswith(("y", "n")) else value or "n"
