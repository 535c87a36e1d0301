# SPDX-License-Identifier: MIT
"""The application that test_routes.py talks to: main.py of the board it is flashed to."""

import asyncio
import time

import viperhttp
from viperhttp import Depends, HTTPException, Query, Router, current_request

app = viperhttp.ViperHTTP(title="routes", version="1")
seen = []


@app.get("/app")
def name():
    return "routes_app.py"


@app.get("/json")
def json():
    return {"a": 1, "b": [1.5, None, True, 'x\n"\u00e4\x01'], "c": {}, "d": (), "e": 1 << 80}


@app.get("/big/{count:int}")
def big(count):
    return ["x" * 100] * count


@app.get("/text")
def text():
    return "h\u00e4llo"


@app.get("/bytes/{count:int}")
def octets(count):
    return b"y" * count


@app.get("/null")
def null():
    return None


@app.get("/values/{i:int}/{f:float}/{b:bool}/{s}/{p:path}")
def values(i, f, b, s, p):
    return [i, f, b, s, p]


QUERY = {"q": Query("none"), "n": Query(type=int), "x": Query(0.5, float), "b": Query(False, bool)}


@app.get("/query", query=QUERY)
def query(q, n, x, b):
    return [q, n, x, b]


@app.get("/slow")
async def slow():
    await asyncio.sleep(1)
    return current_request().path


@app.get("/busy/{ms:int}")
def busy(ms):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        pass
    return ms


@app.get("/raises")
def raises():
    return 1 // 0


@app.get("/raises-later")
async def raises_later():
    await asyncio.sleep_ms(1)
    raise HTTPException(403, {"why": "no"}, {"X-Why": "no"})


class Odd(Exception):
    pass


@app.exception_handler(Odd)
def odd(request, error):
    return viperhttp.JSONResponse({"odd": str(error), "at": request.path}, 409)


@app.get("/odd")
def raise_odd():
    raise Odd("indeed")


@app.get("/unsendable")
def unsendable():
    return object()


@app.get("/unsendable-inside")
def unsendable_inside():
    return {"a": {1, 2}}


@app.get("/endless-inside")
def endless_inside():
    value = []
    value.append(value)
    return value


@app.get("/response")
def response():
    answer = viperhttp.Response("made", 201, {"X-A": "b"}, "text/x-made")
    answer.set_cookie("a", "1", max_age=5)
    answer.set_cookie("b", "2")
    return answer


@app.get("/split")
def split():
    return viperhttp.Response("x", headers={"X-A": "b\r\nX-Evil: 1"})


@app.get("/html")
def html():
    return viperhttp.HTMLResponse("<p>")


@app.get("/redirect")
def redirect():
    return viperhttp.RedirectResponse("/json")


@app.get("/no-content")
def no_content():
    return viperhttp.Response(status_code=204)


@app.route("/file", ["GET", "POST"])
def file():
    return viperhttp.FileResponse("/www/index.html", filename="a.html")


FILES = {
    "typed": {"media_type": "text/x-odd", "headers": {"Cache-Control": "max-age=60", "X-A": "b"}},
    "sorry": {"status_code": 404},
}


@app.get("/files/{name}")
def files(name):
    return viperhttp.FileResponse("/www/index.html", **FILES[name])


@app.get("/file-at/{path:path}")
def file_at(path):
    try:
        return viperhttp.FileResponse("/" + path)
    except OSError as error:
        raise HTTPException(404, error.errno) from None


async def count_slowly(count):
    for i in range(count):
        yield f"data: {i}\n\n"
        await asyncio.sleep_ms(50)


@app.get("/events/{count:int}")
def events(count):
    return viperhttp.StreamingResponse(count_slowly(count), media_type="text/event-stream")


@app.get("/flood/{count:int}")
def flood(count):
    return viperhttp.StreamingResponse(b"z" * 1000 for _ in range(count))


@app.get("/breaks")
def breaks():
    def pieces():
        yield "one"
        raise ValueError("broken")

    return viperhttp.StreamingResponse(pieces())


@app.get("/request")
def request():
    r = current_request()
    return {
        "method": r.method,
        "path": r.path,
        "query": r.query,
        "cookies": r.cookies,
        "a": r.headers.get("X-A"),
        "has": "x-a" in r.headers,
    }


@app.route("/echo", ["POST", "PUT", "PATCH", "DELETE"])
def echo():
    return current_request().body()


@app.post("/json")
def post_json():
    return current_request().json()


@app.post("/form")
async def form():
    return current_request().form()


def user():
    name = current_request().headers.get("X-User")
    if name is None:
        raise HTTPException(401, "who?")
    return name


async def database():
    await asyncio.sleep_ms(1)
    return "db"


router = Router("/inner", deps=[Depends(user)])


@router.get("/who/{id:int}", deps={"name": Depends(user), "db": Depends(database)})
def who(id, name, db):
    return [id, name, db]


app.include_router(router, prefix="/outer")


@app.get("/other-thread")
async def other_thread():
    import _thread

    raised = []

    def use():
        for action in (app.stop, viperhttp.server_stats, lambda: app.mount("/x", "/x")):
            try:
                action()
            except RuntimeError:
                raised.append(True)

    _thread.start_new_thread(use, ())
    while len(raised) < 3:
        await asyncio.sleep_ms(5)
    return raised


@app.get("/figures")
def figures():
    return [viperhttp.server_stats(), viperhttp.ipc_stats(), viperhttp.memory_stats()]


@app.get("/while-running")
def while_running():
    app.get("/more")(figures)


@app.on_event("startup")
def on_startup():
    seen.append("startup")


@app.get("/seen")
def get_seen():
    return seen


app.mount("/", "/www", html=True)
app.mount_health()
app.mount_metrics()
app.start(port=80)
