# SPDX-License-Identifier: MIT
"""What strangers write becomes no command of a terminal, and no name of a file."""

from __future__ import annotations

import pytest
from viper.base import console, schema
from viper.base.mac import Mac
from viper.base.printable import Console, excerpt, printable
from viper.base.schema import Nonsense

# ESC [ … m and ESC ] … BEL, their one-character forms, a return, deletion, reversed writing, half a
# character, and a separator of lines.
COMMANDS = ["\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\r", "\x7f", "\u202e", "\ud800", "\u2028"]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_reaches_a_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"a{command}b"
    console.note(text)
    console.step("TAG", text)
    console.error(text)
    shown = capsys.readouterr()
    for line in (shown.out + shown.err).splitlines():
        assert line.isprintable()
        assert ascii(command[0])[1:-1] in line


def test_what_people_write_is_shown_as_it_is() -> None:
    text = "naïve 日本 \U0001f40d\n\tindented"
    assert printable(text) == text
    assert excerpt("\n first \nsecond") == "first"
    assert excerpt("x" * 500) == "x" * 197 + "..."


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_console_is_obeyed_in_its_colours_alone(size: int) -> None:
    colour = "\x1b[0;32mI (31) boot: naïve 日本\x1b[0m\r\n100 %\b\b50 %"
    printed = colour.encode() + b"\x1b]0;owned\x07\x1b[2J\xff\x1b[999999999999999999999m\x9b\r\n"
    seen = Console()
    pieces = [printed[at : at + size] for at in range(0, len(printed), size)]
    shown = "".join(map(seen.feed, pieces))
    assert shown == (
        colour + r"\x1b]0;owned\x07\x1b[2J\xff\x1b[999999999999999999999m\x9b" + "\r\n"
    )


def test_a_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    console.step("SEND", "/www/a\nerror: all is lost")
    assert capsys.readouterr().out == "SEND     /www/a\\nerror: all is lost\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../../../x",
        "/etc/passwd",
        "02A274C09E1B",
        "02a274c09e1b\n",
        "02a274c09e1",
        "٠" * 12,
        None,
        2,
        ["02a274c09e1b"],
    ],
)
def test_what_is_no_mac_is_no_mac(text: object) -> None:
    with pytest.raises(ValueError, match="12 hex digits"):
        Mac(text)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "1", '"x"', "{", "[" * 100_000, '{"a":' * 100_000, "9" * 100_000, b"\xff{}"],
)
def test_what_is_no_object_is_nonsense(content: str | bytes) -> None:
    with pytest.raises(Nonsense):
        schema.read(content)


@pytest.mark.parametrize("value", ["null", '"x\\n"', "[]", "{}", "-1", "1.5", "true", "1e400"])
def test_each_value_is_of_its_kind(value: str) -> None:
    record = schema.read(f'{{"it": {value}}}')
    takers = [
        lambda: record.word("it"),
        lambda: record.digits("it", 4),
        lambda: record.mac("it"),
        lambda: record.number("it"),
        lambda: schema.read("{}").truth("it"),
        lambda: schema.read('{"it": "long"}').text("it", 3),
    ]
    for take in takers:
        with pytest.raises(Nonsense, match="'it'"):
            take()
