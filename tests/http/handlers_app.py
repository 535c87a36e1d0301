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


@app.get("/request/{name}")
def with_request(request, name):
    return [request.path, name, request is current_request(), request.args]


@app.get("/request-later")
async def with_request_later(request):
    await asyncio.sleep_ms(1)
    yield request.path


@app.get("/request-method")
def whole_request(request):
    return {"url": request.url, "client": list(request.client), "port": request.client.port}


@app.get("/request-named/{request}")
def called_request(request):
    return request


@app.get("/who", deps={"agent": Depends(lambda request: request.headers.get("user-agent"))})
def who(request, agent):
    return agent == request.headers["user-agent"]


@app.post("/signed")
def sign(request):
    response = Response("x")
    response.set_signed_cookie("user", request.json(), "a key", httponly=True)
    return response


@app.get("/signed/{name}", query={"key": Query("a key")})
def signed(request, name, key):
    return request.signed_cookie(name, key)


@app.get("/forget")
def forget():
    response = Response("x")
    response.delete_cookie("user", path="/a")
    return response


@app.get("/count")
def count(request):
    app.state.count = app.state.get("count", 0) + 1
    request.state.own = "count" in request.state
    return [app.state["count"], request.state.own]


# ---- Statuses


@app.post("/made", status_code=201)
def made():
    return {"made": True}


@app.post("/made-later", status_code=201)
async def made_later():
    await asyncio.sleep_ms(1)
    return "made"


@app.post("/made-stream", status_code=202)
def made_stream():
    yield "made"


@app.post("/made-otherwise", status_code=201)
def made_otherwise():
    return Response("there", 200)


@app.delete("/made", status_code=204)
def unmade():
    pass


@app.get("/pair/{way}")
async def pair(way):
    if way == "later":
        await asyncio.sleep_ms(1)
    return {
        "later": ("none", 404),
        "json": ({"a": 1}, 418),
        "fields": ("x", 202, {"X-A": "b"}),
        "nothing": (None, 204),
        "response": (viperhttp.HTMLResponse("<p>"), 202, {"X-A": "b"}),
        "one": ("x",),
        "two": ("x", "y"),
        "four": ("x", 200, {}, 1),
        "status": ("x", 299),
    }[way]


@app.get("/pair-now")
def pair_now():
    return b"x", 203


class Item:
    def __init__(self):
        self.value = 1

    def get(self, number):
        return [number, self.value]

    async def put(self, request, number):
        self.value = request.json()
        return self.value, 202


app.route("/item/{number:int}")(Item)


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


class Requested:
    def method(self, request):
        return 1


def nothing():
    return 1


def within(y):
    def handler(x):
        return [x, y]

    return handler


def two_status_handlers(app):
    app.exception_handler(404)(odd)
    app.exception_handler(404)(odd)


def two_exception_handlers(kind):
    def define(app):
        app.exception_handler(Exception)(odd)
        app.exception_handler(kind)(odd)

    return define


DEFINITIONS = {
    "no parentheses": lambda app: app.get(nothing),
    "no path": lambda app: app.get(1)(nothing),
    "another name for the request": lambda app: app.get("/a")(lambda req: 1),
    "the request behind another": lambda app: app.get("/{x}")(lambda x, request: 1),
    "the request by name alone": lambda app: app.get("/a")(request_by_name_alone),
    "a dependency of request and more": lambda app: Depends(lambda request, x: x),
    "a class for one method": lambda app: app.get("/a")(Item),
    "a class without methods": lambda app: app.route("/a")(Callable),
    "a class that lacks a parameter": lambda app: app.route("/{x}/{number}")(Item),
    "a status that there is not": lambda app: app.get("/a", status_code=99)(nothing),
    "a status in words": lambda app: app.get("/a", status_code="201")(nothing),
    "a router's status": lambda app: Router().get("/a", status_code=99)(nothing),
    "no router": lambda app: app.include_router(nothing),
    "a handler of an exception twice": two_exception_handlers(Exception),
    "a handler of an exception that another takes": two_exception_handlers(Odd),
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
    "a status of no error": lambda app: app.exception_handler(200)(lambda request, error: 1),
    "a status in words to answer": lambda app: app.exception_handler("404"),
    "a handler of a status twice": two_status_handlers,
    "a cache of less than nothing": lambda app: app.mount("/a", "/b", cache=-1),
    "a cache of two lines": lambda app: app.mount("/a", "/b", cache="no-store\r\nX-A: b"),
    "a fallback above the folder": lambda app: app.mount("/a", "/b", fallback="../c"),
    "a decorator without its path": lambda app: app.get(nothing),
    "a path that is bytes": lambda app: app.get(b"/a"),
    "dots, which are resolved": lambda app: app.get("/a/../b")(nothing),
    "a dot": lambda app: app.get("/./a")(nothing),
    "a control character": lambda app: app.get("/a\n")(nothing),
    "a backslash": lambda app: app.get("/a\\b")(nothing),
    "a mount with dots": lambda app: app.mount("/a/../b", "/www"),
    "a mount with two slashes": lambda app: app.mount("/a//b", "/www"),
    "a mount with a control character": lambda app: app.mount("/a\x7f", "/www"),
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
    "a status": lambda app: app.exception_handler(404)(lambda request, error: 1),
    "the request": lambda app: app.get("/g")(lambda request: 1),
    "the request and a parameter": lambda app: app.get("/h/{x}")(lambda request, x: 1),
    "the request of a method": lambda app: app.get("/i")(Requested().method),
    "no default": lambda app: Query(None, int),
}


def only_by_name(*, x):
    return x


def request_by_name_alone(*, request):
    return request


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
