# SPDX-License-Identifier: MIT
"""Templates and contexts whose output Jinja2 decides: for a computer and for the device alike."""

from __future__ import annotations

LAYOUT = """<!doctype html>
<title>{% block title %}Site{% endblock %}</title>
{% set shade = "dark" %}
{% block body %}base body {{ shade }}{% endblock %}
<footer>{{ year }}</footer>
"""

FILES = {
    "_layout.html": LAYOUT,
    "_middle.html": '{% extends "_layout.html" %}{% block title %}M {{ super() }}{% endblock %}',
    "_row.html": "<td>{{ row.name }} {{ loop_word|default('none') }}</td>",
    "_sets.html": "{% set x = 'inner' %}{{ x }}",
    "_text.txt": "{{ markup }}",
}

CONTEXT = {
    "name": "<World> & 'co' \"x\"",
    "markup": "<b>bold</b>",
    "number": 42,
    "negative": -7,
    "ratio": 2.5,
    "nothing": None,
    "yes": True,
    "empty": [],
    "numbers": [3, 1, 2, 3],
    "words": ["beta", "Alpha", "gamma"],
    "user": {"name": "Ada", "email": "ada@example.org", "tags": ["x", "y"]},
    "rows": [
        {"name": "one", "size": 10, "on": True},
        {"name": "two", "size": 5, "on": False},
        {"name": "three & more", "size": 10, "on": True},
    ],
    "pairs": [["a", 1], ["b", 2]],
    "sentence": "the quick brown fox jumps over the lazy dog",
    "year": 2026,
    "lines": "first\n\nthird",
}

EXPRESSIONS = [
    "name", "number + 1", "number // 5", "number % 5", "2 ** 3", "-number", "+ratio", "ratio * 2",
    "number - negative", "nothing", "yes", "missing", "missing or 'other'", "yes and number",
    "not yes", "name ~ number ~ '!'", "name ~ markup|safe", "'a' if yes else 'b'",
    "'a' if missing", "user.name", "user['email']", "user.missing", "user.tags[1]", "user.tags.0",
    "numbers[1:3]", "numbers[::2]", "words[0]", "words[9]", "numbers[-1]", "(1, 2)[0]",
    "[1, 'a', none]", "{'a': 1}['a']", "1 < 2 < 3", "number == 42", "number != 42", "number >= 43",
    "3 in numbers", "9 not in numbers", "'orld' in name", "range(4)|join(',')", "'é <ü>'",
    "name.upper()", "markup.startswith('<')", "'%s-%s'|length", "\"it's\"", "'<raw>'",
    # filters
    "negative|abs", "'hELLO wORLD'|capitalize", "'ab'|center(7)", "missing|default('d<')",
    "''|d('e', true)", "'x'|default('y', boolean=true)", "name|e", "name|escape|escape",
    "name|safe", "markup|safe|upper", "name|forceescape", "1000|filesizeformat",
    "1|filesizeformat", "1536|filesizeformat(true)", "123456789|filesizeformat", "words|first",
    "empty|first", "words|last", "'2.5'|float", "'x'|float(1.5)", "'42'|int", "'x'|int(7)",
    "'ff'|int(base=16)", "'3.9'|int", "lines|indent(2)", "lines|indent(2, true)",
    "lines|indent(2, blank=true)", "words|join(' & ')", "rows|join(', ', attribute='name')",
    "words|length", "words|count", "'abc'|list", "words|max", "words|min", "numbers|max",
    "rows|max(attribute='size')|items|list|length", "empty|max", "name|replace('World', '<W>')",
    "'aaa'|replace('a', 'b', 2)", "'abc'|reverse", "numbers|reverse|list", "2.567|round(2)",
    "2.1|round(0, 'ceil')", "2.9|round(method='floor')", "numbers|sort", "words|sort",
    "words|sort(reverse=true, case_sensitive=true)",
    "rows|sort(attribute='size')|join(',', attribute='name')",
    "rows|sort(true, attribute='size')|join(',', attribute='name')", "number|string|length",
    "numbers|sum", "rows|sum(attribute='size')", "rows|sum('size', 5)",
    "\"o'neil mc-donald\"|title",
    "user|tojson", "name|tojson", "[1, true, none, 'x']|tojson", "'  x '|trim", "'xxaxx'|trim('x')",
    "sentence|truncate(20)", "sentence|truncate(20, true)", "sentence|truncate(20, end='…')",
    "sentence|truncate(40)", "numbers|unique|join", "words|upper", "'AB'|lower",
    "'a b/c?d=é&'|urlencode", "pairs|urlencode", "sentence|wordcount",
    "pairs|dictsort|length if false else 'kept'", "user|length", "missing|upper", "missing|length",
    # tests
    "number is even", "number is odd", "number is divisibleby(6)", "number is divisibleby 5",
    "missing is defined", "missing is undefined", "name is defined", "nothing is none",
    "yes is true", "yes is false", "yes is boolean", "number is integer", "ratio is float",
    "number is number", "name is string", "user is mapping", "words is sequence",
    "words is iterable", "number is iterable", "'a' is lower", "'A' is upper",
    "nothing is sameas none",
    "number is eq 42", "number is gt 41", "3 is in numbers", "number is not even",
]  # fmt: skip

