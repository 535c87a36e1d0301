# SPDX-License-Identifier: MIT
"""Templates made of everything with everything, for Jinja2 and the device to disagree on.

Values of all kinds go through every filter, test, operator, index and method, wise or not: where
Jinja2 raises, the device must. And templates of statements are made at random, about who sees which
name. What cannot be the same is a row of a table in docs/templates.md, and is left out here.
"""

from __future__ import annotations

import random

CONTEXT: dict[str, object] = {
    "yes": True,
    "no": False,
    "nothing": None,
    "zero": 0,
    "one": 1,
    "n": 42,
    "minus": -7,
    "large": 1 << 70,
    "x": 2.5,
    "tenth": 0.1,
    "third": 1 / 3,
    "whole": 3.0,
    "small": 1.5e-7,
    "huge": 1e22,
    "tie": 2.675,
    "half": -0.5,
    "e16": 1e16,
    **{
        "s": "hello World",
        "empty": "",
        "digits": "42",
        "decimal": "3.7",
        "spaced": "  two  words ",
    },
    "html": '<b>"it\'s" & x</b>',
    "beyond": "naive cafe — €😀",
    "lines": "a\r\nb\n\nc",
    "signs": "a\tb\\c\x07\x1b'\"",
    "list": [3, 1, 2],
    "texts": ["b", "A", "c"],
    "blanks": [],
    "mixed": [True, 1, 2.5, 0.1, None, "€'"],
    "nested": [[0.1, "x"], {"k": 1e16}],
    "floats": [0.1, 0.2, 0.3],
    "doubles": ["a", "A", "b", "a"],
    "flags": [True, False, True],
    "map": {"k": 0.1},
    "blank": {},
    "rows": [{"v": 2}, {"v": 1.5}, {"v": True}],
}
VALUES = [*CONTEXT, "missing", "(html|safe)", "(1, 'a')", "(1,)", "range(3)", "map.k", "map.nope"]

