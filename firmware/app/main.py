# SPDX-License-Identifier: MIT
"""The demo: the dashboard in /www with its figures, a page of a template, updates by network."""

import perf_routes
import viperhttp
from viperhttp import ota, sync_routes, wifi

app = viperhttp.ViperHTTP()


@app.get("/status")
def status():
    version = viperhttp.version()
    groups = (
        ("Server", viperhttp.server_stats()),
        ("Rings", viperhttp.ipc_stats()),
        ("Memory", viperhttp.memory_stats()),
    )
    return viperhttp.TemplateResponse(
        "status.html", {"version": version.version, "build": version.build_id, "groups": groups}
    )


app.mount("/", "/www", html=True)
app.mount_health("/health")
app.mount_metrics("/metrics")
app.include_router(ota.router())
app.include_router(sync_routes.router())
app.include_router(perf_routes.router)
wifi.start()
app.start(port=80)
print("ViperHTTP", viperhttp.__version__, "at", app.url)
