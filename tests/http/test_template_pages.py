# SPDX-License-Identifier: MIT
"""Templates on the device: every case prints there what Jinja2 prints on this computer.

Where Jinja2 raises, the device raises; what the build refuses is not asked.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import httpx
import jinja2
import pytest
import template_cases
import template_grid
from served_app import ServedApp, running_app
from viper.base.errors import UserError
from viper.templates.compiler import compile_folder
from viper.templates.names import module_name

BATCH = 16  # templates in one request, which is shorter than VHTTP_REQUEST_BODY_MAX
EVERY = 9  # of the grid's expressions the suite takes one in so many
# MicroPython names an object in other words, and says where it lies.
OBJECT = re.compile(r"&lt;.* at 0x[0-9a-f]+&gt;|&lt;class ")


@pytest.fixture(scope="module")
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedApp]:
    with running_app(request, tmp_path_factory.mktemp("templates"), "templates_app.py") as app:
        yield app


class Comparison:
    """Prints templates by Jinja2 here and as compiled there."""

    def __init__(self, app: ServedApp, folder: Path, context: Mapping[str, object]) -> None:
        self._client = httpx.Client(base_url=app.address, timeout=60)
        self._folder = folder
        self._context = context
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder), autoescape=jinja2.select_autoescape()
        )

    def differences(self, sources: Sequence[str]) -> dict[str, tuple[object, object]]:
        """By template, what the device made of it, and what it should have."""
        different: dict[str, tuple[object, object]] = {}
        with self._client:
            numbered = iter(enumerate(sources))
            while batch := list(itertools.islice(numbered, BATCH)):
                known = [(source, name) for source, name in map(self._written, batch) if name]
                modules = [self._module(name) for _, name in known]
                asked = {"modules": modules, "context": self._context}
                answers = self._client.post("/render", json=asked).raise_for_status().json()
                for (source, name), answer in zip(known, answers, strict=True):
                    expected = self._expected(name)
                    if expected is None:
                        if "raised" not in answer:
                            different[source] = (answer, "raises")
                    elif answer.get("text") != expected and not OBJECT.search(expected):
                        different[source] = (answer, expected)
        return different

    def _written(self, numbered: tuple[int, str]) -> tuple[str, str]:
        """The template and its name, "" if the build refuses it."""
        name = f"case{numbered[0]}.html"
        (self._folder / name).write_text(numbered[1], encoding="utf-8", newline="")
        try:
            self._module(name)
        except UserError:
            return numbered[1], ""
        return numbered[1], name

    def _module(self, name: str) -> str:
        return compile_folder(self._folder, [name])[module_name(name)]

    def _expected(self, name: str) -> str | None:
        try:
            return self._jinja.get_template(name).render(deepcopy(dict(self._context)))
        except Exception:
            return None


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, source in files.items():
        (folder / name).write_text(source, encoding="utf-8")


def test_as_jinja_prints(app: ServedApp, tmp_path: Path) -> None:
    write(tmp_path, template_cases.FILES)
    cases = [*[f"{{{{ {e} }}}}" for e in template_cases.EXPRESSIONS], *template_cases.TEMPLATES]
    assert Comparison(app, tmp_path, template_cases.CONTEXT).differences(cases) == {}


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of what Jinja2 makes of the wilder ones
@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.long)])
def test_everything_with_everything(app: ServedApp, tmp_path: Path, every: int) -> None:
    cases = [f"{{{{ {expression} }}}}" for expression in template_grid.EXPRESSIONS[::every]]
    assert Comparison(app, tmp_path, template_grid.CONTEXT).differences(cases) == {}


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 250), pytest.param(2, 3000, marks=pytest.mark.long)]
)
def test_who_sees_which_name(app: ServedApp, tmp_path: Path, seed: int, count: int) -> None:
    write(tmp_path, template_grid.PARTS_OF_TEMPLATES)
    cases = template_grid.templates(seed, count)
    assert Comparison(app, tmp_path, template_grid.NAMES).differences(cases) == {}


def test_text_is_escaped_by_the_name_of_the_template(app: ServedApp, tmp_path: Path) -> None:
    write(tmp_path, {"page.txt": "{{ markup }} {{ markup ~ ratio }}"})
    module = compile_folder(tmp_path, ["page.txt"])["page_txt"]
    asked = {"modules": [module], "context": template_cases.CONTEXT}
    answer = httpx.post(f"{app.address}/render", json=asked, timeout=60).json()
    assert answer == [{"text": "<b>bold</b> <b>bold</b>2.5"}]
