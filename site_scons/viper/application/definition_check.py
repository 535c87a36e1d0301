# SPDX-License-Identifier: MIT
"""What an application defines that cannot work, seen in its syntax tree before any of it is sent.

What the device's Python would refuse at its start is refused here, as far as it stands in the
source as literals: routes, mounts and what is decorated of an application or a router that has a
name in the same file. What is computed, tried or put off is left to the device.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.source.module_settings import Value

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_KINDS = ("str", "int", "float", "bool", "path")  # of a path's parameters; a query's lack the last
_MOUNTS = ("mount", "mount_file", "mount_health", "mount_metrics")
_PREFIXES = {"mount_health": "/health", "mount_metrics": "/metrics"}  # where they are by default
_PART = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Refused(Exception):
    """A definition that cannot work.

    Args:
        node: where it stands.
        problem: what is wrong, with its name.
    """

    def __init__(self, node: ast.AST, problem: str) -> None:
        super().__init__(problem)
        self.line: int = getattr(node, "lineno", 0)
        self.problem = problem


@dataclass
class _Owner:
    """An application or a router: what routes and mounts are added to.

    Attributes:
        prefix: of its routes' paths; None: it is not known.
        is_one: whether its name is assigned once.
    """

    is_app: bool
    prefix: str | None
    is_one: bool = True
    defined: dict[tuple[str, str], int] = field(default_factory=dict)  # lines by method and path
    mounted: dict[str, int] = field(default_factory=dict)  # lines by path


@dataclass(frozen=True)
class Limits:
    """How much fits.

    Attributes:
        parts: of a route's path.
        parameters: of a route's path.
        mounts: of all kinds.
        path: bytes of a mount's path, and one.
    """

    parts: int
    parameters: int
    mounts: int
    path: int

    @staticmethod
    def of(settings: Mapping[str, Value]) -> Limits:
        """Those that a firmware is built with, of its settings by name."""
        return Limits(
            parts=int(settings["VHTTP_ROUTE_SEGMENTS_MAX"]),
            parameters=int(settings["VHTTP_ROUTE_PARAMETERS_MAX"]),
            mounts=int(settings["VHTTP_MAX_MOUNTS"]),
            path=int(settings["VHTTP_PATH_MAX"]),
        )


def check(sources: Iterable[Path], limits: Limits) -> None:
    """Look at files of the device's Python, which MicroPython's compiler has taken.

    Raises:
        UserError: one defines what cannot work: its line, what is wrong, and the text there.
    """
    for source in sources:
        text = source.read_text(encoding="utf-8", errors="replace")
        try:
            _Checker(ast.parse(text), limits).run()
        except SyntaxError:
            continue  # MicroPython's own, which CPython does not know
        except _Refused as refused:
            raise UserError(
                f"{source} line {refused.line}: {refused.problem}: "
                f"{excerpt(text.splitlines()[refused.line - 1])}",
                f"mend {source}, then the same again",
            ) from None


class _Checker:
    def __init__(self, tree: ast.Module, limits: Limits) -> None:
        self._tree = tree
        self._limits = limits
        self._owners = _owners(tree)
        self._at_top = {id(node) for node in _straight(tree)}

    def run(self) -> None:
        nodes = [each for each in _meant(self._tree) if isinstance(each, (ast.expr, ast.stmt))]
        for node in sorted(nodes, key=lambda node: node.lineno):  # the first fault is told
            if isinstance(node, ast.Call):
                self._check_call(node)
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                self._check_decorated(node)

    def _owner(self, call: ast.expr) -> tuple[_Owner, str] | None:
        """Whose method a call is, and the method's name."""
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
                owner = self._owners.get(name)
                return None if owner is None else (owner, method)
        return None

    # ---- Calls

    def _check_call(self, call: ast.Call) -> None:
        _check_query(call)
        found = self._owner(call)
        if found is None:
            return
        owner, method = found
        if method in _MOUNTS and owner.is_app:
            self._check_mount(owner, method, call)
        first = _argument(call, 0, "kind" if method != "on_event" else "name")
        if method == "middleware" and _is_other(first, "http"):
            raise _Refused(call, 'the only kind of middleware is "http"')
        if method == "on_event" and _is_other(first, "startup", "shutdown"):
            raise _Refused(call, 'an event is "startup" or "shutdown"')
        if method == "exception_handler" and _is_other(first, *range(400, 600)):
            raise _Refused(call, "an exception handler is for a class or a status from 400 to 599")

    def _check_mount(self, owner: _Owner, method: str, call: ast.Call) -> None:
        path = _text(_argument(call, 0, "path")) or _PREFIXES.get(method)
        if path is None:
            return
        if not path.startswith("/") or len(path.encode()) >= self._limits.path:
            raise _Refused(
                call,
                f"'{path}': a mount's path starts with / and has under {self._limits.path} bytes",
            )
        if id(call) not in self._at_top or not owner.is_one:
            return
        path = path.rstrip("/")
        if path in owner.mounted:
            raise _Refused(
                call, f"'{path or '/'}' is mounted already, in line {owner.mounted[path]}"
            )
        owner.mounted[path] = call.lineno
        if len(owner.mounted) > self._limits.mounts:
            raise _Refused(call, f"no more than {self._limits.mounts} mounts (VHTTP_MAX_MOUNTS)")

    # ---- What is decorated

    def _check_decorated(self, node: _Function | ast.ClassDef) -> None:
        is_bare = True  # what the decorators between hand on has the function's own parameters
        for decorator in reversed(node.decorator_list):
            uncalled = self._owner(ast.Call(decorator, [], []))
            if uncalled is not None and _is_route(uncalled[1]):
                raise _Refused(decorator, f'{node.name}: a route has a path: @….{uncalled[1]}("/")')
            found = self._owner(decorator)
            if found is None or not isinstance(decorator, ast.Call):
                is_bare = False
                continue
            owner, method = found
            if _is_route(method):
                self._check_route(owner, method, decorator, node, is_bare)
            elif is_bare and isinstance(node, _FUNCTIONS):
                _check_arguments(method, decorator, node)

    def _check_route(
        self,
        owner: _Owner,
        method: str,
        call: ast.Call,
        handler: _Function | ast.ClassDef,
        is_bare: bool,
    ) -> None:
        path = _text(_argument(call, 0, "path"))
        names: list[str] = []
        if path is not None and owner.prefix is not None:
            path = owner.prefix + path
            names = self._names_of(path, call, handler.name)
        query, deps = _option(call, "query"), _option(call, "deps")
        given = [*names, *_keys(query), *_keys(deps)]
        for name in given:
            if given.count(name) > 1:
                raise _Refused(call, f"{handler.name}: two parameters have the name '{name}'")
        handlers = list(_handlers(handler, method, call))
        for verb, function, skip in handlers:
            if path is not None and id(handler) in self._at_top and owner.is_one:
                self._note(owner, verb, path, call, handler.name)
            if function is None or not is_bare:
                continue
            is_whole = (
                owner.is_app
                and path is not None
                and all(option.arg is not None for option in call.keywords)
                and all(_is_literal(part) for part in (query, deps))
            )
            _check_signature(function, skip, given, handler.name, is_whole)

    def _note(self, owner: _Owner, verb: str, path: str, call: ast.Call, name: str) -> None:
        shape = _PART.sub(lambda part: f"{{{part[2] or 'str'}}}", path)
        line = owner.defined.setdefault((verb, shape), call.lineno)
        if line != call.lineno:
            raise _Refused(call, f"{name}: {verb} {path} has a handler already, in line {line}")

    def _names_of(self, path: str, call: ast.Call, name: str) -> list[str]:
        """The parameters of a path."""
        where = f"{name}: '{path}'"
        if not path.startswith("/"):
            raise _Refused(call, f"{where}: a path starts with /")
        parts = path.split("/")[1:]
        if len(parts) > self._limits.parts:
            raise _Refused(
                call, f"{where}: at most {self._limits.parts} parts (VHTTP_ROUTE_SEGMENTS_MAX)"
            )
        names = []
        for place, part in enumerate(parts, 1):
            if "{" not in part and "}" not in part:
                if not part and place < len(parts):
                    raise _Refused(call, f"{where}: a part is empty")
                continue
            found = _PART.fullmatch(part)
            if found is None:
                raise _Refused(
                    call, f"{where}: a part is a name, or a whole {{name:type}}: '{part}'"
                )
            if (found[2] is not None and found[2] not in _KINDS) or (
                found[2] == "path" and place < len(parts)
            ):
                raise _Refused(
                    call,
                    f"{where}: '{found[1]}' is of a type str, int, float, bool, or path in the end",
                )
            names.append(found[1])
        if len(names) > self._limits.parameters:
            raise _Refused(
                call,
                f"{where}: at most {self._limits.parameters} parameters "
                "(VHTTP_ROUTE_PARAMETERS_MAX)",
            )
        return names


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# ---- Names


