# SPDX-License-Identifier: MIT
"""Web servers that a static file is also served by, for comparison."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Each as its makers ship it, with one worker, no log, and connections kept as long as clients like.
LIGHTTPD = """
server.document-root = "{www}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 1000000000
server.max-fds = 4096
mimetype.assign = (".txt" => "text/plain; charset=utf-8")
"""
NGINX = """
user {user} {group};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    open_file_cache max=100;
    types {{ text/plain txt; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {www}; }}
}}
"""
PEERS = {
    "lighttpd": (LIGHTTPD, ("-D", "-f")),
    "nginx": (NGINX, ("-e", "stderr", "-c")),
}


def is_there(name: str) -> bool:
    """Whether a program is installed; a line says so if it is not."""
    found = executable(name) is not None
    if not found:
        print(f"no {name} to compare with: apt-get install {name}", file=sys.stderr)
    return found


def executable(name: str) -> str | None:
    """Servers lie where a user's PATH does not always lead."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def serving(name: str, www: Path, folder: Path) -> Iterator[int]:
    """The port at which a peer serves `www`; `folder` is for its own files."""
    configuration, arguments = PEERS[name]
    port = free_port()
    file = folder / f"{name}.conf"
    whose = {  # for nginx, whose worker is somebody else if it can be
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "group": grp.getgrgid(os.getgid()).gr_name,
    }
    file.write_text(
        configuration.format(www=www, port=port, folder=folder, **whose), encoding="utf-8"
    )
    program = executable(name)
    assert program
    process = subprocess.Popen([program, *arguments, str(file)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
