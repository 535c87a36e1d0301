# SPDX-License-Identifier: MIT
"""The application that test_middleware.py talks to; its program is an asyncio loop."""

import asyncio

import viperhttp

app = viperhttp.ViperHTTP()
ticks = 0


@app.get("/app")
def name():
    return "middleware_app.py"


@app.middleware("http")
async def inner(request, call_next):
    response = await call_next(request)
    response.headers["X-Inner"] = str(response.status_code)
    return response


@app.middleware("http")
async def outer(request, call_next):
    if request.path == "/denied":
        return viperhttp.JSONResponse({"denied": True}, 403)
    response = await call_next(request)
    response.headers["X-Outer"] = response.headers["X-Inner"]
    return response


@app.get("/value/{x:int}")
def value(x):
    return {"x": x}


@app.get("/later")
async def later():
    await asyncio.sleep_ms(20)
    return viperhttp.current_request().path


@app.get("/denied")
def denied():
    raise RuntimeError("not reached")


@app.get("/raises")
def raises():
    raise KeyError("x")


@app.get("/stream")
def stream():
    return viperhttp.StreamingResponse(iter(["a", "b"]))


@app.get("/ticks")
def get_ticks():
    return ticks


app.mount("/", "/www", html=True)


async def main():
    global ticks
    app.start(port=80)
    print("at", app.url)
    while True:
        await asyncio.sleep_ms(50)
        ticks += 1


asyncio.run(main())
