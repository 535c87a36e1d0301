# SPDX-License-Identifier: MIT
"""The names that a place in a template sees, and the Python variables that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.idtracking import Symbols


class Variables:
    """Python variables of one function, each name given once; and those that the context fills.

    Attributes:
        context: by the name in the context, the variable that begins with its value.
    """

    def __init__(self) -> None:
        self.context: dict[str, str] = {}
        self._given: set[str] = set()

    def new(self, name: str) -> str:
        """A variable for a name of the template; a number tells it from one that has the name."""
        variable, number = f"v_{name}", 1
        while variable in self._given:
            number += 1
            variable = f"v_{name}_{number}"
        self._given.add(variable)
        return variable


@dataclass
class Loop:
    """A `for` of a template.

    Attributes:
        counter: the variable that counts its rounds from 0.
        length: the variable that holds the number of rounds.
        uses: which of the two its body asks for.
    """

    counter: str
    length: str
    uses: set[str] = field(default_factory=set)


@dataclass
class Scope:
    """A region of a template with names of its own, within another.

    Attributes:
        outer: the region around it, None for the whole template.
        names: by name in the template, the Python variable.
        own_loop: the `for` whose body it is.
        is_template: it is a whole template, and all that its blocks see.
        is_block: it is a block, which sees the context and not the regions around it.
        symbols: what Jinja knows of the names that it loads and sets.
        pending: what the template sets further on, and has not used itself: until then a region
            within finds nothing, not even in the context.
    """

    variables: Variables
    outer: Scope | None = None
    own_loop: Loop | None = None
    is_template: bool = False
    is_block: bool = False
    symbols: Symbols | None = None
    names: dict[str, str] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)

    def inner(self, loop: Loop | None = None) -> Scope:
        """A region in this one, whose names hide this one's."""
        return Scope(self.variables, self, loop)

    def analyze(self, node: nodes.Node, **branch: str) -> None:
        """Have Jinja find in a region's body which names have no value when it begins."""
        from jinja2.idtracking import VAR_LOAD_UNDEFINED, Symbols

        around = None if self.is_template or self.is_block or not self.outer else self.outer.symbols
        self.symbols = Symbols(parent=around)
        self.symbols.analyze_node(node, **branch)
        loads = self.symbols.loads
        self.pending = {
            name
            for name, target in self.symbols.refs.items()
            if loads.get(target, ("", None))[0] == VAR_LOAD_UNDEFINED
        }

    def is_pending(self, name: str) -> bool:
        """Whether a name has no value here yet, because a region around sets it further on."""
        for scope in self._outward():
            if name in scope.pending:
                return True
            if name in scope.names or scope.is_template or scope.is_block:
                return False
        return False

    @property
    def template(self) -> Scope:
        """The region that is the whole template around."""
        return next(scope for scope in self._outward() if scope.is_template)

    @property
    def loop(self) -> Loop | None:
        """The innermost `for` around."""
        return next((scope.own_loop for scope in self._outward() if scope.own_loop), None)

    def is_set(self, name: str) -> bool:
        """Whether the template itself gives the name a value."""
        return any(name in scope.names for scope in self._outward())

    def define(self, name: str) -> str:
        """A variable of this region for a name."""
        self.names[name] = self.variables.new(name)
        return self.names[name]

    def lookup(self, name: str) -> str:
        """The variable that holds a name here, from the context if the template never sets it."""
        for scope in self._outward():
            if name in scope.names:
                return scope.names[name]
        context = self.variables.context
        if name not in context:
            context[name] = self.variables.new(name)
        return context[name]

    def _outward(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer
