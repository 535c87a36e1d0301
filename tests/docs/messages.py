# SPDX-License-Identifier: MIT
"""The messages that the project can give, read from its sources, and those that a page explains.

A message is a text in which HOLE stands for what varies.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from project import ROOT

HOLE = "\0"
_SOURCES = ("site_scons", "tests/bench", "tools")
_LITTLE = 5  # letters; what has fewer of its own passes on what somebody else says
_DOCTORS_CALL, _USERS_CALLS = "Finding", ("UserError", "NoPrompt")


@dataclass(frozen=True)
class Message:
    """A message, and the line that gives it."""

    text: str
    where: str


@functools.cache
def of_sources() -> list[Message]:
    """Every text that a UserError can say, and what the launcher says."""
    found = [
        Message(text, where)
        for name in _USERS_CALLS
        for where, call, function in _calls(name)
        for text in _texts(call.args[0], function)
    ]
    launcher = (ROOT / "scons").read_text(encoding="utf-8")
    found += [
        Message(re.sub(r"\$\(.*?\)", HOLE, text), "scons")
        for text in re.findall(r'\bfail "(.*?)"', launcher)
    ]
    return [each for each in found if len(re.findall("[A-Za-z]", each.text)) >= _LITTLE]


def doctors_subjects() -> set[str]:
    """What `./scons doctor` looks at, one word each."""
    calls = (call for _, call, _ in _calls(_DOCTORS_CALL))
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}


def explains(entry: str, message: Message) -> bool:
    """Whether an entry of a page, with `<what>` and `…` for what varies, is of a message."""
    pattern = ".*".join(map(re.escape, fixed(entry)))
    return re.fullmatch(pattern, message.text, re.DOTALL) is not None


def fixed(entry: str) -> list[str]:
    """What does not vary of an entry."""
    return re.split(r"<[^<>]*>|…", entry)


def entries(page: Path, sections: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The messages in the first columns of a page's tables, with their lines, of some sections."""
    section = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            section = line.removeprefix("## ")
        if line.startswith("| ") and section in sections:
            for entry in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
                yield number, entry


def sections(page: Path) -> list[str]:
    return re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def _calls(name: str) -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Every call of a function, where it stands, and the function that it stands in."""
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for call, function in _calls_in(tree, tree):
                called = getattr(call.func, "id", getattr(call.func, "attr", ""))
                if called == name and call.args:
                    yield f"{path.relative_to(ROOT)}:{call.lineno}", call, function


def _calls_in(node: ast.AST, function: ast.AST) -> Iterator[tuple[ast.Call, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, function
        inner = child if isinstance(child, ast.FunctionDef) else function
        yield from _calls_in(child, inner)


def _texts(value: ast.AST, function: ast.AST) -> list[str]:
    """What an expression can be, as far as its function tells."""
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return _joined(_texts(part, function) for part in parts)
        case ast.FormattedValue(value=ast.Name() | ast.IfExp() as inner):
            return _texts(inner, function)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined((_texts(left, function), _texts(right, function)))
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, function) + _texts(other, function)
        case ast.Name(id=name):
            assigned = list(_assigned(name, function))
            told = [t for each in assigned for t in _texts(each, ast.Module([], []))]
            return told or [HOLE]
        case _:
            return [HOLE]


def _joined(parts: Iterable[list[str]]) -> list[str]:
    return ["".join(pieces) for pieces in itertools.product(*parts)]


def _assigned(name: str, function: ast.AST) -> Iterator[ast.AST]:
    """What a function assigns to a name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for each, value in zip(target.elts, node.value.elts, strict=True):
                        if isinstance(each, ast.Name) and each.id == name:
                            yield value