FILTERS = [
    "abs",
    "capitalize",
    "center(15)",
    "center",
    "default('D')",
    "default('D', true)",
    "d(0.1)",
    "dictsort",
    "dictsort(true, 'value')",
    "e",
    "escape",
    "forceescape",
    "filesizeformat",
    "filesizeformat(true)",
    "first",
    "float",
    "float(1.5)",
    "indent",
    "indent(2, true)",
    "indent('>>', blank=true)",
    "int",
    "int(9)",
    "int(base=16)",
    "int(default=3, base=2)",
    "items|list",
    "join",
    "join(', ')",
    "join('<')",
    "join(attribute='v')",
    "last",
    "length",
    "count",
    "list",
    "lower",
    "max",
    "min",
    "max(attribute='v')",
    "min(case_sensitive=true)",
    "replace('l', 'L')",
    "replace('o', '<o>', 1)",
    "replace('', '-')",
    "reverse|list",
    "round",
    "round(1)",
    "round(2)",
    "round(-1)",
    "round(0, 'ceil')",
    "round(1, 'floor')",
    "safe",
    "sort",
    "sort(true)",
    "sort(reverse=true, case_sensitive=true)",
    "sort(attribute='v')",
    "string",
    "sum",
    "sum(start=0.5)",
    "sum('v')",
    "sum(start='')",
    "title",
    "tojson",
    "tojson|length",
    "tojson|first",
    "tojson|tojson",
    "trim",
    "trim('h')",
    "truncate(5)",
    "truncate(5, true)",
    "truncate(7, true, '..', 0)",
    "truncate(2)",
    "unique|list",
    "unique(true)|list",
    "upper",
    "urlencode",
    "wordcount",
    "first|first",
    "string|length",
    "list|first",
    "safe|first",
    "safe|list",
    "safe|upper|lower",
    "e|title",
    "e|e",
    "e|replace('b', '<')",
    "e|truncate(6)",
    "e|center(30)",
    "e|reverse",
    "e|join('-')",
    "e|int",
    "e|float",
    "e|wordcount",
    "e|urlencode",
    "e|capitalize",
    "e|string",
    "e|sort",
    "e|unique|list",
    "e|max",
    "e|last",
    "e|tojson",
    "float|int",
    "int|float",
    "float|round(3)",
    "join|tojson",
    "string|e|length",
]
TESTS = [
    "boolean",
    "defined",
    "undefined",
    "divisibleby(2)",
    "divisibleby 3",
    "even",
    "odd",
    "true",
    "false",
    "float",
    "integer",
    "number",
    "iterable",
    "lower",
    "upper",
    "mapping",
    "none",
    "sameas(none)",
    "sequence",
    "string",
    "eq(1)",
    "ne(true)",
    "gt(1)",
    "lt(2.5)",
    "ge(0)",
    "le('b')",
    "in([1, 2.5, 'b'])",
    "eq(3.0)",
    "equalto('42')",
]
INDICES = [
    "[0]",
    "[-1]",
    "[9]",
    "['k']",
    "[true]",
    "[1.0]",
    "[none]",
    "[missing]",
    ".k",
    ".nope",
]
PARTS = ["[1:2]", "[::-1]", "[::2]", "[-2:]", "[:1]", "[2:0:-1]", "[:none]", "[1:-1:3]", "[5:1:-2]"]
METHODS = [
    "upper()",
    "lower()",
    "title()",
    "capitalize()",
    "swapcase()",
    "strip()",
    "lstrip('h')",
    "rstrip('d')",
    "split()",
    "split('l')",
    "split('l', 1)",
    "rsplit('o', 1)",
    "partition('l')",
    "rpartition('l')",
    "replace('l', '<')",
    "replace('', '-')",
    "startswith('h')",
    "find('o')",
    "startswith(('a', 'h'))",
    "endswith('d')",
    "rfind('o')",
    "index('o')",
    "rindex('o')",
    "isdigit()",
    "isalpha()",
    "isalnum()",
    "isspace()",
    "isupper()",
    "islower()",
    "isascii()",
    "zfill(8)",
    "ljust(14)",
    "rjust(14, '*')",
    "center(14)",
    "center(15, '*')",
    "format(1)",
    "removeprefix('he')",
    "removesuffix('ld')",
    "join(['a', 'b'])",
    "join(['<', 'b'|safe])",
    "items()|list",
    "keys()|list",
    "values()|list",
    "get('k')",
    "get('z', 0.1)",
    "copy()",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
OPERANDS = [
    "yes",
    "no",
    "nothing",
    "zero",
    "n",
    "minus",
    "x",
    "tenth",
    "digits",
    "empty",
    "3",
    "missing",
    "flags",
]

EXPRESSIONS = [
    *VALUES,
    *[f"{value}|{name}" for value in VALUES for name in FILTERS],
    *[f"{value} is {test}" for value in VALUES for test in TESTS],
    *[f"({value}){index}" for value in VALUES for index in INDICES],
    *[f"{value}{part}" for value in CONTEXT for part in PARTS],
    *[f"({value}).{method}" for value in VALUES for method in METHODS],
    *[f"({sign}{value})" for value in VALUES for sign in ("-", "+", "not ")],
    *[
        f"({left}) {operator} ({right})"
        for left in OPERANDS
        for operator in OPERATORS
        for right in OPERANDS
        if operator != "%" or right not in ("flags", "missing")
    ],
    "map.k + 0.2", "1/3", "2/3*100", "10/4", "7//2.0", "-7//2", "-7 % 3", "7.5 % 2", "2**0.5",
    "2**-1", "10**20", "1e3", "1e20", "0.1 + 0.2", "1e16 + 0", "123456789.123", "-0.0",
    "1.7976931348623157e308", "5e-324", "0.30000000000000004", "1e300*1e10", "[1]==[yes]",
    "1 in [yes]", "{1: 'a'}[yes]", "{yes: 'a'}[1]", "list[yes]", "[yes, no]|sum", "[2, yes]|min",
    "'x'*yes", "range(yes)|list", "yes|abs", "lists", "'%d' % yes", "'%s' % x", "'%.1f' % x",
    "'%5.2f' % x", "'%s %s' % (1, 'a')", "'{} {}'.format(1, 'a')", "'{a}'.format(a=1)",
    "(html|safe) + html", "html + (html|safe)", "(html|safe) * 2", "('%s'|safe) % html",
    "(html|safe) == html", "html in [html|safe]", "(html|safe) in html", "'it' in (html|safe)",
    "[html|safe]", "{(html|safe): 1}[html]", "(html|safe).join(texts)", "(html|safe)[0]",
    "(html|safe).split('i')", "('{}'|safe).format(html)", "(html|safe).replace('b', '<')",
    "'1e3'|int", "'inf'|int", "'nan'|float", "'inf'|float", "'1_000'|int", "'0x1f'|int(base=16)",
    "'0b11'|int(base=0)", "' 42 '|int", "'-5'|int", "'+5'|int", "'.5'|float", "'5.'|float",
    "'12abc'|int", "'z'|int(base=36)", "1e22|int", "(1e300*1e10)|tojson", "large/3",
    "{'b': 1, 'a': 0.1}|tojson", "{1: 2}|tojson", "{yes: 1}|tojson", "{nothing: 1}|tojson",
    "{0.5: 1}|tojson", "(1, 2)|tojson", "range(2)|tojson", "[missing]|tojson", "rows|tojson",
    "'</script>'|tojson", "'\\x7f\\b\\f\u2028'|tojson", "('a\"b', \"a'b\", 'ö')", "{'ö': 0.1}",
    "missing == nothing", "missing in list", "1 in missing", "missing()", "missing < 1",
    "none()", "dict(a=1)", "range(0, 10, 3)|list", "range(5)[::2]|list", "beyond[::-1]",
    "rows|sort(attribute='v')|last", "map.items()|list", "map.items()|urlencode", "loop",
]  # fmt: skip

PARTS_OF_TEMPLATES = {
    "_p.html": "<{{ a }}{% set a = 'pa' %}{{ a }}{{ c }}>",
    "_q.html": "{% for i in list %}{{ b }}{% endfor %}{% set b = 'qb' %}[{{ b }}]",
    "_base.html": "{{ a }}{% set b = 'lb' %}{% block x %}X{{ a }}{{ b }}{{ c }}{% endblock %}"
    "{% set a = 'la' %}{% for i in list %}{% block y scoped %}Y{{ i }}{{ a }}{% endblock %}"
    "{% endfor %}{% block z %}Z{{ a }}{% endblock %}",
}
NAMES = {"a": "A", "b": "B", "list": [1, 2], "t": True, "f": False}


def templates(seed: int, count: int) -> list[str]:
    """Templates of statements about the names of NAMES, with PARTS_OF_TEMPLATES beside them."""
    chance = random.Random(seed)
    maker = _Maker(chance)
    plain = [maker.statements(3) for _ in range(count)]
    extending = []
    for _ in range(count // 5):
        blocks = chance.sample(["x", "y", "z"], chance.randint(0, 3))
        body = "".join(
            f"{{% block {name} %}}{maker.statements(2)}{{% endblock %}}" for name in blocks
        )
        extending.append(f"{{% extends '_base.html' %}}{{% set c = a ~ '1' %}}{body}")
    return [*plain, *extending]


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0

    def statements(self, depth: int) -> str:
        return "".join(self._statement(depth) for _ in range(self._chance.randint(1, 3)))

    def _statement(self, depth: int) -> str:
        choose, inner = self._chance.choice, depth - 1
        name = choose("abcd")
        kind = choose(["print"] * 6 + ["set"] * 4 + ["if"] * 3 + ["for"] * 3 + ["with", "include"])
        self._made += 1
        if depth == 0 or kind == "print":
            return f"{{{{ {name} }}}}"
        if kind == "set":
            return f"{{% set {name} = {choose('abcd')} ~ '{self._made}' %}}"
        if kind == "include":
            block = f"{{% block b{self._made} %}}{self.statements(inner)}{{% endblock %}}"
            return choose(["{% include '_p.html' %}", "{% include '_q.html' %}", block])
        if kind == "with":
            value = choose("abcd")
            return f"{{% with {name} = {value} %}}{self.statements(inner)}{{% endwith %}}"
        end = f"{{% else %}}{self.statements(inner)}" if self._chance.random() < 0.5 else ""
        if kind == "if":
            return (
                f"{{% if {choose(['t', 'f', name])} %}}{self.statements(inner)}{end}{{% endif %}}"
            )
        of = choose(["list", "list", name, "missing"])
        test = choose(["", "", " if t", f" if {name}"])
        body = self.statements(inner)
        return f"{{% for {choose(['i', name])} in {of}{test} %}}{body}{end}{{% endfor %}}"
