# SPDX-License-Identifier: MIT
"""Expressions of Jinja as expressions of Python."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from viper.base.errors import UserError, nearest
from viper.templates import language
from viper.templates.scope import Scope

if TYPE_CHECKING:
    from jinja2 import nodes

    Refuse = Callable[[str, nodes.Node], UserError]

_FLOAT_SAFE = 15  # characters of a float that any reader gets right


class Expressions:
    """Compiles expressions.

    Attributes:
        helpers: the names of viperhttp.template_runtime that they call.
        escaping: whether what is printed is escaped, by region of the template, innermost last.
    """

    def __init__(self, refuse: Refuse) -> None:
        """`refuse` makes the error for a problem at a node."""
        self.helpers: set[str] = set()
        self.escaping: list[bool] = []
        self._refuse = refuse

    def compile(self, node: nodes.Node, scope: Scope) -> str:
        """The expression in Python, safe to stand within another.

        Raises:
            UserError: there is no such thing on the device.
        """
        name = type(node).__name__
        if name in language.BINARY:
            left, right = (self.compile(getattr(node, side), scope) for side in ("left", "right"))
            return f"({left} {language.BINARY[name]} {right})"
        if name in language.UNARY:
            (operand,) = node.iter_child_nodes()
            return f"({language.UNARY[name]}{self.compile(operand, scope)})"
        compiled = getattr(self, f"_{name.lower()}", None)
        if compiled is None:
            raise self._refuse(f"'{language.called(node)}' cannot be compiled for the device", node)
        text = compiled(node, scope)
        assert isinstance(text, str)
        return text

    def helper(self, name: str) -> str:
        """A name of viperhttp.template_runtime, to be imported."""
        self.helpers.add(name)
        return name

    def is_number(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether a value can hold nothing to escape."""
        from jinja2 import nodes

        if isinstance(node, nodes.Filter):
            return node.name in language.NUMERIC_FILTERS
        return isinstance(node, nodes.Getattr) and _is_loop(node.node) and scope.loop is not None

    def _const(self, node: nodes.Const, scope: Scope) -> str:
        value = node.value
        if isinstance(value, float) and math.isfinite(value) and len(repr(value)) > _FLOAT_SAFE:
            # MicroPython rounds what it reads; a quotient of whole numbers it does not.
            numerator, denominator = value.as_integer_ratio()
            return f"({numerator} / {denominator})"
        return repr(value)

    def _templatedata(self, node: nodes.TemplateData, scope: Scope) -> str:
        return repr(node.data)

    def _name(self, node: nodes.Name, scope: Scope) -> str:
        if _is_loop(node) and scope.loop is not None:
            raise self._refuse("'loop' as a value cannot be compiled for the device", node)
        if node.name == "super":
            raise self._refuse("super() stands alone: {{ super() }}", node)
        if scope.is_pending(node.name):
            return self.helper("UNDEFINED")
        return scope.lookup(node.name)

    def _getattr(self, node: nodes.Getattr, scope: Scope) -> str:
        if _is_loop(node.node) and scope.loop is not None:
            return self._of_loop(node, scope)
        return f"{self.helper('attribute')}({self.compile(node.node, scope)}, {node.attr!r})"

    def _of_loop(self, node: nodes.Getattr, scope: Scope) -> str:
        loop = scope.loop
        assert loop is not None
        if node.attr not in language.LOOP:
            raise self._refuse(
                f"no 'loop.{node.attr}' on the device{nearest(node.attr, language.LOOP)}", node
            )
        form = language.LOOP[node.attr]
        loop.uses |= {use for use in ("counter", "length") if f"{{{use}}}" in form}
        return form.format(counter=loop.counter, length=loop.length)

    def _getitem(self, node: nodes.Getitem, scope: Scope) -> str:
        from jinja2 import nodes

        of = self.compile(node.node, scope)
        if not isinstance(node.arg, nodes.Slice):
            return f"{self.helper('item')}({of}, {self.compile(node.arg, scope)})"
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        given = [self.compile(bound, scope) if bound else "None" for bound in bounds]
        return f"{self.helper('part')}({', '.join([of, *given])})"

    def _call(self, node: nodes.Call, scope: Scope) -> str:
        from jinja2 import nodes

        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise self._refuse("'*' in a call cannot be compiled for the device", node)
        called = node.node
        loop = scope.loop
        if isinstance(called, nodes.Getattr) and _is_loop(called.node) and loop is not None:
            if called.attr != "cycle" or not node.args or node.kwargs:
                raise self._refuse(f"no 'loop.{called.attr}(…)' on the device", node)
            loop.uses.add("counter")
            values = "".join(f"{self.compile(value, scope)}, " for value in node.args)
            return f"({values})[{loop.counter} % {len(node.args)}]"
        self._check_called(node, scope)
        return f"{self.compile(called, scope)}({', '.join(self._arguments(node, scope))})"

    def _check_called(self, node: nodes.Call, scope: Scope) -> None:
        """What Jinja knows by name and the device does not."""
        from jinja2 import nodes

        called = node.node
        if isinstance(called, nodes.Name):
            if called.name in language.NO_FUNCTIONS and not scope.is_set(called.name):
                raise self._refuse(f"Jinja's function '{called.name}' is not on the device", node)
        elif isinstance(called, nodes.Getattr):
            if isinstance(called.node, nodes.Name) and called.node.name == "self":
                raise self._refuse("'self' cannot be compiled for the device", node)
            if called.attr in language.NO_METHODS:
                raise self._refuse(f"the method '{called.attr}' is not on the device", node)
            if node.kwargs and called.attr in language.METHODS:
                raise self._refuse(
                    f"the method '{called.attr}' takes no arguments by name on the device", node
                )

    def _arguments(self, node: nodes.Call | nodes.Filter | nodes.Test, scope: Scope) -> list[str]:
        given = [self.compile(argument, scope) for argument in node.args]
        named = [f"{pair.key}={self.compile(pair.value, scope)}" for pair in node.kwargs]
        return [*given, *named]

    def _filter(self, node: nodes.Filter, scope: Scope) -> str:
        from jinja2.filters import FILTERS

        if node.node is None:
            raise self._refuse("'filter' cannot be compiled for the device", node)
        if node.name not in language.FILTERS:
            raise self._refuse(
                self._unknown("filter", node.name, set(FILTERS), language.FILTERS), node
            )
        self._check_arguments("filter", node, FILTERS[node.name])
        values = [self.compile(node.node, scope), *self._arguments(node, scope)]
        return f"{self.helper(language.FILTERS[node.name])}({', '.join(values)})"

    def _test(self, node: nodes.Test, scope: Scope) -> str:
        from jinja2.tests import TESTS

        operator = language.OPERATOR_TESTS.get(node.name)
        if operator is None and node.name not in language.TESTS:
            raise self._refuse(self._unknown("test", node.name, set(TESTS), language.TESTS), node)
        self._check_arguments("test", node, TESTS[node.name])
        values = [self.compile(node.node, scope), *self._arguments(node, scope)]
        if operator == "in":
            return f"{self.helper('within')}({', '.join(values)})"
        if operator is not None:
            return f"({f' {operator} '.join(values)})"
        return f"{self.helper(language.TESTS[node.name])}({', '.join(values)})"

    def _unknown(self, kind: str, name: str, of_jinja: Set[str], ours: dict[str, str]) -> str:
        if name in of_jinja:
            return f"Jinja's {kind} '{name}' is not on the device"
        return f"no {kind} '{name}'{nearest(name, ours)}"

    def _check_arguments(self, kind: str, node: nodes.Filter | nodes.Test, function: Any) -> None:
        """Jinja2's own function says which arguments there are."""
        passed = 1 + hasattr(inspect.unwrap(function), "jinja_pass_arg")
        try:
            named = dict.fromkeys(str(pair.key) for pair in node.kwargs)
            inspect.signature(function).bind(*[None] * (passed + len(node.args)), **named)
        except TypeError as problem:
            raise self._refuse(f"{kind} '{node.name}': {problem}", node) from None

    def _compare(self, node: nodes.Compare, scope: Scope) -> str:
        if len(node.ops) == 1 and node.ops[0].op in ("in", "notin"):
            one, of = self.compile(node.expr, scope), self.compile(node.ops[0].expr, scope)
            return f"({'not ' * (node.ops[0].op == 'notin')}{self.helper('within')}({one}, {of}))"
        rest = "".join(
            f" {language.COMPARISONS[operand.op]} {self.compile(operand.expr, scope)}"
            for operand in node.ops
        )
        return f"({self.compile(node.expr, scope)}{rest})"

    def _concat(self, node: nodes.Concat, scope: Scope) -> str:
        parts = ", ".join(self.compile(part, scope) for part in node.nodes)
        return f"{self.helper('concat' if self.escaping[-1] else 'concat_text')}({parts})"

    def _condexpr(self, node: nodes.CondExpr, scope: Scope) -> str:
        test, yes = self.compile(node.test, scope), self.compile(node.expr1, scope)
        no = self.compile(node.expr2, scope) if node.expr2 else self.helper("UNDEFINED")
        return f"({yes} if {test} else {no})"

    def _tuple(self, node: nodes.Tuple, scope: Scope) -> str:
        return f"({''.join(f'{self.compile(item, scope)}, ' for item in node.items)})"

    def _list(self, node: nodes.List, scope: Scope) -> str:
        return f"[{', '.join(self.compile(item, scope) for item in node.items)}]"

    def _dict(self, node: nodes.Dict, scope: Scope) -> str:
        pairs = (
            f"{self.compile(pair.key, scope)}: {self.compile(pair.value, scope)}"
            for pair in node.items
        )
        return f"{{{', '.join(pairs)}}}"


def _is_loop(node: nodes.Node) -> bool:
    from jinja2 import nodes

    return isinstance(node, nodes.Name) and node.name == "loop"
