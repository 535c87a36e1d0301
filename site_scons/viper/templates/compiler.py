# SPDX-License-Identifier: MIT
"""Templates as modules of Python: statements, and how templates extend and include each other.

Jinja2 itself parses them, so the language is that of its "Template Designer Documentation". What
is compiled: expressions, the filters and tests of viperhttp.template_runtime, if, for, set, with,
include, extends and blocks with super(), autoescape. All else is refused, with file and line.

A template becomes one module with one function, render(context). What it extends and includes is
folded in, so that the device looks nothing up; a template cannot include itself, therefore.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.templates import language
from viper.templates.expressions import Expressions
from viper.templates.names import is_part, module_name
from viper.templates.scope import Loop, Scope, Variables

if TYPE_CHECKING:
    from jinja2 import nodes

    # By name: the template and its block, from the one that extends to the one that is extended.
    Blocks = dict[str, list[tuple[str, nodes.Block]]]

_ESCAPED = (".html", ".htm", ".xml")  # as jinja2.select_autoescape()
_HELP = "see docs/templates.md"


def compile_folder(folder: Path, templates: Sequence[str]) -> dict[str, str]:
    """Compile templates.

    Args:
        folder: where they stand.
        templates: their paths below it, with slashes; parts make no module.

    Returns:
        Python by module name.

    Raises:
        UserError: something that cannot be compiled, with file and line.
    """
    modules: dict[str, str] = {}
    template_of: dict[str, str] = {}
    for template in sorted(templates):
        if is_part(template):
            continue
        module = module_name(template)
        if module in modules:
            raise UserError(
                f"{folder / template_of[module]} and {folder / template} are one module, {module}",
                "rename one of them",
            )
        template_of[module] = template
        modules[module] = _Compiler(folder).compile(template)
    return modules


class _Compiler:
    """Compiles one template, with all that it extends and includes, into one function."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._variables = Variables()
        self._expressions = Expressions(self._refusal)
        self._within: list[str] = []  # the templates being compiled, the innermost last
        self._supers: list[Callable[[], None] | None] = []  # what super() does, innermost last
        self._lines: list[str] = []
        self._text = ""  # to be written before the next line
        self._depth = 1

    def compile(self, template: str) -> str:
        self._template(template, Scope(self._variables, is_template=True), None)
        self._flush()
        context = [
            f"    {variable} = context.get({name!r}, {self._known(name)})"
            for name, variable in self._variables.context.items()
        ]
        helpers = ", ".join(sorted(self._expressions.helpers))
        imports = [f"from viperhttp.template_runtime import {helpers}"] if helpers else []
        return "\n".join(
            [
                f"# Compiled from {template}.",
                *imports,
                "",
                "",
                "def render(context):",
                *context,
                "    out = []",
                "    write = out.append",
                *self._lines,
                '    return "".join(out)',
                "",
            ]
        )

    def _known(self, name: str) -> str:
        """What a name is that the context does not hold."""
        return name if name in language.FUNCTIONS else self._expressions.helper("UNDEFINED")

    def _refusal(self, problem: str, node: nodes.Node) -> UserError:
        return UserError(f"{self._folder / self._within[-1]} line {node.lineno}: {problem}", _HELP)

    # What is written

    def _line(self, text: str) -> None:
        self._flush()
        self._lines.append("    " * self._depth + text)

    def _flush(self) -> None:
        text, self._text = self._text, ""
        if text:
            self._line(f"write({text!r})")

    @contextmanager
    def _indented(self) -> Iterator[None]:
        self._flush()
        self._depth += 1
        before = len(self._lines)
        yield
        self._flush()
        if len(self._lines) == before:
            self._line("pass")
        self._depth -= 1

    # Templates

    def _parse(self, template: str, at: nodes.Node | None) -> nodes.Template:
        from jinja2 import Environment, TemplateSyntaxError

        path = self._folder / template
        inside = not os.path.relpath(path, self._folder).startswith("..")
        if at is not None and not (inside and path.is_file()):
            raise self._refusal(f"there is no template '{template}'", at)
        try:
            return Environment().parse(path.read_text(encoding="utf-8"), template, str(path))
        except UnicodeDecodeError as problem:
            raise UserError(f"{path}: not UTF-8 at byte {problem.start}", f"edit {path}") from None
        except TemplateSyntaxError as problem:
            raise UserError(
                f"{problem.filename} line {problem.lineno}: {problem.message}", f"edit {path}"
            ) from None

    def _template(
        self, template: str, scope: Scope, at: nodes.Node | None, blocks: Blocks | None = None
    ) -> None:
        """What a template prints, by way of the templates that it extends.

        `at` names it; `blocks` are those of the templates that extend it.
        """
        from jinja2 import nodes

        blocks = blocks or {}
        if at is not None and template in self._within:
            raise self._refusal(f"'{template}' includes or extends itself", at)
        tree = self._parse(template, at)
        scope.analyze(tree)
        with self._inside(template):
            for block in tree.find_all(nodes.Block):
                blocks.setdefault(block.name, []).append((template, block))
            extends = next((node for node in tree.body if isinstance(node, nodes.Extends)), None)
            if extends is None:
                self._body(tree.body, scope, blocks)
                return
            begin = tree.body.index(extends)
            self._body(tree.body[:begin], scope, blocks)
            self._beside_blocks(tree.body[begin + 1 :], scope, blocks)
            self._template(self._constant(extends.template), scope, extends, blocks)

    @contextmanager
    def _inside(self, template: str) -> Iterator[None]:
        self._within.append(template)
        self._expressions.escaping.append(template.endswith(_ESCAPED))
        yield
        self._within.pop()
        self._expressions.escaping.pop()

    def _beside_blocks(self, body: Sequence[nodes.Node], scope: Scope, blocks: Blocks) -> None:
        """What a template that extends another has beside its blocks sets names; it prints not."""
        from jinja2 import nodes

        for node in body:
            if isinstance(node, nodes.Assign):
                self._body([node], scope, blocks)
            elif not isinstance(node, nodes.Block | nodes.Output):
                raise self._refusal(
                    f"'{language.called(node)}' beside the blocks of a template that extends one",
                    node,
                )

    def _constant(self, node: nodes.Expr) -> str:
        from jinja2 import nodes

        if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
            raise self._refusal("the name of a template is a text in quotes", node)
        return node.value

    # Statements, each by the name of Jinja2's node

    def _body(self, body: Sequence[nodes.Node], scope: Scope, blocks: Blocks) -> None:
        for node in body:
            statement = getattr(self, f"_{type(node).__name__.lower()}_statement", None)
            if statement is None:
                raise self._refusal(
                    f"'{language.called(node)}' cannot be compiled for the device", node
                )
            statement(node, scope, blocks)

    def _output_statement(self, node: nodes.Output, scope: Scope, blocks: Blocks) -> None:
        from jinja2 import nodes

        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                self._text += part.data
            elif isinstance(part, nodes.Const):
                self._text += self._printed(part.value)
            elif _is_super(part):
                above = self._supers[-1] if self._supers else None
                if above is None:
                    raise self._refusal("super() has nothing above it here", part)
                above()
            else:
                printed = self._expressions.compile(part, scope)
                is_number = self._expressions.is_number(part, scope)
                text = (
                    "str" if is_number else "escape" if self._expressions.escaping[-1] else "text"
                )
                if not is_number:
                    self._expressions.helper(text)
                self._line(f"write({text}({printed}))")

    def _printed(self, constant: object) -> str:
        import markupsafe

        return str(markupsafe.escape(constant)) if self._expressions.escaping[-1] else str(constant)

    def _if_statement(self, node: nodes.If, scope: Scope, blocks: Blocks) -> None:
        pending = scope.pending
        branches = [("if", node), *[("elif", other) for other in node.elif_]]
        for word, branch in branches:
            self._line(f"{word} {self._expressions.compile(branch.test, scope)}:")
            with self._indented():
                scope.pending = set(pending)
                self._body(branch.body, scope, blocks)
        if node.else_:
            self._line("else:")
            with self._indented():
                scope.pending = set(pending)
                self._body(node.else_, scope, blocks)
        scope.pending = pending - set(_names_set([node]))

    def _for_statement(self, node: nodes.For, scope: Scope, blocks: Blocks) -> None:
        if node.recursive:
            raise self._refusal("'for … recursive' cannot be compiled for the device", node)
        new = self._variables.new
        loop = Loop(counter=new("loop_counter"), length=new("loop_length"))
        items = self._expressions.compile(node.iter, scope)
        inner = scope.inner(loop)
        target = self._target(node.target, inner)
        if node.test is not None:
            test = self._expressions.compile(node.test, inner)
            items = f"[{target} for {target} in {items} if {test}]"
        self._line("")  # the head is known when the body is
        head = len(self._lines) - 1
        with self._indented():
            self._set_within(node.body, inner)
            inner.analyze(node, for_branch="body")
            self._body(node.body, inner, blocks)
        lines = []
        if node.else_ or "length" in loop.uses:
            held = new("loop_items")
            lines.append(f"{held} = list({items})")
            items = held
        if "length" in loop.uses:
            lines.append(f"{loop.length} = len({items})")
        counted = "counter" in loop.uses
        rounds = (
            f"{loop.counter}, {target} in enumerate({items})" if counted else f"{target} in {items}"
        )
        self._lines[head : head + 1] = [
            "    " * self._depth + line for line in [*lines, f"for {rounds}:"]
        ]
        if node.else_:
            self._line(f"if not {items}:")
            otherwise = scope.inner()
            with self._indented():
                self._set_within(node.else_, otherwise)
                otherwise.analyze(node, for_branch="else")
                self._body(node.else_, otherwise, blocks)

    def _target(self, node: nodes.Node, scope: Scope) -> str:
        """The names on the left of a `for` or `with`, new in a scope."""
        from jinja2 import nodes

        if isinstance(node, nodes.Tuple):
            return f"({''.join(f'{self._target(item, scope)}, ' for item in node.items)})"
        assert isinstance(node, nodes.Name)
        return scope.define(node.name)

    def _assign_statement(self, node: nodes.Assign, scope: Scope, blocks: Blocks) -> None:
        from jinja2 import nodes

        value = self._expressions.compile(node.node, scope)
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
        variables = []
        for target in targets:
            if not isinstance(target, nodes.Name):
                raise self._refusal("'set' of anything but a name is not on the device", node)
            scope.pending.discard(target.name)
            variables.append(scope.lookup(target.name))
        self._line(f"{', '.join(variables)} = {value}")

    def _set_within(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        """What a region sets begins with the value outside, and ends with the region."""
        for name in _names_set(body):
            if name not in scope.names:
                has_none = scope.is_pending(name)
                outside = self._expressions.helper("UNDEFINED") if has_none else scope.lookup(name)
                self._line(f"{scope.define(name)} = {outside}")

    def _with_statement(self, node: nodes.With, scope: Scope, blocks: Blocks) -> None:
        inner = scope.inner()
        values = [self._expressions.compile(value, scope) for value in node.values]
        for target, value in zip(node.targets, values, strict=True):
            self._line(f"{self._target(target, inner)} = {value}")
        self._set_within(node.body, inner)
        inner.analyze(node)
        self._body(node.body, inner, blocks)

    def _include_statement(self, node: nodes.Include, scope: Scope, blocks: Blocks) -> None:
        if not node.with_context:
            raise self._refusal("'include … without context' is not on the device", node)
        template = self._constant(node.template)
        if node.ignore_missing and not (self._folder / template).is_file():
            return
        inner = scope.inner()
        inner.is_template = True
        self._set_within(self._parse(template, node).body, inner)
        self._template(template, inner, node)

    def _block_statement(self, node: nodes.Block, scope: Scope, blocks: Blocks) -> None:
        self._block(node.name, 0, scope if node.scoped else scope.template, blocks)

    def _block(self, name: str, above: int, scope: Scope, blocks: Blocks) -> None:
        """A block as the template `above` steps up has it."""
        template, node = blocks[name][above]
        overrides = above + 1 < len(blocks[name])
        self._supers.append(
            (lambda: self._block(name, above + 1, scope, blocks)) if overrides else None
        )
        inner = scope.inner()
        inner.is_block = True
        with self._inside(template):
            self._set_within(node.body, inner)
            inner.analyze(node)
            self._body(node.body, inner, blocks)
        self._supers.pop()

    def _scope_statement(self, node: nodes.Scope, scope: Scope, blocks: Blocks) -> None:
        self._body(node.body, scope, blocks)

    def _scopedevalcontextmodifier_statement(
        self, node: nodes.ScopedEvalContextModifier, scope: Scope, blocks: Blocks
    ) -> None:
        """{% autoescape %}"""
        from jinja2 import nodes

        value = node.options[0].value
        if not isinstance(value, nodes.Const):
            raise self._refusal("'autoescape' is true or false", node)
        self._expressions.escaping.append(bool(value.value))
        self._body(node.body, scope, blocks)
        self._expressions.escaping.pop()


def _is_super(node: nodes.Node) -> bool:
    from jinja2 import nodes

    return (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "super"
    )


def _names_set(body: Sequence[nodes.Node]) -> Iterator[str]:
    """The names that `set` sets here, and not in a region within, sorted."""
    from jinja2 import nodes

    names = set()
    pending = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.Assign):
            names |= {name.name for name in node.target.find_all(nodes.Name)}
            names |= {node.target.name} if isinstance(node.target, nodes.Name) else set()
        elif isinstance(node, nodes.If):
            pending += [*node.body, *node.elif_, *node.else_]
    yield from sorted(names)
