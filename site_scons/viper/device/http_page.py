# SPDX-License-Identifier: MIT
"""What a device serves, as seen from this computer."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from viper.base import interrupt
from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.device import startup
from viper.device.http_exchange import MISBEHAVIOUR, Answer, HttpExchange

_LIMIT_S = 15.0  # from reset to the first answer; a real board takes about two
_RETRY_S = 0.05
_ANSWER_S = 5.0
_PAGE_SIZE = 16 << 20  # bytes: no device holds more
_METRICS_SIZE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS  # in zlib's words


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
        answer = _ask("GET", url(http_port), _PAGE_SIZE, {"Accept-Encoding": "gzip"})
        body = answer.body
        if answer.fields.get("Content-Encoding") == "gzip":
            body = zlib.decompressobj(_GZIP).decompress(body, _PAGE_SIZE)
    except (*MISBEHAVIOUR, zlib.error) as problem:
        raise UserError(f"{url(http_port)} does not answer: {_said(problem)}", next_step) from None
    return f"{answer.line}\n{answer.fields}{body.decode(errors='replace')}"


def head(address: str, path: str) -> tuple[int, str]:
    """Status and Content-Type of a path.

    Args:
        address: `http://host:port`.

    Raises:
        UserError: nobody answers.
    """
    try:
        return _head(address + path)
    except MISBEHAVIOUR as problem:
        raise UserError(
            f"{address}{path} does not answer: {_said(problem)}",
            "is the device on this network? if its address is another one, give HOST=",
        ) from None


def wait_until_served(
    http_port: int,
    next_step: str,
    limit_s: float = _LIMIT_S,
    printed: Callable[[], bytes] = lambda: b"",
) -> str:
    """Wait for the page of a board on this computer that has just been reset.

    Args:
        next_step: what to type when it does not come.
        limit_s: seconds in which it must.
        printed: what the board has printed until now: an application that has ended is not
            waited for.

    Returns:
        Its address.

    Raises:
        UserError: it is not served in time.
    """
    _wait_for_answer(url(http_port), next_step, limit_s, printed)
    return url(http_port)


def wait_until_answered(address: str, next_step: str) -> str:
    """Wait for a device to answer anything; the arguments and the rest as above.

    Args:
        address: `http://host:port`.
    """
    _wait_for_answer(f"{address}/", next_step, _LIMIT_S, lambda: b"")
    return address


def _wait_for_answer(
    address: str, next_step: str, limit_s: float, printed: Callable[[], bytes]
) -> None:
    deadline = time.monotonic() + limit_s
    application = startup.Startup("mend that, then the same again", asked=True)
    while True:
        try:
            _head(address)
            return
        except MISBEHAVIOUR as problem:
            if time.monotonic() > deadline:
                raise UserError(
                    f"{address} does not answer for {limit_s:.0f} s: {_said(problem)}", next_step
                ) from None
            if isinstance(problem, ConnectionError):  # nobody is there, or behind a port that is
                application.look(printed())
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
        answer = _ask("GET", f"http://{where}/metrics", _METRICS_SIZE)
    except MISBEHAVIOUR as problem:
        raise UserError(
            f"HOST={host} does not answer: {_said(problem)}",
            f"is it on? curl http://{where}/metrics",
        ) from None
    text = answer.body.decode(errors="replace")
    found = re.search(r'^viperhttp_build_info\{.*build_id="(\w+)"', text, re.MULTILINE)
    if found is None:
        raise UserError(f"HOST={host} does not say what it runs", "app.mount_metrics() tells it")
    return found[1]


def _head(address: str) -> tuple[int, str]:
    """Status and Content-Type of an address."""
    answer = _ask("HEAD", address, 0)
    return answer.status, excerpt(answer.fields.get("Content-Type", ""))


def _ask(method: str, address: str, limit: int, fields: Mapping[str, str] | None = None) -> Answer:
    parts = urlsplit(address)
    exchange = HttpExchange(parts.hostname or "", parts.port or 80)
    try:
        return exchange.ask(method, parts.path, fields=fields, limit=limit, within_s=_ANSWER_S)
    finally:
        exchange.close()


def _said(problem: Exception) -> str:
    return excerpt(str(problem)) or type(problem).__name__
