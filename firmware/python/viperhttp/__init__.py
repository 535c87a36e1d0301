"""ViperHTTP: an HTTP server in C on one core, beside Python on the other.

import viperhttp

app = viperhttp.ViperHTTP()
app.mount("/", "/www", html=True)
app.start(port=80)
"""

import _viperhttp
from _viperhttp import config, version

__version__ = version().version


class ViperHTTP:
    """A server. Mount first, then start; one server runs at a time."""

    def __init__(self):
        self._server = _viperhttp.Server()
        self._url = None

    def mount(self, path, folder, html=False):
        """Serves the files below `folder` at `path`.

        With `html`, a folder's address shows its index.html. ValueError for a path that does not
        start with "/" or is mounted already; RuntimeError while the server runs.
        """
        self._server.mount(path, folder, html)

    def mount_health(self, path="/health"):
        """Answers `path` with {"status": "ok"}, however busy Python is."""
        self._server.mount_health(path)

    def mount_metrics(self, path="/metrics"):
        """Answers `path` with the server's figures, in Prometheus' text format."""
        self._server.mount_metrics(path)

    def start(self, port=80):
        """Starts to serve, and returns at once.

        OSError when the port is taken or memory does not suffice; RuntimeError when a server runs.
        """
        self._url = self._server.start(port)

    def stop(self):
        """Closes every connection and frees the server's memory; may be called at any time."""
        self._server.stop()
        self._url = None

    @property
    def is_running(self):
        return self._server.is_running()

    @property
    def url(self):
        """The server's address, or None while it is stopped."""
        return self._url
