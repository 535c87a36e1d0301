# SPDX-License-Identifier: MIT
"""What is shown of a URL, and which hosts are this computer."""

from __future__ import annotations

import pytest
from viper.base.url import is_this_computer, without_userinfo


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@example.org/x.git", "https://example.org/x.git"),
        ("fatal: https://token@example.org/: 403", "fatal: https://example.org/: 403"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("/a/folder@home", "/a/folder@home"),
    ],
)
def test_user_and_password_are_left_out(text: str, shown: str) -> None:
    assert without_userinfo(text) == shown


@pytest.mark.parametrize(
    ("host", "is_this"),
    [
        ("127.0.0.1:8080", True),
        ("http://127.0.0.1:8080/", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("192.168.0.7", False),
        ("http://192.168.0.7:80", False),
        ("viper.local", False),
    ],
)
def test_which_host_is_this_computer(host: str, is_this: bool) -> None:
    assert is_this_computer(host) == is_this
