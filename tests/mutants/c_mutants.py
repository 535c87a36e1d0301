# SPDX-License-Identifier: MIT
"""Mutants of C: another operator, another number, the other truth."""

from __future__ import annotations

import re
from pathlib import Path

from tests.mutants.mutant import Mutant

# What is no code: comments, texts, characters, lines of the preprocessor, what is checked when it
# is compiled, and tables of constants' names.
_NO_CODE = re.compile(
    rb"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|^\s*#(?:[^\n]*\\\n)*[^\n]*"
    rb"|_Static_assert\s*\([^;]*;",
    re.DOTALL | re.MULTILINE,
)
_OPERATOR = re.compile(
    rb"(?<= )(?:<=|>=|==|!=|&&|\|\||<<|>>|[<>+\-*%&|])(?= )|\b(?:true|false)\b|\b\d+(?=u?\b)"
)
# fmt: off
_OTHER = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "<<": ">>", ">>": "<<", "+": "-", "-": "+", "*": "/", "%": "*", "&": "|", "|": "&",
    "true": "false", "false": "true",
}
# fmt: on


def mutants(root: Path, path: Path) -> list[Mutant]:
    """Every mutant of a file, by its place."""
    content = (root / path).read_bytes()
    code = _NO_CODE.sub(lambda match: re.sub(rb"[^\n]", b"~", match[0]), content)
    found = []
    for match in _OPERATOR.finditer(code):
        old = match[0].decode()
        new = str(int(old) + 1) if old.isdigit() else _OTHER[old]
        line = 1 + content.count(b"\n", 0, match.start())
        column = match.start() - content.rfind(b"\n", 0, match.start())
        found.append(Mutant(path, match.start(), match.end(), line, column, old, new))
    return found
