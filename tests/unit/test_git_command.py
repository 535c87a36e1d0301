# SPDX-License-Identifier: MIT
"""Git, asking nobody."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.source import git_command


def test_a_folder_that_git_cannot_write_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout/.git").write_text("nothing of git's\n")
    with pytest.raises(UserError, match=r"checkout: git init: .*gitfile"):
        git_command.fetch(tmp_path / "checkout", str(tmp_path / "nowhere"), "0" * 40, "a checkout")


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A commit of a host that is not there, of which the user's configuration names a mirror."""
    mirror = tmp_path / "mirror/owner/name"
    for command in (
        ["init", "--quiet", str(mirror)],
        ["-C", str(mirror), "config", "uploadpack.allowAnySHA1InWant", "true"],
        ["-C", str(mirror), "-c", "user.name=A", "-c", "user.email=a@b.invalid",
         "commit", "--quiet", "--allow-empty", "-m", "one"],
    ):  # fmt: skip
        subprocess.run(["git", *command], check=True)
    hook = tmp_path / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(
        f'[url "file://{tmp_path}/mirror/"]\n insteadOf = https://host.invalid/\n'
        f"[core]\n hooksPath = {hook.parent}\n"
    )
    (tmp_path / ".gitconfig").write_text(f"[include]\n path = {included}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    git_command._mirrors.cache_clear()
    at = ["git", "-C", str(mirror), "rev-parse", "HEAD"]
    yield subprocess.run(at, check=True, capture_output=True, text=True).stdout.strip()
    git_command._mirrors.cache_clear()


def test_a_mirror_that_the_user_has_named_is_asked(mirrored: str, tmp_path: Path) -> None:
    """And nothing else of that configuration counts."""
    checkout = tmp_path / "checkout"
    git_command.fetch(checkout, "https://host.invalid/owner/name", mirrored, "a checkout")
    assert git_command.is_at(checkout, mirrored)
    assert [path.name for path in checkout.iterdir()] == [".git"]
