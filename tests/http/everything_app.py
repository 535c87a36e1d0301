# SPDX-License-Identifier: MIT
"""The application that test_everything.py talks to: middleware before all that is served."""

import os

import viperhttp

FOLDER = "/served"
BIG = 300_000  # bytes: more than the cache takes

app = viperhttp.ViperHTTP()


def write(name, content):
    with open(FOLDER + name, "wb") as file:
        file.write(content)


for folder in (FOLDER, FOLDER + "/sub"):
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there
write("/a.txt", b"0123456789")
write("/big.bin", bytes(range(250)) * (BIG // 250))
write("/index.html", b"<p>index</p>")
write("/sub/index.html", b"<p>sub</p>")


@app.get("/app")
def name():
    return "everything_app.py"


@app.middleware("http")
async def only_around_handlers(request, call_next):
    response = await call_next(request)
    response.headers["X-Handler"] = "yes"
    return response


@app.middleware("http", everything=True)
async def add_fields(request, call_next):
    response = await call_next(request)
    response.headers["X-Status"] = str(response.status_code)
    if "x-add" in request.headers:
        name, _, value = request.headers["x-add"].partition("=")
        response.headers[name] = value.split("|") if "|" in value else value
    if response.status_code == 404 and request.path.endswith("/pretty"):
        return viperhttp.HTMLResponse("<p>no such page</p>", 404)
    return response


@app.middleware("http", everything=True)
async def check(request, call_next):
    if request.path == "/app" or request.headers.get("authorization") == "Bearer good":
        return await call_next(request)
    if request.headers.get("authorization") == "Bearer raises":
        raise ValueError(request.path)
    return viperhttp.JSONResponse({"detail": "who are you?"}, 401)


@app.post("/site/only-post")
@app.post("/only-post")
def only_post():
    return len(viperhttp.current_request().body())


@app.post("/site/a.txt")
def post_a():
    return "posted"


@app.post("/big/{byte:int}")
def write_big(byte):
    write("/changing.bin", bytes([byte]) * BIG)


app.mount("/site", FOLDER, html=True)
app.mount("/plain", FOLDER)
app.mount_file("/one", FOLDER + "/a.txt")
app.mount_health("/health")
app.mount_metrics("/metrics")
app.start(port=80)
