# SPDX-License-Identifier: MIT
"""What a page costs on the board: a compiled template, beside replacing placeholders one by one.

The peer is what people write without an engine: the page's text, in which each placeholder is
replaced by its value after the value has been through its filters, row by row. utemplate, the
engine of MicroPython's world, is no peer here: its package is no longer one that pip installs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from viper.templates.compiler import compile_folder

from tests.bench.figure import Figure
from tests.bench.http_board import Board, board
from tests.project import Project

ROWS = 100

PAGE = """<!doctype html>
<title>{{ title }}</title>
<table>
{% for row in rows %}<tr><td>{{ row.name }}</td><td>{{ row.value }}</td>\
<td>{{ row.note|upper }}</td></tr>
{% endfor %}</table>
"""

# Both make the same text of the same rows, in turn, and the median of each is printed.
PROGRAM = '''
import time
{module}

def escaped(value):
    value = str(value)
    for c, e in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        value = value.replace(c, e)
    return value

FILTERS = {{"escape": escaped, "upper": str.upper}}
ROW = """<tr><td>{{{{ name }}}}</td><td>{{{{ value }}}}</td><td>{{{{ note|upper }}}}</td></tr>\\n"""
HEAD = """<!doctype html>\\n<title>{{{{ title }}}}</title>\\n<table>\\n"""
TAIL = "</table>"

def replaced(text, values):
    while True:
        begin = text.find("{{{{")
        if begin < 0:
            return text
        end = text.find("}}}}", begin) + 2
        name, *filters = text[begin + 2 : end - 2].strip().split("|")
        value = values[name]
        for filter in filters + ["escape"]:
            value = FILTERS[filter](value)
        text = text.replace(text[begin:end], value)

def by_replacement(context):
    page = replaced(HEAD, context)
    for row in context["rows"]:
        page += replaced(ROW, row)
    return page + TAIL

rows = [{{"name": "sensor <%d>" % i, "value": i * 3, "note": "ok & well"}} for i in range({rows})]
context = {{"title": "Readings", "rows": rows}}
assert render(context) == by_replacement(context), "they print different pages"
times = ([], [])
for _ in range(21):
    for make, into in zip((render, by_replacement), times):
        began = time.ticks_us()
        make(context)
        into.append(time.ticks_diff(time.ticks_us(), began))
print("MEDIANS", *[sorted(each)[len(each) // 2] for each in times])
'''


def figures(project: Project) -> list[Figure]:
    with board(project) as served:
        compiled, replaced = medians(served)
    return [
        Figure(f"a page of {ROWS} rows, compiled template", compiled, "µs"),
        Figure("a page, placeholders replaced", replaced, "µs"),
        Figure("  placeholders / compiled", replaced / compiled, "×", "≥ 3"),
    ]


def medians(served: Board) -> list[int]:
    """Microseconds of a page by both, on the board."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "page.html").write_text(PAGE, encoding="utf-8")
        module = compile_folder(folder, ["page.html"])["page_html"]
        program = folder / "program.py"
        program.write_text(PROGRAM.format(module=module, rows=ROWS), encoding="utf-8")
        output = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", served.serial, "run", str(program)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found = re.search(r"MEDIANS (\d+) (\d+)", output)
    assert found, output
    return [int(each) for each in found.groups()]