TEMPLATES = [
    "plain text, 'quotes' and \\ backslash\nsecond line\n",
    "{# a comment #}a{#- trimmed -#} b",
    "{% if number > 41 %}big{% elif number %}some{% else %}none{% endif %}",
    "{% if missing %}x{% endif %}{% if empty %}y{% else %}z{% endif %}",
    "{% for n in numbers %}{{ n }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for n in numbers if n > 1 %}{{ loop.index }}/{{ loop.length }}:{{ n }} {% endfor %}",
    "{% for n in empty %}{{ n }}{% else %}nothing{% endfor %}",
    "{% for n in missing %}{{ n }}{% else %}nothing{% endfor %}",
    "{% for n in numbers if n > 5 %}{{ n }}{% else %}none big{% endfor %}",
    "{% for a, b in pairs %}{{ a }}={{ b }};{% endfor %}",
    "{% for a, b in pairs %}{{ loop.index0 }}{{ a }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{% endfor %}",
    "{% for r in rows %}{{ loop.cycle('odd', 'even') }} {{ r.name }}\n{% endfor %}",
    "{% for r in rows %}{% for t in user.tags %}{{ loop.index }}{{ t }}{% endfor %}"
    "{{ loop.index }}{% endfor %}",
    "{% for key, value in user|dictsort %}{{ key }}: {{ value }}\n{% endfor %}",
    "{% set x = 1 %}{% for n in numbers %}{% set x = x + n %}{{ x }} {% endfor %}{{ x }}",
    "{% if yes %}{% set name = 'set' %}{% endif %}{{ name }}",
    "{% if not yes %}{% set name = 'set' %}{% endif %}{{ name }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% for number in numbers %}{{ number }}{% endfor %}{{ number }}",
    "{% with x = number, y = 2 %}{{ x * y }}{% set x = 9 %}{{ x }}{% endwith %}{{ x }}",
    "{% for row in rows %}{% set loop_word = loop.index %}{% include '_row.html' %}{% endfor %}",
    "{% set row = rows[0] %}{% include '_row.html' %}",
    "{% set x = 'outer' %}{% include '_sets.html' %}{{ x }}",
    "{% include 'absent.html' ignore missing %}ok",
    "{% include '_text.txt' %}{{ markup }}",
    "{% extends '_layout.html' %}",
    "{% extends '_layout.html' %}ignored{% block body %}own {{ name }}{% endblock %}ignored too",
    "{% extends '_middle.html' %}{% set year = 1999 %}"
    "{% block title %}T {{ super() }}{% endblock %}",
    "{% extends '_layout.html' %}{% block body %}{% for n in numbers %}{{ super() }}{% endfor %}"
    "{% endblock %}",
    "{% for n in numbers %}{% block inner %}[{{ n }}]{% endblock %}{% endfor %}",
    "{% for n in numbers %}{% block inner2 scoped %}[{{ n }}]{% endblock %}{% endfor %}",
    "{% autoescape false %}{{ name }}{% autoescape true %}{{ name }}{% endautoescape %}"
    "{% endautoescape %}{{ name }}",
    "  {%- if yes -%}  tight  {%- endif -%}  end",
    "{{ '{{' }}{% raw %}{{ raw }}{% endraw %}",
]
