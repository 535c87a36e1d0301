# SPDX-License-Identifier: MIT
"""Templates that cannot be compiled are refused with file and line; tests/http prints the rest."""

from __future__ import annotations

import ast
import inspect
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from jinja2 import Environment
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from template_cases import FILES
from viper.base.errors import UserError
from viper.templates import language
from viper.templates.compiler import compile_folder
from viper.templates.names import module_name

RUNTIME = Path(__file__).parents[2] / "firmware/python/viperhttp/template_runtime.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in FILES.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    return tmp_path


def compiled(folder: Path, source: str, name: str = "page.html") -> str:
    (folder / name).write_text(source, encoding="utf-8")
    return compile_folder(folder, [name])[module_name(name)]


def test_every_filter_and_test_takes_what_jinjas_takes() -> None:
    functions = {
        node.name: [argument.arg for argument in node.args.args]
        for node in ast.parse(RUNTIME.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    for ours, jinjas in ((language.FILTERS, FILTERS), (language.TESTS, TESTS)):
        for name, function in ours.items():
            theirs: Any = jinjas[name]
            passed = hasattr(inspect.unwrap(theirs), "jinja_pass_arg")
            wanted = list(inspect.signature(theirs).parameters)[passed:]
            # The value itself is never given by name.
            assert functions[function][1:] == wanted[1:], name


def test_what_is_printed_is_escaped_unless_it_can_be_nothing_but_a_number(folder: Path) -> None:
    value = compiled(folder, "{{ name }}")
    assert "write(escape(" in value and "write(str(" not in value
    number = compiled(folder, "{% for each in names %}{{ loop.index }}{% endfor %}")
    assert "write(str(" in number and "escape" not in number


@pytest.mark.parametrize("test", ["in few", "eq 2", "ne 2", "lessthan 2", "ge 2"])
def test_a_test_that_is_an_operator_tells_what_jinjas_tells(
    folder: Path, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    in_c = dict.fromkeys(("escape_html", "float_round", "float_text", "json_text"), str)
    monkeypatch.setitem(sys.modules, "_viperhttp", cast(ModuleType, SimpleNamespace(**in_c)))
    runtime = cast(ModuleType, SimpleNamespace(**runpy.run_path(str(RUNTIME))))
    monkeypatch.setitem(sys.modules, "viperhttp.template_runtime", runtime)
    source = f"{{{{ number is {test} }}}}"
    page: dict[str, Any] = {}
    exec(compiled(folder, source), page)
    for number in (1, 2, 3):
        context = {"number": number, "few": [1, 2]}
        assert page["render"](context) == Environment().from_string(source).render(context)


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("a\n{% if x %}", 2, "Unexpected end of template"),
        ("a\n\n{{ x", 3, "unexpected end"),
        ("{% macro m() %}{% endmacro %}", 1, "'macro'"),
        ("\n{% import 'a' as a %}", 2, "'import'"),
        ("{% set x %}{% endset %}", 1, "'set … endset'"),
        ("{% set x.y = 1 %}", 1, "'set' of anything but a name"),
        ("{% filter upper %}{% endfilter %}", 1, "'filter'"),
        ("{{ x|uper }}", 1, "no filter 'uper'; did you mean 'upper'"),
        ("{{ x|xmlattr }}", 1, "Jinja's filter 'xmlattr' is not on the device"),
        ("{{ x|replace('a') }}", 1, "filter 'replace': missing a required argument"),
        ("{{ x is callable }}", 1, "Jinja's test 'callable' is not on the device"),
        ("{{ x is evn }}", 1, "no test 'evn'; did you mean 'even'"),
        ("{% for a in b recursive %}{% endfor %}", 1, "recursive"),
        ("{% for a in b %}\n{{ loop.changed(a) }}{% endfor %}", 2, "no 'loop.changed(…)'"),
        ("{% for a in b %}{{ loop.depth }}{% endfor %}", 1, "no 'loop.depth'"),
        ("{% for a in b %}{{ loop }}{% endfor %}", 1, "'loop' as a value"),
        ("\n{% include 'absent.html' %}", 2, "there is no template 'absent.html'"),
        ("{% include '../secret.html' %}", 1, "there is no template"),
        ("{% include name %}", 1, "text in quotes"),
        ("{% include '_row.html' without context %}", 1, "without context"),
        ("{% extends 'page.html' %}", 1, "'page.html' includes or extends itself"),
        ("{% block b %}{{ super() }}{% endblock %}", 1, "super() has nothing above it"),
        ("{% extends '_layout.html' %}\n{% if x %}{% endif %}", 2, "'if' beside the blocks"),
        ("{{ f(*x) }}", 1, "'*' in a call"),
        ("{{ x.translate({}) }}", 1, "the method 'translate' is not on the device"),
        ("\n{{ x.bit_length() }}", 2, "the method 'bit_length' is not on the device"),
        ("{{ x.split(sep=',') }}", 1, "'split' takes no arguments by name"),
        ("{{ joiner(', ') }}", 1, "Jinja's function 'joiner' is not on the device"),
        ("{{ self.title() }}", 1, "'self' cannot be compiled"),
    ],
)
def test_refused_with_file_and_line(folder: Path, source: str, line: int, problem: str) -> None:
    with pytest.raises(UserError) as refused:
        compiled(folder, source)
    assert f"page.html line {line}: " in str(refused.value)
    assert problem in str(refused.value)


def test_an_error_in_an_included_template_names_that_file(folder: Path) -> None:
    (folder / "_bad.html").write_text("ok\n{{ x|nope }}")
    with pytest.raises(UserError, match=r"_bad\.html line 2"):
        compiled(folder, "{% include '_bad.html' %}")


def test_two_templates_of_one_module_are_refused(folder: Path) -> None:
    (folder / "a-b.html").touch()
    (folder / "a.b.html").touch()
    with pytest.raises(UserError, match=r"a-b\.html.*a\.b\.html.*a_b_html"):
        compile_folder(folder, ["a-b.html", "a.b.html"])


def test_a_part_makes_no_module(folder: Path) -> None:
    assert compile_folder(folder, sorted(FILES)) == {}


def test_not_utf8(folder: Path) -> None:
    (folder / "page.html").write_bytes(b"ok \xff")
    with pytest.raises(UserError, match=r"page\.html: not UTF-8 at byte 3"):
        compile_folder(folder, ["page.html"])
