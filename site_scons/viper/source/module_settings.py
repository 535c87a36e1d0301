# SPDX-License-Identifier: MIT
"""The settings of the C module: one list, `settings.toml`, and all that is made from it."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIST = Path("firmware/cmodules/viperhttp/settings.toml")  # below the project's folder

Value: TypeAlias = int | bool | str


@dataclass(frozen=True)
class Setting:
    """One C macro that the module is compiled with.

    Attributes:
        name: VHTTP_…
        default: its value unless a board has another; the type of this is the type of all.
        about: what it is, a sentence without its full stop.
        low: the least value of a number.
        high: the greatest value of a number.
        power_of_two: a number that must be one.
    """

    name: str
    default: Value
    about: str
    low: int = 0
    high: int = 0
    power_of_two: bool = False

    @property
    def expects(self) -> str:
        """What a value must be, for a message."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "a text"
        kind = "a power of two" if self.power_of_two else "a whole number"
        return f"{kind} from {self.low} to {self.high}"

    def takes(self, value: object) -> bool:
        """Whether a board may give it this value."""
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if isinstance(self.default, str):
            return isinstance(value, str)
        return (
            isinstance(value, int)
            and self.low <= value <= self.high
            and not (self.power_of_two and value & (value - 1))
        )


def load(path: Path) -> list[Setting]:
    """The settings in the list's order."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_setting(name, table) for name, table in tables.items()]


def effective(settings: Sequence[Setting], values: Mapping[str, Value]) -> dict[str, Value]:
    """What each setting is for a board that has these values."""
    return {setting.name: values.get(setting.name, setting.default) for setting in settings}


def header(settings: Sequence[Setting], values: Mapping[str, Value]) -> str:
    """The text of vhttp_config.h.

    Args:
        values: those of a board, by name; the others have their defaults.
    """
    lines = ["// Made from settings.toml and the board's own values."]
    lines += ["#ifndef VHTTP_CONFIG_H", "#define VHTTP_CONFIG_H"]
    for setting in settings:
        lines.append("")
        lines += textwrap.wrap(setting.about, 97, initial_indent="// ", subsequent_indent="// ")
        value = values.get(setting.name, setting.default)
        lines.append(f"#define {setting.name} {_in_c(value)}")
    for kind, name in ((int, "VHTTP_NUMBERS"), (str, "VHTTP_TEXTS")):
        uses = [f"X({item.name})" for item in settings if isinstance(item.default, kind)]
        lines += ["", f"#define {name}(X) \\", " \\\n".join(f"    {use}" for use in uses)]
    return "\n".join([*lines, "", "#endif", ""])


def table(settings: Sequence[Setting]) -> str:
    """The rows of the documentation's table."""
    return "".join(
        f"| `{setting.name}` | {_in_toml(setting.default)} | {_sentence(setting)} |\n"
        for setting in settings
    )


def _setting(name: str, table: Mapping[str, object]) -> Setting:
    default, about, limits = table["default"], table["about"], table.get("range", [0, 0])
    assert isinstance(default, (int, str)) and isinstance(about, str) and isinstance(limits, list)
    low, high = limits
    return Setting(name, default, about, low, high, bool(table.get("power_of_two")))


def _in_c(value: Value) -> str:
    return json.dumps(value) if isinstance(value, str) else str(int(value))


def _in_toml(value: Value) -> str:
    return json.dumps(value)


def _sentence(setting: Setting) -> str:
    unit = "milliseconds " if setting.name.endswith("_MS") else ""
    return unit + setting.about
