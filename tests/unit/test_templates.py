# SPDX-License-Identifier: MIT
"""Compiled templates print what Jinja2 prints, and refuse with file and line what they cannot."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import jinja2
import markupsafe
import pytest
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from template_cases import CONTEXT, EXPRESSIONS, FILES, TEMPLATES
from viper.base.errors import UserError
from viper.templates import language
from viper.templates.compiler import compile_folder
from viper.templates.names import module_name

RUNTIME = Path(__file__).parents[2] / "firmware/python/viperhttp/template_runtime.py"


@pytest.fixture(scope="module")
def runtime() -> Iterator[ModuleType]:
    """The device's module, under the name by which compiled templates import it."""
    name = "viperhttp.template_runtime"
    spec = importlib.util.spec_from_file_location(name, RUNTIME)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # In place of the C module; tests/http compares that one with Jinja2 on the device.
    binding = ModuleType("_viperhttp")
    binding.__dict__["escape_html"] = lambda text: str(markupsafe.escape(text))
    sys.modules["_viperhttp"] = binding
    spec.loader.exec_module(module)
    sys.modules["viperhttp"] = ModuleType("viperhttp")
    sys.modules[name] = module
    yield module
    del sys.modules[name], sys.modules["viperhttp"], sys.modules["_viperhttp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in FILES.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    return tmp_path


def compiled(folder: Path, source: str, name: str = "page.html") -> str:
    (folder / name).write_text(source, encoding="utf-8")
    return compile_folder(folder, [name])[module_name(name)]


def rendered(python: str, context: dict[str, object]) -> str:
    space: dict[str, Callable[[dict[str, object]], str]] = {}
    exec(python, space)
    return space["render"](context)


def by_jinja(folder: Path, name: str, context: dict[str, object]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=jinja2.select_autoescape()
    )
    return environment.get_template(name).render(context)


@pytest.mark.parametrize("name", ["page.html", "page.txt"])
@pytest.mark.parametrize("source", [*[f"{{{{ {e} }}}}" for e in EXPRESSIONS], *TEMPLATES])
def test_as_jinja_prints(folder: Path, runtime: ModuleType, source: str, name: str) -> None:
    ours = rendered(compiled(folder, source, name), dict(CONTEXT))
    assert ours == by_jinja(folder, name, dict(CONTEXT))


def test_every_filter_and_test_takes_what_jinjas_takes(runtime: ModuleType) -> None:
    for ours, jinjas in ((language.FILTERS, FILTERS), (language.TESTS, TESTS)):
        for name, function in ours.items():
            theirs = jinjas[name]
            passed = hasattr(inspect.unwrap(theirs), "jinja_pass_arg")
            wanted = list(inspect.signature(theirs).parameters)[passed:]
            given = list(inspect.signature(getattr(runtime, function)).parameters)
            # The value itself is never given by name.
            assert given[1:] == wanted[1:], name


def test_going_into_what_is_undefined_is_an_error(folder: Path, runtime: ModuleType) -> None:
    python = compiled(folder, "{{ missing.name }}")
    with pytest.raises(runtime.UndefinedError, match="name"):
        rendered(python, {})


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
