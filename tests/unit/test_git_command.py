# SPDX-License-Identifier: MIT
"""Git, asking nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.source import git_command


def test_a_folder_that_git_cannot_write_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout/.git").write_text("nothing of git's\n")
    with pytest.raises(UserError, match=r"checkout: git init: .*gitfile"):
        git_command.fetch(tmp_path / "checkout", str(tmp_path / "nowhere"), "0" * 40, "a checkout")
