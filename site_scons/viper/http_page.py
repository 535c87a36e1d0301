"""The page that a virtual board serves, as seen from this computer."""

from __future__ import annotations

import gzip
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse

from viper import interrupt
from viper.errors import UserError

_LIMIT_S = 15.0  # from reset to the first answer; a real board takes about two
_RETRY_S = 0.05


def url(http_port: int) -> str:
    """The address of the page."""
    return f"http://127.0.0.1:{http_port}/"


def get(http_port: int) -> str:
    """The answer as `curl -i --compressed` shows it: status line, headers, body.

    Raises:
        UserError: nobody answers.
    """
    request = urllib.request.Request(url(http_port), headers={"Accept-Encoding": "gzip"})
    try:
        with _opened(request) as response:
            body = response.read()
            head = f"HTTP/1.1 {response.status} {response.reason}\n{response.headers}"
            if response.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
    except (OSError, HTTPException) as problem:
        raise UserError(
            f"{url(http_port)} does not answer: {problem}", "./scons board-log"
        ) from None
    return head + body.decode(errors="replace")


def wait_until_served(http_port: int) -> str:
    """Wait for the page of a board that has just been reset.

    Returns:
        Its address.

    Raises:
        UserError: it is not served in time.
    """
    deadline = time.monotonic() + _LIMIT_S
    while True:
        try:
            with _opened(urllib.request.Request(url(http_port), method="HEAD")):
                return url(http_port)
        except (OSError, HTTPException) as problem:
            if time.monotonic() > deadline:
                raise UserError(
                    f"{url(http_port)} does not answer {_LIMIT_S:.0f} s after the reset: {problem}",
                    "./scons board-log shows what the board says",
                ) from None
        if interrupt.requested(_RETRY_S):
            raise KeyboardInterrupt


def _opened(request: urllib.request.Request) -> HTTPResponse:
    """The answer to a request made directly, whatever proxy the environment names."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        response = opener.open(request, timeout=5)
    except urllib.error.HTTPError as answer:
        raise UserError(
            f"{request.full_url} answers {answer.code} {answer.reason}", "./scons board-log"
        ) from None
    assert isinstance(response, HTTPResponse)
    return response
