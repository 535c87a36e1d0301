# SPDX-License-Identifier: MIT
"""The build that a host says it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from viper.base.errors import UserError
from viper.device import http_page

SAYS = b"""\
# TYPE viperhttp_build_info gauge
viperhttp_build_info{version="0.2.0",build_id="0123abcd"} 1
"""


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server whose /metrics are the parameter."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("host", [SAYS], indirect=True)
def test_it_is_read_of_its_metrics(host: str) -> None:
    for address in (host, f"http://{host}", f"http://{host}/"):
        assert http_page.build(address) == "0123abcd"


@pytest.mark.parametrize("host", [b"", b'a_viperhttp_build_info{build_id="1"} 1'], indirect=True)
def test_a_host_that_does_not_say(host: str) -> None:
    with pytest.raises(UserError, match=f"HOST={host} does not say what it runs") as caught:
        http_page.build(host)
    assert caught.value.next_step == "app.mount_metrics() tells it"