def _owners(tree: ast.Module) -> dict[str, _Owner]:
    """What takes routes, by its name. One that is also something else is none."""
    owners: dict[str, _Owner] = {}
    others = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                owner = _owner_of(value)
                if owner is None:
                    others.add(name)
                elif name in owners:
                    prefix = owner.prefix if owner.prefix == owners[name].prefix else None
                    owners[name] = _Owner(owner.is_app and owners[name].is_app, prefix, False)
                else:
                    owners[name] = owner
    return {name: owner for name, owner in owners.items() if name not in others}


def _owner_of(value: ast.expr) -> _Owner | None:
    if not isinstance(value, ast.Call):
        return None
    kind = getattr(value.func, "id", getattr(value.func, "attr", ""))
    if kind == "ViperHTTP":
        return _Owner(True, "")
    prefix = _argument(value, 0, "prefix")
    return _Owner(False, "" if prefix is None else _text(prefix)) if kind == "Router" else None


def _meant(node: ast.AST) -> Iterator[ast.AST]:
    """What a file does as it stands: not what a lambda may do one day, nor what is tried."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.Lambda, ast.Try)):
            yield child
            yield from _meant(child)


def _straight(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs once, whatever happens: the file's own statements, and the calls in them."""
    for statement in tree.body:
        yield statement
        if isinstance(statement, ast.Expr):
            yield statement.value


