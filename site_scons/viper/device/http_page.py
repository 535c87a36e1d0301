"""What a device serves, as seen from this computer."""

from __future__ import annotations

import gzip
import re
import time
import zlib
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from viper.base import interrupt
from viper.base.errors import UserError

_LIMIT_S = 15.0  # from reset to the first answer; a real board takes about two
_RETRY_S = 0.05
_ANSWER_S = 5.0


def url(http_port: int) -> str:
    """The address of the page."""
    return f"http://127.0.0.1:{http_port}/"


def get(http_port: int, next_step: str) -> str:
    """The answer as `curl -i --compressed` shows it: status line, headers, body.

    Args:
        next_step: what to type when nobody answers.

    Raises:
        UserError: nobody answers.
    """
    try:
        with closing(HTTPConnection("127.0.0.1", http_port, timeout=_ANSWER_S)) as connection:
            connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            body = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
    except (OSError, EOFError, zlib.error, HTTPException) as problem:
        raise UserError(f"{url(http_port)} does not answer: {problem}", next_step) from None
    version = f"{response.version // 10}.{response.version % 10}"
    head = f"HTTP/{version} {response.status} {response.reason}\n{response.headers}"
    return head + body.decode(errors="replace")


def head(address: str, path: str) -> tuple[int, str]:
    """Status and Content-Type of a path.

    Args:
        address: `http://host:port`.

    Raises:
        UserError: nobody answers.
    """
    try:
        return _head(address + path)
    except (OSError, HTTPException) as problem:
        raise UserError(
            f"{address}{path} does not answer: {problem}",
            "is the device on this network? if its address is another one, give HOST=",
        ) from None


def wait_until_served(http_port: int, next_step: str) -> str:
    """Wait for the page of a virtual board that has just been reset.

    Args:
        next_step: what to type when it does not come.

    Returns:
        Its address.

    Raises:
        UserError: it is not served in time.
    """
    _wait_for_answer(url(http_port), next_step)
    return url(http_port)


def wait_until_healthy(address: str, next_step: str) -> str:
    """Wait for a device to answer `/health`; the arguments and the rest as above.

    Args:
        address: `http://host:port`.
    """
    _wait_for_answer(f"{address}/health", next_step)
    return address


def _wait_for_answer(address: str, next_step: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while True:
        try:
            _head(address)
            return
        except (OSError, HTTPException) as problem:
            if time.monotonic() > deadline:
                raise UserError(
                    f"{address} does not answer for {_LIMIT_S:.0f} s: {problem}", next_step
                ) from None
        if interrupt.requested(_RETRY_S):
            raise KeyboardInterrupt


def build(host: str) -> str:
    """The build that a host says it runs, in its /metrics.

    Args:
        host: address:port, or http://address:port.

    Raises:
        UserError: it does not answer, or does not say.
    """
    where = host.removeprefix("http://").rstrip("/")
    try:
        with closing(HTTPConnection(where, timeout=_ANSWER_S)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode(errors="replace")
    except (OSError, HTTPException) as problem:
        raise UserError(
            f"HOST={host} does not answer: {problem}", f"is it on? curl http://{where}/metrics"
        ) from None
    found = re.search(r'^viperhttp_build_info\{.*build_id="(\w+)"', text, re.MULTILINE)
    if found is None:
        raise UserError(f"HOST={host} does not say what it runs", "app.mount_metrics() tells it")
    return found[1]


def _head(address: str) -> tuple[int, str]:
    """Status and Content-Type of an address."""
    parts = urlsplit(address)
    with closing(
        HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_ANSWER_S)
    ) as connection:
        connection.request("HEAD", parts.path)
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type", "")
