# SPDX-License-Identifier: MIT
"""Runs modules that templates were compiled to, as they come."""

import viperhttp

app = viperhttp.ViperHTTP()


@app.get("/app")
def name():
    return "templates_app.py"


def printed(python, context):
    """What a compiled template prints, or that it raises."""
    module = {}
    exec(python, module)
    try:
        return {"text": module["render"](context)}
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}


@app.post("/render")
def render():
    asked = viperhttp.current_request().json()
    return [printed(python, asked["context"]) for python in asked["modules"]]


app.start(port=80)
