# SPDX-License-Identifier: MIT
"""The application that test_handlers.py talks to."""

import asyncio
import time

import viperhttp
from viperhttp import Depends, Query, Response, Router, StreamingResponse, current_request

app = viperhttp.ViperHTTP()
seen = []
tasks = []
bell = asyncio.Event()


@app.get("/app")
def name():
    return "handlers_app.py"


@app.get("/seen")
def get_seen():
    return seen


# ---- Generators


def numbers(count):
    try:
        for number in range(count):
            yield f"{number}\n"
    finally:
        seen.append("closed")


@app.get("/yields")
def yields():
    yield "a"
    yield b"b"


@app.get("/yields-later")
async def yields_later():
    await asyncio.sleep_ms(1)
    yield current_request().path.encode()
    await asyncio.sleep_ms(1)
    yield b"!"


@app.get("/returns/{count:int}")
def returns(count):
    return numbers(count)


@app.get("/returns-later/{count:int}")
async def returns_later(count):
    await asyncio.sleep_ms(1)
    return numbers(count)


@app.get("/returns-expression")
def returns_expression():
    return (word for word in ("x", "y"))


@app.get("/returns-coroutine")
def returns_coroutine():
    return returns_later(2)


@app.get("/with-dependency", deps={"count": Depends(lambda: 3)})
def with_dependency(count):
    return numbers(count)


@app.get("/raises-first")
def raises_first():
    raise viperhttp.HTTPException(404, "none")
    yield "never"


@app.get("/yields-nothing")
def yields_nothing():
    yield


@app.get("/yields-nothing-first")
async def yields_nothing_first():
    yield None
    yield None
    await asyncio.sleep_ms(1)
    yield "a"
    yield None
    await asyncio.sleep_ms(1)
    yield None
    yield "b"
    yield None


@app.get("/streams-nothing")
def streams_nothing():
    return StreamingResponse(iter([None, "a", None, "b", None]))


@app.get("/waits-by-yielding")
def waits_by_yielding():
    turns = []
    tasks.append(asyncio.create_task(append_later(turns)))
    while not turns:
        yield
    yield "others had their turn"


async def append_later(turns):
    await asyncio.sleep_ms(20)
    turns.append(1)


@app.get("/yields-int")
def yields_int():
    yield 1


def lends():
    yield "a connection"


@app.get("/dependency-yields", deps={"lent": Depends(lends)})
def dependency_yields(lent):
    return lent


@app.get("/streams-int")
def streams_int():
    return StreamingResponse(1)


class Odd(Exception):
    pass


@app.exception_handler(Odd)
def odd(request, error):
    yield "odd"


@app.get("/odd")
def raise_odd():
    raise Odd


# ---- Tasks


async def note_later(word):
    await asyncio.sleep_ms(1)
    seen.append(word)


async def answer_bell():
    await bell.wait()
    seen.append("bell")


async def wait_long():
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        seen.append("cancelled")


@app.get("/make-task")
def make_task():
    tasks.append(asyncio.create_task(note_later("made")))
    return "made"


@app.get("/make-waiting-tasks")
def make_waiting_tasks():
    tasks.append(asyncio.create_task(answer_bell()))
    tasks.append(asyncio.create_task(wait_long()))
    return "made"


@app.get("/ring")
def ring():
    bell.set()
    return "rung"


@app.get("/cancel")
def cancel():
    return tasks[-1].cancel()


# ---- What requests hold


@app.get("/header")
def header():
    return current_request().headers.get("x-a", "none")


@app.get("/cookies")
def cookies():
    return current_request().cookies


@app.get("/query")
def query():
    return len(current_request().query)


@app.post("/form")
def form():
    return len(current_request().form())


@app.post("/json")
def json():
    return current_request().json()


@app.get("/named", query={"a_name_of_many_letters": Query(type=int)})
def named(a_name_of_many_letters):
    return a_name_of_many_letters


# ---- What responses hold


@app.post("/cookie")
def cookie():
    response = Response("x")
    response.set_cookie(**current_request().json())
    return response


@app.post("/field/{way}")
def field(way):
    value = current_request().json()
    if way == "value":
        return Response("x", headers={"X-A": value})
    if way == "list":
        return Response("x", headers={"X-A": ["b", value]})
    if way == "name":
        return Response("x", headers={value: "b"})
    if way == "type":
        return Response("x", media_type=value)
    if way == "redirect":
        return viperhttp.RedirectResponse(value)
    if way == "error":
        raise viperhttp.HTTPException(403, "no", {"X-A": value})
    if way == "stream":
        return StreamingResponse(iter(["x"]), headers={"X-A": value})
    if way == "file":
        return viperhttp.FileResponse("/www/index.html", filename=value)
    raise viperhttp.HTTPException(404)


# ---- Definitions


class Callable:
    def __call__(self, x):
        return x

    def method(self, x):
        return x


def nothing():
    return 1


def within(y):
    def handler(x):
        return [x, y]

    return handler


