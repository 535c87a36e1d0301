# SPDX-License-Identifier: MIT
"""What an application defines that cannot work, as a person is told before it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import ROOT
from viper.application import definition_check
from viper.application.definition_check import Limits
from viper.base.errors import UserError
from viper.source import module_settings

HEAD = """\
import viperhttp
from viperhttp import Query, Depends, Router
app = viperhttp.ViperHTTP()
router = Router("/api")
"""
LIMITS = Limits.of(module_settings.effective(module_settings.load(ROOT / module_settings.LIST), {}))
NOTHING = "def f():\n    pass\n"
MOUNTS = "".join(f'app.mount("/{n}", "/www")\n' for n in range(LIMITS.mounts + 1))

# The line within the text, and parts of what is said of it.
REFUSED = {
    '@app.get("/{x}")\n' + NOTHING: (2, "f: the handler has no parameter 'x'"),
    '@router.get("/{x}")\n' + NOTHING: (2, "f: the handler has no parameter 'x'"),
    '@app.get("/", query={"q": Query()})\n' + NOTHING: (2, "f: the handler has no parameter 'q'"),
    '@app.get("/", deps={"d": Depends(f)})\n' + NOTHING: (2, "no parameter 'd'"),
    '@app.get("/")\ndef f(req):\n    pass\n': (2, "f: nothing gives the handler its 'req'"),
    '@app.get("/{x}")\nasync def f(x, request):\n    pass\n': (2, "its 'request'"),
    '@app.get("/")\ndef f(*, request):\n    pass\n': (2, "its 'request'"),
    '@app.get("/{x}/{x}")\ndef f(x):\n    pass\n': (1, "f: two parameters have the name 'x'"),
    '@app.get("/{x}", query={"x": Query()})\ndef f(x):\n    pass\n': (1, "two parameters"),
    '@app.get("/", query={"q": int})\ndef f(q):\n    pass\n': (1, "'q' is to be a Query: Query("),
    '@app.get("/", query={"q": 1})\ndef f(q):\n    pass\n': (1, "'q' is to be a Query: Query(1)"),
    '@app.get("/", query=["q"])\ndef f(q):\n    pass\n': (1, "query is a dict"),
    "q = Query(int)\n": (1, "Query(type=int)"),
    'q = Query("x", int)\n': (1, "the default of a query parameter is of its type, int"),
    "q = Query(type=list)\n": (1, "a query parameter is str, int, float or bool"),
    "@app.get\n" + NOTHING: (1, 'f: a route has a path: @….get("/")'),
    '@app.get("x")\n' + NOTHING: (1, "f: 'x': a path starts with /"),
    '@app.get("/a{x}")\ndef f(x):\n    pass\n': (1, "a part is a name, or a whole {name:type}"),
    '@app.get("/{x:integer}")\ndef f(x):\n    pass\n': (1, "'x' is of a type str, int"),
    '@app.get("/{x:path}/a")\ndef f(x):\n    pass\n': (1, "or path in the end"),
    '@app.get("/a//b")\n' + NOTHING: (1, "a part is empty"),
    f'@app.get("{"/a" * (LIMITS.parts + 1)}")\n' + NOTHING: (1, "VHTTP_ROUTE_SEGMENTS_MAX"),
    '@app.route("/", ["FETCH"])\n' + NOTHING: (1, "f: no such method: FETCH"),
    '@app.route("/", methods=[])\n' + NOTHING: (1, "f: no such method: none"),
    '@app.get("/a")\ndef f():\n    pass\n\n@app.get("/a")\ndef g():\n    pass\n': (
        5,
        "g: GET /a has a handler already, in line 5",
    ),
    '@app.get("/{a}")\ndef f(a):\n    pass\n\n@app.get("/{b:str}")\ndef g(b):\n    pass\n': (
        5,
        "g: GET /{b:str} has a handler already",
    ),
    '@app.get("/c")\nclass C:\n    pass\n': (1, "C is a class: of handlers it is one for route()"),
    '@app.route("/{x}")\nclass C:\n    def get(self):\n        pass\n': (
        3,
        "C: the handler has no",
    ),
    '@app.route("/")\nclass C:\n    def get(self, x):\n        pass\n': (3, "its 'x'"),
    'app.mount("x", "/www")\n': (1, "'x': a mount's path starts with /"),
    'app.mount("/a", "/www")\napp.mount_file("/a/", "/b")\n': (2, "'/a' is mounted already"),
    'app.mount_health()\napp.mount("/health", "/b")\n': (2, "'/health' is mounted already"),
    MOUNTS: (LIMITS.mounts + 1, "VHTTP_MAX_MOUNTS"),
    '@app.middleware("websocket")\nasync def f(request, call_next):\n    pass\n': (1, '"http"'),
    '@app.middleware("http")\nasync def f(request):\n    pass\n': (2, "f is called with 2"),
    "@app.exception_handler(ValueError)\ndef f(error):\n    pass\n": (2, "f is called with 2"),
    "@app.exception_handler(200)\ndef f(request, error):\n    pass\n": (1, "from 400 to 599"),
    '@app.exception_handler("404")\ndef f(request, error):\n    pass\n': (1, "from 400 to 599"),
    '@app.on_event("start")\n' + NOTHING: (1, '"startup" or "shutdown"'),
    '@app.on_event("startup")\ndef f(app):\n    pass\n': (2, "f is called with 0"),
}
ACCEPTED = [
    '@app.get("/{x}")\ndef f(**all):\n    pass\n',
    '@app.get("/{x:int}/b")\ndef f(x, y=1):\n    pass\n',
    '@app.get("/")\ndef f(request):\n    pass\n',
    '@app.get("/{x}")\ndef f(request, x):\n    pass\n',
    '@app.get("/{request}")\ndef f(request):\n    pass\n',
    '@app.get("/")\n@computed\ndef f(what):\n    pass\n',
    '@app.get("/", query=QUERY)\ndef f(what):\n    pass\n',
    '@app.get("/", query={**QUERY})\ndef f(what):\n    pass\n',
    '@app.get("/", **OPTIONS)\ndef f(what):\n    pass\n',
    "@app.get(PATH)\ndef f(what):\n    pass\n",
    '@router.get("/")\ndef f(device):\n    pass\n',
    '@app.get("/a")\ndef f():\n    pass\n\n@app.post("/a")\ndef g():\n    pass\n',
    '@app.get("/a")\ndef f():\n    pass\n\n@router.get("/a")\ndef g():\n    pass\n',
    '@app.get("/{a:int}")\ndef f(a):\n    pass\n\n@app.get("/{a}")\ndef g(a):\n    pass\n',
    'if DEBUG:\n    app.mount("/a", "/b")\nelse:\n    app.mount("/a", "/c")\n',
    '@app.route("/")\nclass C:\n    def get(self, request):\n        pass\n',
    'cache.get("x")\nclient = Client()\n\n@client.get("x")\ndef f(y):\n    pass\n',
    "q = Query(1, float)\nr = Query(None, int)\ns = Query(..., int)\n",
    "app = make(app)\n\n@app.get\ndef f(x):\n    pass\n",
    "@app.exception_handler(404)\ndef f(request, error):\n    pass\n",
    "@app.exception_handler(OSError)\ndef f(request, error, *rest):\n    pass\n",
    'make = lambda: app.get("x", query={"q": int})\n',
    'try:\n    app.mount("x", "/www")\nexcept ValueError:\n    pass\n',
    "def f(:\n",  # which python_check has refused by then
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_work_is_refused_where_it_stands(text: str, tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(HEAD + text)
    with pytest.raises(UserError) as raised:
        definition_check.check([source], LIMITS)
    line, problem = REFUSED[text]
    number = line + HEAD.count("\n")
    assert raised.value.what.startswith(f"{source} line {number}: ")
    said = problem.replace("in line 5", f"in line {1 + HEAD.count(chr(10))}")
    assert said in raised.value.what


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_can_work_or_is_computed_is_not(text: str, tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(HEAD + text)
    definition_check.check([source], LIMITS)


def test_the_demo_and_the_applications_of_the_tests_can_work() -> None:
    sources = [*(ROOT / "firmware").rglob("*.py"), *(ROOT / "tests/http").glob("*_app.py")]
    definition_check.check(sources, LIMITS)


def test_a_board_has_limits_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(HEAD + 'app.mount("/a", "/b")\napp.mount("/c", "/d")\n')
    definition_check.check([source], LIMITS)
    with pytest.raises(UserError, match="no more than 1 mounts"):
        definition_check.check([source], Limits(8, 8, mounts=1, path=64))
