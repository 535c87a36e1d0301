# SPDX-License-Identifier: MIT
"""What runs on the device: pages of /www, one page of a template, and JSON."""

import time

import viperhttp
from viperhttp import ota, sync_routes, wifi

app = viperhttp.ViperHTTP()


@app.get("/api/uptime")
def uptime():
    return {"seconds": time.ticks_ms() // 1000}


@app.get("/about")
def about():
    version = viperhttp.version()
    return viperhttp.TemplateResponse("about.html", {"version": version})


app.mount("/", "/www", html=True)
app.mount_health("/health")
app.mount_metrics("/metrics")
app.include_router(ota.router())
app.include_router(sync_routes.router())
wifi.start()
app.start(port=80)
print("at", app.url)
