# SPDX-License-Identifier: MIT
"""Mutants of Python: another operator, another number, the other branch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.mutants.mutant import Mutant

# fmt: off
_OPERATORS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"), ast.Or: ("or", "and"),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "//"), ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"), ast.Mod: ("%", "*"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
}
# fmt: on


def mutants(root: Path, path: Path) -> list[Mutant]:
    """Every mutant of a file, by its place."""
    text = (root / path).read_text(encoding="utf-8")
    return sorted(_Finder(path, text).found(ast.parse(text)))


class _Finder:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._content = text.encode()
        lengths = [len(line) for line in self._content.splitlines(keepends=True)]
        self._lines = [sum(lengths[:at]) for at in range(len(lengths) + 1)]

    def found(self, tree: ast.AST) -> Iterator[Mutant]:
        if isinstance(tree, ast.If) and _is_for_types(tree):
            return
        yield from self._of(tree)
        for name, value in ast.iter_fields(tree):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self.found(child)

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.Compare):
            terms = [node.left, *node.comparators]
            for (left, right), operator in zip(pairwise(terms), node.ops, strict=True):
                yield from self._between(left, operator, right)
        elif isinstance(node, ast.BoolOp):
            for left, right in pairwise(node.values):
                yield from self._between(left, node.op, right)
        elif isinstance(node, ast.BinOp):
            yield from self._between(node.left, node.op, node.right)
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            start, end = self._span(node.test)
            old = self._content[start:end].decode()
            yield self._mutant(start, end, old, f"not ({old})")
        elif isinstance(node, ast.Constant) and type(node.value) in (int, bool):
            start, end = self._span(node)
            old = self._content[start:end].decode()
            new = str(not node.value) if type(node.value) is bool else str(node.value + 1)
            yield self._mutant(start, end, old, new)

    def _between(self, left: ast.expr, operator: ast.AST, right: ast.expr) -> Iterator[Mutant]:
        """The operator between two terms, which may have brackets around them."""
        if type(operator) not in _OPERATORS:
            return
        old, new = _OPERATORS[type(operator)]
        start, end = self._span(left)[1], self._span(right)[0]
        pattern = rf"(?<!\w){re.escape(old)}(?!\w)".replace(r"\ ", r"\s+").encode()
        match = re.search(pattern, self._content[start:end])
        if match is not None:
            place = (start + match.start(), start + match.end())
            yield self._mutant(*place, match[0].decode(), new)

    def _span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def _mutant(self, start: int, end: int, old: str, new: str) -> Mutant:
        line = 1 + self._content.count(b"\n", 0, start)
        column = start - self._content.rfind(b"\n", 0, start)
        return Mutant(self._path, start, end, line, column, old, new)


def _is_for_types(node: ast.If) -> bool:
    """What only a type checker runs."""
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
