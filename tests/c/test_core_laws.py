# SPDX-License-Identifier: MIT
"""What docs/design.md says of core/, port/ and binding/, read from the sources; each law with what
breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from c_program import MODULE

STANDARD = {"errno", "inttypes", "limits", "math", "stdarg", "stdatomic", "stdbool", "stddef"} | {
    "stdint",
    "stdio",
    "stdlib",
    "string",
}
MADE = {"vhttp_config.h"}  # by the build
CONTRACT = "platform"  # what a port implements

# Whose fields a file may name, by what such a thing is called everywhere: every other file asks by
# functions.
OWNERS = {
    r"\bconnection(?:->|\.)": "connection.c",
    r"\breply(?:->|\.)": "reply.c",
    r"\berrand(?:->|\.)": "errand.c",
    r"\bexchange->file\b": "static.c",
    r"\bpool(?:->|\.)": "pool.c",
}

_INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)
_DECLARED = re.compile(r"^(?!static|typedef|struct \w+ \{|//)[\w *]+?\b(vhttp_\w+)\(", re.MULTILINE)
_COMMENT = re.compile(r"//.*")
_FUNCTION = re.compile(r"(?!typedef\b|struct \w+ \{)\w[\w *]*?\b(vhttp_\w+)\(")


def broken_laws(module: Path) -> list[str]:
    """What contradicts the laws, a sentence each; none is well."""
    files = {path.name: _COMMENT.sub("", path.read_text()) for path in module.glob("core/*.[ch]")}
    includes = {name: _INCLUDE.findall(text) for name, text in files.items()}
    declared = {
        name: set(_DECLARED.findall(text)) for name, text in files.items() if name.endswith(".h")
    }
    return [
        *_foreign(includes),
        *_circle("includes", {name: set(found) & set(files) for name, found in includes.items()}),
        *_homeless(files, declared),
        *_circle("calls", _calls(files, declared)),
        *_trespassers(files),
        *[f"port/{path.name} is a header" for path in module.glob("port/*.h")],
        *_untold(sorted(module.glob("*/*.h"))),
    ]


def _untold(headers: Iterable[Path]) -> list[str]:
    """Functions of which a header does not say what they do, over them or over their group."""
    found = []
    for header in headers:
        is_told = False
        for line in header.read_text().splitlines():
            is_told = bool(line) and (is_told or line.startswith("//"))
            function = _FUNCTION.match(line)
            if function and not is_told and "); // " not in line:
                found.append(f"{header.name} does not say what {function[1]} does")
    return found


def _foreign(includes: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{name} includes {include}"
        for name, found in includes.items()
        for include in found
        if include not in MADE | set(includes) and include[:-2] not in STANDARD
    ]


def _homeless(files: Mapping[str, str], declared: Mapping[str, set[str]]) -> list[str]:
    """Functions that a header declares and its own .c file does not define."""
    found = []
    for header, functions in declared.items():
        source = files.get(header[:-1] + "c", "")
        for function in sorted(functions):
            is_here = re.search(rf"^[\w *]+\b{function}\([^;]*\) \{{", source, re.MULTILINE)
            if not is_here and header != f"{CONTRACT}.h":
                found.append(f"{header} declares {function}, which its .c does not define")
    return found


def _calls(files: Mapping[str, str], declared: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Which .c file calls functions of which other one."""
    homes = {function: header[:-2] for header in declared for function in declared[header]}
    return {
        name[:-2]: {
            homes[word]
            for word in re.findall(r"\bvhttp_\w+", text)
            if word in homes and homes[word] not in (name[:-2], CONTRACT)
        }
        for name, text in files.items()
        if name.endswith(".c")
    }


def _circle(what: str, graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"a circle of {what}: {' → '.join(reversed(error.args[1]))}"]
    return []


def _trespassers(files: Mapping[str, str]) -> list[str]:
    return [
        f"{name} names {match[0]}"
        for pattern, owner in OWNERS.items()
        for name, text in files.items()
        if name.endswith(".c") and name != owner
        for match in re.finditer(rf"{pattern}\w*", text)
    ]


def test_they_hold() -> None:
    assert broken_laws(MODULE) == []


@pytest.mark.parametrize(
    ("files", "law"),
    [
        ({"core/a.c": '#include "port.h"\n'}, "a.c includes port.h"),
        ({"core/a.h": '#include "py/obj.h"\n'}, "a.h includes py/obj.h"),
        ({"core/a.c": "#include <sys/socket.h>\n"}, "a.c includes sys/socket.h"),
        ({"core/b.h": '#include "a.h"\n'}, "a circle of includes: "),
        ({"core/a.h": "int vhttp_other(void);\n"}, "a.h declares vhttp_other, which its .c does"),
        ({"core/b.c": "int vhttp_b(void) {\n    return vhttp_a();\n}\n"}, "a circle of calls: "),
        ({"core/a.c": "void f(void) { connection->state = 1; }\n"}, "a.c names connection->state"),
        ({"core/a.c": "int f(void) { return x->reply.left; }\n"}, "a.c names reply.left"),
        ({"port/port.h": ""}, "port/port.h is a header"),
        ({"binding/c.h": "void vhttp_c(void);\n"}, "c.h does not say what vhttp_c does"),
        ({"binding/c.h": "// d\n\nvoid vhttp_c(\n"}, "c.h does not say what vhttp_c does"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_one_is_found(tmp_path: Path, files: dict[str, str], law: str) -> None:
    whole = {
        "core/a.h": '#include <stdint.h>\n#include "b.h"\n\n// Returns 0.\nint vhttp_a(void);\n',
        "core/a.c": '#include "a.h"\nint vhttp_a(void) {\n    return vhttp_b();\n}\n',
        "core/b.h": "int vhttp_b(void); // 0\n",
        "core/b.c": '#include "b.h"\n#include "platform.h"\nint vhttp_b(void) { return 0; }\n',
        "core/platform.h": '#include "vhttp_config.h"\nint vhttp_asked_of_a_port(void); // 0\n',
    }
    for name, text in {**whole, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = broken_laws(tmp_path)
    assert [sentence for sentence in found if sentence.startswith(law)]
    for name in files:
        (tmp_path / name).unlink()
        if name in whole:
            (tmp_path / name).write_text(whole[name])
    assert broken_laws(tmp_path) == []
