# SPDX-License-Identifier: MIT
"""The house as it stands: the wings of site_scons/viper, who imports whom, and a drawing of both.

`python tests/house.py` prints the drawing that docs/design.md shows: docs/house.svg.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "site_scons/viper"
ROOM_FOR = 18  # modules in a wing; with more of them nobody sees what it is for

_MAY_USE = re.compile(r"^May use: ([\w, ]+)\.$", re.MULTILINE)


@dataclass(frozen=True)
class House:
    """A library in wings.

    Attributes:
        library: the folder of the package, one folder a wing below it.
    """

    library: Path

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """Each module by its dotted name: a package by its own, without `__init__`."""
        found = {}
        for file in sorted(self.library.rglob("*.py")):
            parts = file.relative_to(self.library.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(file.read_text(encoding="utf-8"))
        return found

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """What each module imports, at its top or inside a function."""
        known = set(self.modules)
        return {name: _imports(tree, known) for name, tree in self.modules.items()}

    @cached_property
    def wings(self) -> list[str]:
        """The packages right below the library."""
        return sorted({name.split(".")[1] for name in self.modules if "." in name})

    @cached_property
    def arrows(self) -> dict[str, set[str]]:
        """Which other wings each wing imports from."""
        found: dict[str, set[str]] = {wing: set() for wing in self.wings}
        for name, imported in self.imports.items():
            for other in filter(None, map(self.wing_of, imported)):
                if "." in name and other != self.wing_of(name):
                    found[name.split(".")[1]].add(other)
        return found

    def wing_of(self, module: str) -> str | None:
        """The wing that a module belongs to; None for one of another package."""
        package, *rest = module.split(".")
        return rest[0] if package == self.library.name and rest else None

    def may_use(self, wing: str) -> set[str] | None:
        """The wings that a wing's own docstring allows it; None if it says nothing of them."""
        said = ast.get_docstring(self.modules[f"{self.library.name}.{wing}"]) or ""
        match = _MAY_USE.search(said)
        return set(match[1].split(", ")) - {"none"} if match else None


def broken_laws(house: House) -> list[str]:
    """What contradicts the laws of docs/design.md, a sentence each; none is well."""
    found = []
    for name, tree in house.modules.items():
        if any(imported.split(".")[0] == "SCons" for imported in house.imports[name]):
            found.append(f"{name} imports SCons")
        is_package = (house.library.parent / name.replace(".", "/")).is_dir()
        if is_package and [*map(type, tree.body)] not in ([], [ast.Expr]):
            found.append(f"{name} is a package with code in it")
    for wing in house.wings:
        allowed = house.may_use(wing)
        if allowed is None:
            found.append(f"{wing} does not say which wings it may use")
        elif house.arrows[wing] - allowed:
            found.append(f"{wing} uses {', '.join(sorted(house.arrows[wing] - allowed))}")
        inside = [name for name in house.modules if house.wing_of(name) == wing]
        if len(inside) - 1 > ROOM_FOR:
            found.append(f"{wing} has {len(inside) - 1} modules")
    for graph in (house.arrows, _inside(house)):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1][:-1]
            first = circle.index(min(circle))
            turned = [*circle[first:], *circle[:first], circle[first]]
            found.append("a circle: " + " → ".join(turned))
    return found


def drawing(house: House) -> str:
    """The wings and their arrows in graphviz's language, without arrows that others imply."""
    lines = [
        "digraph house {",
        'rankdir=BT; bgcolor="transparent"; nodesep=0.25; ranksep=0.35; pad=0.05;',
        'node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif",'
        ' fontsize=12, fillcolor="#ddf4ff", color="#0969da", height=0.3];',
        'edge [color="#8b949e", arrowsize=0.7];',
    ]
    for wing in house.wings:
        count = sum(house.wing_of(name) == wing for name in house.modules) - 1
        lines.append(f'"{wing}" [label=<{wing} <font point-size="9">{count}</font>>];')
    below = _all_below(house.arrows)
    for wing, used in house.arrows.items():
        implied = {each for each in used for other in used if each in below[other]}
        lines += [f'"{wing}" -> "{each}";' for each in sorted(used - implied)]
    return "\n".join([*lines, "}", ""])


def _imports(tree: ast.Module, known: set[str]) -> set[str]:
    """What a module imports: of a package the modules that are known, or else the package."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            inner = {f"{source}.{alias.name}" for alias in node.names} & known
            found |= inner or {source}
    return found


def _inside(house: House) -> dict[str, set[str]]:
    """Who imports whom among the library's modules."""
    return {name: used & set(house.modules) - {name} for name, used in house.imports.items()}


def _all_below(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    below: dict[str, set[str]] = defaultdict(set)
    for wing in TopologicalSorter(arrows).static_order():
        below[wing] = arrows[wing].union(*[below[each] for each in arrows[wing]])
    return below


if __name__ == "__main__":
    sys.path.insert(0, str(LIBRARY.parent))
    from viper.graph import page

    print(page.svg(drawing(House(LIBRARY))), end="")
