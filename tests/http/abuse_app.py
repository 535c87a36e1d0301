# SPDX-License-Identifier: MIT
"""The application that test_abuse.py hurts."""

import gc

import viperhttp

app = viperhttp.ViperHTTP()


@app.get("/app")
def name():
    return "abuse_app.py"


@app.get("/heap")
def heap():
    gc.collect()
    return gc.mem_alloc()


@app.post("/echo")
def echo():
    return viperhttp.current_request().body()


@app.get("/flood")
def flood():
    return viperhttp.StreamingResponse(b"z" * 1000 for _ in range(1000))


@app.get("/never")
def never():
    while True:
        pass


app.mount("/", "/www", html=True)
app.mount_health()
app.mount_metrics()
app.start(port=80)
