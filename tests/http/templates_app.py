# SPDX-License-Identifier: MIT
"""Runs modules that templates were compiled to, as they come."""

import viperhttp

app = viperhttp.ViperHTTP()


@app.get("/app")
def name():
    return "templates_app.py"


@app.post("/render")
def render():
    asked = viperhttp.current_request().json()
    module = {}
    exec(asked["python"], module)
    return viperhttp.Response(module["render"](asked["context"]), media_type="text/plain")


app.start(port=80)
