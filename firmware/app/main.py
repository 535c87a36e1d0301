"""The demo: the dashboard in /www, and the figures that it shows."""

import perf_routes
import viperhttp

app = viperhttp.ViperHTTP()
app.mount("/", "/www", html=True)
app.mount_health("/health")
app.mount_metrics("/metrics")
app.include_router(perf_routes.router)
app.start(port=80)
print("ViperHTTP", viperhttp.__version__, "at", app.url)
