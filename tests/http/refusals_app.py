# SPDX-License-Identifier: MIT
"""The application that test_refusals.py talks to: one of a single page, with its own errors."""

import os

import viperhttp

app = viperhttp.ViperHTTP()
os.mkdir("/site")
os.mkdir("/site/assets")
os.mkdir("/plain")
for name in ("/site/index.html", "/site/assets/app-C0ffee12.js", "/site/notes.txt", "/plain/a.txt"):
    with open(name, "w") as file:
        file.write(name)


@app.get("/app")
def name():
    return "refusals_app.py"


@app.get("/raises")
def raises():
    raise RuntimeError("unforeseen")


@app.get("/none")
def none():
    raise viperhttp.HTTPException(404, "no reading")


@app.get("/teapot", status_code=201)
def teapot():
    raise viperhttp.HTTPException(418, "short")


@app.get("/notes.txt/only")
def only():
    return "a route below"


@app.post("/site-route")
def post():
    return "posted"


@app.exception_handler(404)
def not_found(request, error):
    return viperhttp.HTMLResponse(f"<h1>no {request.path}: {error.detail}</h1>", 404)


@app.exception_handler(405)
async def not_so(request, error):
    return {"own": 405, "method": request.method}


@app.exception_handler(413)
def too_long(request, error):
    return {"own": 413, "path": request.path}


@app.exception_handler(500)
def broken(request, error):
    return f"own 500: {error}"


@app.exception_handler(viperhttp.HTTPException)
def other(request, error):
    return {"own": error.status_code}


app.mount("/plain", "/plain", cache=60)
app.mount("/", "/site", html=True, fallback="index.html", cache="no-store", immutable="assets/")
app.start(port=80)
