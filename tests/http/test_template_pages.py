# SPDX-License-Identifier: MIT
"""Templates on the device: every case prints there what Jinja2 prints on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import jinja2
import pytest
from served_app import ServedApp, running_app
from template_cases import CONTEXT, EXPRESSIONS, FILES, TEMPLATES
from viper.templates.compiler import compile_folder
from viper.templates.names import module_name


@pytest.fixture(scope="module")
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedApp]:
    with running_app(request, tmp_path_factory.mktemp("templates"), "templates_app.py") as app:
        yield app


def test_as_jinja_prints(app: ServedApp, tmp_path: Path) -> None:
    cases = [*[f"{{{{ {expression} }}}}" for expression in EXPRESSIONS], *TEMPLATES]
    names = [f"case{number}.html" for number in range(len(cases))]
    for name, source in [*FILES.items(), *zip(names, cases, strict=True)]:
        (tmp_path / name).write_text(source, encoding="utf-8")
    modules = compile_folder(tmp_path, names)
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(tmp_path), autoescape=jinja2.select_autoescape()
    )
    different = {}
    with httpx.Client(base_url=app.address) as client:
        for name, source in zip(names, cases, strict=True):
            python = modules[module_name(name)]
            answer = client.post("/render", json={"python": python, "context": CONTEXT})
            expected = jinja.get_template(name).render(CONTEXT)
            if answer.text != expected:
                different[source] = (answer.text, expected)
    assert different == {}
