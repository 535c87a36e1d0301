# SPDX-License-Identifier: MIT
"""ViperHTTP: an HTTP server in C on one core, beside Python on the other.

import viperhttp

app = viperhttp.ViperHTTP()
app.mount("/", "/www", html=True)

@app.get("/hello/{name}")
def hello(name):
    return {"hello": name}

app.start(port=80)
"""

from _viperhttp import config, invalidate, ipc_stats, server_stats, version

from viperhttp.application import ViperHTTP
from viperhttp.compression import gzip_static
from viperhttp.errors import HTTPException
from viperhttp.memory import memory_stats
from viperhttp.request import Request, current_request
from viperhttp.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    ServedResponse,
    StreamingResponse,
)
from viperhttp.routing import Depends, Query, Router
from viperhttp.templates import TemplateResponse, render

__version__ = version().version
