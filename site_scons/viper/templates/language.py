# SPDX-License-Identifier: MIT
"""Jinja's operators, filters and tests, by what they are in Python on the device."""

from __future__ import annotations

FILTERS = {
    **{
        name: f"do_{name}"
        for name in (
            "abs", "capitalize", "center", "default", "dictsort", "escape", "filesizeformat",
            "first", "float", "forceescape", "indent", "int", "items", "join", "last", "length",
            "list", "lower", "max", "min", "replace", "reverse", "round", "safe", "sort",
            "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper",
            "urlencode", "wordcount",
        )
    },
    "count": "do_length",
    "d": "do_default",
    "e": "do_escape",
}  # fmt: skip
"""Functions of viperhttp.template_runtime by filter."""

NUMERIC_FILTERS = ("count", "int", "length", "wordcount")
"""Filters whose result holds nothing to escape."""

TESTS = {
    name: f"is_{name}"
    for name in (
        "boolean", "defined", "divisibleby", "even", "false", "float", "integer", "iterable",
        "lower", "mapping", "none", "number", "odd", "sameas", "sequence", "string", "true",
        "undefined", "upper",
    )
}  # fmt: skip
"""Functions of viperhttp.template_runtime by test."""

OPERATOR_TESTS = {
    **dict.fromkeys(("eq", "equalto", "=="), "=="),
    **dict.fromkeys(("ne", "!="), "!="),
    **dict.fromkeys(("gt", "greaterthan", ">"), ">"),
    **dict.fromkeys(("lt", "lessthan", "<"), "<"),
    **dict.fromkeys(("ge", ">="), ">="),
    **dict.fromkeys(("le", "<="), "<="),
    "in": "in",
}

COMPARISONS = {
    **{"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="},
    **{"in": "in", "notin": "not in"},
}

BINARY = {
    **{"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**"},
    **{"And": "and", "Or": "or"},
}
"""By the name of Jinja2's node."""

UNARY = {"Not": "not ", "Neg": "-", "Pos": "+"}
"""By the name of Jinja2's node."""

LOOP = {
    "index": "({counter} + 1)",
    "index0": "{counter}",
    "first": "({counter} == 0)",
    "last": "({counter} == {length} - 1)",
    "length": "{length}",
    "revindex": "({length} - {counter})",
    "revindex0": "({length} - {counter} - 1)",
}
"""What `loop` knows, in terms of a scope's Loop."""

FUNCTIONS = ("dict", "range")
"""What Jinja has without a context; a value of the context goes before it."""

NO_FUNCTIONS = ("cycler", "joiner", "lipsum", "namespace")
"""What Jinja has besides."""

METHODS = frozenset(
    name for kind in (str, list, tuple, dict) for name in dir(kind) if not name.startswith("_")
) - {"format", "update"}
"""Methods of Python's own types, none of which takes arguments by name on the device."""

NO_METHODS = frozenset((
    "as_integer_ratio", "bit_count", "bit_length", "casefold", "conjugate", "encode",
    "expandtabs", "format_map", "fromhex", "hex", "is_integer", "isdecimal",
    "isidentifier", "isnumeric", "isprintable", "istitle", "maketrans", "splitlines",
    "to_bytes", "translate",
))  # fmt: skip
"""Methods of str, int and float that MicroPython lacks, or has otherwise."""

_WORDS = {
    **{"CallBlock": "call", "FilterBlock": "filter", "AssignBlock": "set … endset"},
    **{"FromImport": "from … import", "ExprStmt": "do", "NSRef": "namespace"},
}


def called(node: object) -> str:
    """What a person calls a node of Jinja2's: its tag."""
    name = type(node).__name__
    return _WORDS.get(name, name.lower())
