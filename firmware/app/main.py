"""The demo: the dashboard in /www, the figures that it shows, and updates over the network."""

import viperhttp
from viperhttp import ota

app = viperhttp.ViperHTTP()
app.mount("/", "/www", html=True)
app.mount_health("/health")
app.mount_metrics("/metrics")
app.include_router(ota.router())
app.start(port=80)
print("ViperHTTP", viperhttp.__version__, "at", app.url)
