"""No password is shown."""

from __future__ import annotations

import pytest
from viper.url import without_userinfo


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