def _is_route(method: str) -> bool:
    return method == "route" or method.upper() in _METHODS


# ---- Arguments


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return _option(call, name)


def _option(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_other(node: ast.expr | None, *known: str) -> bool:
    return isinstance(node, ast.Constant) and node.value not in known


def _is_literal(node: ast.expr | None) -> bool:
    """Whether all names in it are known."""
    return (
        node is None
        or isinstance(node, (ast.List, ast.Tuple))
        or (isinstance(node, ast.Dict) and all(_text(key) is not None for key in node.keys))
    )


def _keys(node: ast.expr | None) -> list[str]:
    keys = node.keys if isinstance(node, ast.Dict) else []
    return [name for name in map(_text, keys) if name is not None and not name.startswith("_")]


def _check_query(call: ast.Call) -> None:
    """A Query's type and default, and what is given as one."""
    called = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if called == "Query":
        default, kind = _argument(call, 0, "default"), _argument(call, 1, "type")
        name = "str" if kind is None else getattr(kind, "id", None)
        if (isinstance(kind, ast.Name) and name not in _KINDS[:-1]) or isinstance(
            kind, ast.Constant
        ):
            raise _Refused(call, "a query parameter is str, int, float or bool")
        if isinstance(default, ast.Name) and default.id in _KINDS:
            raise _Refused(call, f"the default comes first: Query(type={default.id})")
        if isinstance(default, ast.Constant) and name is not None and not _fits(default, name):
            raise _Refused(
                call, f"the default of a query parameter is of its type, {name}, or None"
            )
    query = _option(call, "query") if _is_route(called) else None
    if isinstance(query, (ast.List, ast.Tuple, ast.Set, ast.Constant)):
        raise _Refused(query, 'query is a dict such as {"page": Query(1, int)}')
    if isinstance(query, ast.Dict):
        for key, value in zip(query.keys, query.values, strict=True):
            is_kind = isinstance(value, ast.Name) and value.id in _KINDS
            if is_kind or isinstance(value, (ast.Constant, ast.List, ast.Dict, ast.Tuple)):
                meant = f"type={value.id}" if isinstance(value, ast.Name) else ast.unparse(value)
                raise _Refused(value, f"'{_text(key)}' is to be a Query: Query({meant})")


def _fits(default: ast.Constant, kind: str) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {
        "str": str, "int": int, "float": (int, float), "bool": bool
    }  # fmt: skip
    value = default.value
    return value is None or value is ... or isinstance(value, kinds.get(kind, object))


# ---- Signatures


def _handlers(
    node: _Function | ast.ClassDef, method: str, call: ast.Call
) -> Iterator[tuple[str, _Function | None, int]]:
    """Who handles which method, and how many of his parameters are given: a method's self."""
    if isinstance(node, ast.ClassDef):
        if method != "route":
            raise _Refused(call, f"{node.name} is a class: of handlers it is one for route()")
        for each in node.body:
            if isinstance(each, _FUNCTIONS) and each.name.upper() in _METHODS:
                yield each.name.upper(), each, 1
        return
    methods = _argument(call, 1, "methods") if method == "route" else None
    verbs: Collection[str] = ["GET" if method == "route" else method.upper()]
    if isinstance(methods, (ast.List, ast.Tuple)):
        texts = [_text(each) for each in methods.elts]
        verbs = [text for text in texts if text is not None]
        wrong = next((text for text in verbs if text not in _METHODS), None)
        if wrong is not None or not methods.elts:
            raise _Refused(call, f"{node.name}: no such method: {wrong or 'none'}")
    elif methods is not None:
        yield "", node, 0
        return
    for verb in verbs:
        yield verb, node, 0


def _parameters(function: _Function, skip: int) -> tuple[list[str], list[str], list[str]]:
    """The names that go by position, by name alone, and those without a default."""
    arguments = function.args
    positional = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
    required = positional[: len(positional) - len(arguments.defaults)][skip:]
    alone = [each.arg for each in arguments.kwonlyargs]
    required += [
        name for name, default in zip(alone, arguments.kw_defaults, strict=True) if default is None
    ]
    return positional[skip:], alone, required


def _check_signature(
    function: _Function, skip: int, given: list[str], name: str, is_whole: bool
) -> None:
    positional, alone, required = _parameters(function, skip)
    if positional[:1] == ["request"] and "request" not in given:
        required = [each for each in required if each != "request"]
    for each in given:
        if each not in positional + alone and function.args.kwarg is None:
            raise _Refused(function, f"{name}: the handler has no parameter '{each}'")
    for each in required:
        if is_whole and each not in given:
            raise _Refused(
                function,
                f"{name}: nothing gives the handler its '{each}': it gets what path, query and "
                "deps name, and the request if its first parameter is 'request'",
            )


def _check_arguments(method: str, call: ast.Call, function: _Function) -> None:
    """What is called with a known number of arguments."""
    counts = {"middleware": 2, "exception_handler": 2, "on_event": 0}
    if method not in counts:
        return
    positional, _, required = _parameters(function, 0)
    count = counts[method]
    if (len(positional) < count and function.args.vararg is None) or not set(required) <= set(
        positional[:count]
    ):
        raise _Refused(function, f"{function.name} is called with {count} arguments")
