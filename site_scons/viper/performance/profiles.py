# SPDX-License-Identifier: MIT
"""The profiles: which paths are asked for, by how many clients, and what is still acceptable."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from viper.base.errors import UserError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_CLIENTS = 256
MAX_RATE = 100_000


@dataclass(frozen=True)
class Limits:
    """What ends a run with exit status 1; None: no such limit."""

    error_rate: float | None = None  # of all requests, 0 to 1
    p95_ms: float | None = None  # in the long phase, the median of the runs
    p99_ms: float | None = None
    memory_drop: float | None = None  # bytes free before the profile and not after it


@dataclass(frozen=True)
class Profile:
    """One kind of load."""

    name: str
    paths: tuple[str, ...]
    description: str = ""
    clients: int = 8  # connections at once
    rate: float | None = None  # requests a second of an open-loop long phase; None: closed loop
    limits: Limits = field(default_factory=Limits)

    def parameters(self) -> dict[str, Any]:
        """What two runs must share to be comparable: the load, without what is said of it."""
        values = asdict(self)
        del values["description"], values["limits"]
        return {**values, "paths": list(self.paths)}


def load(path: Path, names: tuple[str, ...] = ()) -> list[Profile]:
    """Read the profiles of these names, all of them without any.

    Raises:
        UserError: the file cannot be read or is no TOML, a key or a value is wrong, or there is no
            profile of some name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(f"{path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: not valid TOML: {problem}", f"mend {path}") from None
    for name in names:
        if name not in document:
            raise UserError(
                f"no profile '{name}'{nearest(name, document)}",
                f"{path} has {', '.join(document) or 'none'}",
            )
    return [_profile(path, name, document[name]) for name in names or tuple(document)]


def _profile(path: Path, name: str, table: object) -> Profile:
    where = f"{path}: [{name}]"
    values = _table(where, table, Profile, ("paths",))
    values.pop("name", None)
    paths = values.pop("paths")
    if not paths or not all(isinstance(item, str) and item.startswith("/") for item in paths):
        raise UserError(f"{where}: 'paths' is {paths!r}", 'it must be a list such as ["/"]')
    limits = _table(f"{path}: [{name}.limits]", values.pop("limits", {}), Limits, ())
    for key, most in (("clients", MAX_CLIENTS), ("rate", MAX_RATE)):
        if key in values and not 0 < values[key] <= most:
            raise UserError(f"{where}: '{key}' is {values[key]}", f"it must be 1 to {most}")
    return Profile(name=name, paths=tuple(paths), limits=Limits(**limits), **values)


_TYPES: dict[str, tuple[type, ...]] = {
    "paths": (list,),
    "description": (str,),
    "clients": (int,),
    "limits": (dict,),
}


def _table(where: str, table: object, kind: type, required: tuple[str, ...]) -> dict[str, Any]:
    """A table whose keys are fields of `kind`, each of the right type; numbers unless listed."""
    if not isinstance(table, dict):
        raise UserError(f"{where} is no table", "a profile is a table with the key 'paths'")
    known = [item.name for item in fields(kind) if item.name != "name"]
    for key, value in table.items():
        if key not in known:
            raise UserError(
                f"{where}: unknown key '{key}'{nearest(key, known)}",
                f"known keys: {', '.join(known)}",
            )
        if isinstance(value, bool) or not isinstance(value, _TYPES.get(key, (int, float))):
            raise UserError(f"{where}: '{key}' is {value!r}", "see the head of the file")
    for key in required:
        if key not in table:
            raise UserError(f"{where}: the key '{key}' is missing", f"add: {key} = ...")
    return dict(table)
