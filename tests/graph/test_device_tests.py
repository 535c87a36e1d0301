# SPDX-License-Identifier: MIT
"""`./scons test-device` refuses a host whose build is not the one that stands here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from project import Project


class OtherBuild(BaseHTTPRequestHandler):
    """Says what a device says that runs another build."""

    def do_GET(self) -> None:
        content = b'viperhttp_build_info{version="1",build_id="0123456789abcdef"} 1\n'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), OtherBuild) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_build_is_refused(project: Project, other: str) -> None:
    told = project.scons("test-device", f"HOST={other}", status=2).output
    assert f"HOST={other} runs build 0123456789abcdef" in told and "./scons flash" in told
    assert "Traceback" not in told


def test_the_device_may_be_named_by_its_port(project: Project) -> None:
    told = project.scons("test-device", "PORT=virtual:absent", status=2).output
    assert "virtual board 'absent' is not running" in told