DEFINITIONS = {
    "path and query of one name": lambda app: app.get("/{x}", query={"x": Query()})(lambda x: x),
    "path and dependency of one name": lambda app: app.get("/{x}", deps={"x": Depends(nothing)})(
        lambda x: x
    ),
    "twice in the path": lambda app: app.get("/{x}/{x}")(lambda x: x),
    "a parameter that the handler lacks": lambda app: app.get("/{x}")(lambda: 1),
    "a query parameter that it lacks": lambda app: app.get("/a", query={"x": Query()})(lambda: 1),
    "a dependency that it lacks": lambda app: app.get("/a", deps={"x": Depends(nothing)})(nothing),
    "a parameter that nothing gives": lambda app: app.get("/a")(lambda x: x),
    "one by name alone": lambda app: app.get("/a")(only_by_name),
    "a method without it": lambda app: app.get("/a")(Callable().method),
    "a closure without it": lambda app: app.get("/a/{y}")(within(1)),
    "no handler": lambda app: app.get("/a")("handler"),
    "no Query": lambda app: app.get("/a", query={"x": int})(lambda x: x),
    "query is a list": lambda app: app.get("/a", query=["x"])(lambda x: x),
    "a name that JSON cannot hold": lambda app: app.get("/a", query={'a"b': Query()})(
        lambda **all: all
    ),
    "the type as default": lambda app: Query(int),
    "a default of another type": lambda app: Query("x", int),
    "no such type": lambda app: Query(type=list),
    "no such method": lambda app: app.route("/a", ["FETCH"])(nothing),
    "a router's method": lambda app: Router().route("/a", ["FETCH"])(nothing),
    "no method": lambda app: app.route("/a", [])(nothing),
    "no dependency": lambda app: Depends(1),
    "no dependency in a list": lambda app: app.get("/a", deps=[1])(nothing),
    "a dependency that wants something": lambda app: Depends(lambda x: x),
    "a router's parameter": lambda app: app.include_router(router_of_nothing(), prefix="/{x}"),
    "a decorator without its path": lambda app: app.get(nothing),
    "a path that is bytes": lambda app: app.get(b"/a"),
    "dots, which are resolved": lambda app: app.get("/a/../b")(nothing),
    "a dot": lambda app: app.get("/./a")(nothing),
    "a control character": lambda app: app.get("/a\n")(nothing),
    "a backslash": lambda app: app.get("/a\\b")(nothing),
    "a mount with dots": lambda app: app.mount("/a/../b", "/www"),
    "a mount with two slashes": lambda app: app.mount("/a//b", "/www"),
    "a mount with a control character": lambda app: app.mount("/a\x7f", "/www"),
    "a status": lambda app: app.exception_handler(404)(lambda request, error: 1),
    "no exception": lambda app: app.exception_handler(int)(lambda request, error: 1),
    "an exception handler of one argument": lambda app: app.exception_handler(Odd)(lambda x: x),
    "middleware of one argument": lambda app: app.middleware("http")(lambda request: 1),
    "middleware of another kind": lambda app: app.middleware("websocket"),
    "middleware that is none": lambda app: app.middleware("http")(1),
    "no event": lambda app: app.on_event("start"),
    "an event's function that wants something": lambda app: app.on_event("startup")(lambda x: x),
}
ACCEPTED = {
    "any": lambda app: app.get("/{x}", query={"y-z": Query()})(lambda **all: all),
    "a mark that can be escaped": lambda app: app.get("/a?b#c d")(nothing),
    "many dots": lambda app: app.get("/...")(nothing),
    "letters beyond ASCII": lambda app: app.get("/é")(nothing),
    "mounts": lambda app: [app.mount(path, "/www") for path in ("/", "/a/", "/b c/é", "/b c")],
    "a default": lambda app: app.get("/a")(lambda x=1: x),
    "a method": lambda app: app.get("/b/{x}")(Callable().method),
    "an object": lambda app: app.get("/c/{x}")(Callable()),
    "a closure": lambda app: app.get("/d/{x}")(within(1)),
    "a class": lambda app: app.get("/e")(dict),
    "a builtin": lambda app: app.get("/f", deps={"k": time.ticks_ms})(lambda k: k),
    "a whole default of a float": lambda app: Query(1, float),
    "no default": lambda app: Query(None, int),
}


def only_by_name(*, x):
    return x


def router_of_nothing():
    router = Router()
    router.get("/a")(nothing)
    return router


def outcome_of(definition):
    try:
        definition(viperhttp.ViperHTTP())
        return "accepted"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@app.get("/definitions")
def definitions():
    return {what: outcome_of(definition) for what, definition in DEFINITIONS.items()}


@app.get("/accepted")
def accepted():
    return {what: outcome_of(definition) for what, definition in ACCEPTED.items()}


@app.get("/while-running")
def while_running():
    return [
        outcome_of(lambda _: app.middleware("http")(lambda request, call_next: 1)),
        outcome_of(lambda _: app.exception_handler(Odd)(odd)),
        outcome_of(lambda _: app.on_event("startup")(nothing)),
    ]


tasks.append(asyncio.create_task(note_later("before the start")))
app.mount("/", "/www", html=True)
app.start(port=80)
