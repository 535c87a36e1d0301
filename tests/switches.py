# SPDX-License-Identifier: MIT
"""The settings of the module and of compression that switch something off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection

import pytest
from project import ROOT


@dataclass(frozen=True)
class Answer:
    """What a server has answered; names of fields are in small letters."""

    status: int
    fields: dict[str, str]
    content: bytes


Asked = Callable[[str, bytes | None], Answer]  # a path, and what is sent to it


@dataclass(frozen=True)
class Switch:
    """One of them.

    Attributes:
        name: of the setting.
        off: its value then, as C has it.
        line: of board.toml, that says so.
        is_off: whether a server that serves the demo answers as the setting's text says.
        besides: other settings that are needed then, on a computer.
    """

    name: str
    off: str
    line: str
    is_off: Callable[[Asked], bool]
    besides: dict[str, str] = field(default_factory=dict)

    def turned(self, board: str, *, is_chip: bool = False) -> str:
        """The text of a board.toml with it switched off."""
        if self.name == "VHTTP_GZIP_ENABLED":
            assert "enabled = true" in board
            return board.replace("enabled = true", self.line)
        lines = [self.line]
        if not is_chip:
            lines += [f'{name} = "{value}"' for name, value in self.besides.items()]
        head, heading, settings = board.partition("[viperhttp]\n")
        assert heading
        return "\n".join([f"{head}[viperhttp]", *lines, settings])


def _keeps_nothing(ask: Asked) -> bool:
    ask("/app.js", None)
    return b"\nviperhttp_cache_used_bytes 0\n" in ask("/metrics", None).content


SWITCHES = (
    Switch(
        "VHTTP_GZIP_ENABLED",
        "0",
        "enabled = false",
        lambda ask: "content-encoding" not in ask("/app.js", None).fields,
    ),
    Switch(
        "VHTTP_STATIC_SERVE_VIA_IPC",
        "0",
        "VHTTP_STATIC_SERVE_VIA_IPC = false",
        lambda ask: (
            ask("/app.js", None).content == (ROOT / "assets/www/app.js").read_bytes()
            and ask("/boot.py", None).status == 404
        ),
        {"VHTTP_STATIC_FS_BASE": str(ROOT / "assets")},
    ),
    Switch(
        "VHTTP_REQUEST_BODY_MAX",
        "0",
        "VHTTP_REQUEST_BODY_MAX = 0",
        lambda ask: ask("/status", b"one").status == 413,
    ),
    Switch("VHTTP_CACHE_SIZE_PSRAM", "0", "VHTTP_CACHE_SIZE_PSRAM = 0", _keeps_nothing),
    Switch("VHTTP_CACHE_FILE_MAX", "0", "VHTTP_CACHE_FILE_MAX = 0", _keeps_nothing),
    Switch(
        "VHTTP_STATIC_DIGEST_MAX",
        "0",
        "VHTTP_STATIC_DIGEST_MAX = 0",
        lambda ask: "etag" not in ask("/app.js", None).fields,
    ),
)


def each(in_suite: str) -> pytest.MarkDecorator:
    """A case for each; all but one are long."""
    cases = [
        pytest.param(
            switch, id=switch.name, marks=[] if switch.name == in_suite else pytest.mark.long
        )
        for switch in SWITCHES
    ]
    return pytest.mark.parametrize("switch", cases)


def asked(host: str, path: str, content: bytes | None) -> Answer:
    """GET or POST it, as a client that takes gzip.

    Args:
        host: name:port.
    """
    connection = HTTPConnection(host, timeout=30)
    try:
        method = "GET" if content is None else "POST"
        connection.request(method, path, content, {"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())
    finally:
        connection.close()
