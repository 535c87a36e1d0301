# SPDX-License-Identifier: MIT
"""One list of settings, and everything that is made from it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from project import ROOT
from viper.source import module_settings

SETTINGS = module_settings.load(ROOT / module_settings.LIST)
MODULE = ROOT / "firmware/cmodules/viperhttp"


def macros(folder: Path, values: dict[str, module_settings.Value]) -> dict[str, str]:
    """What the compiler reads from the header."""
    (folder / "vhttp_config.h").write_text(module_settings.header(SETTINGS, values))
    (folder / "list.c").write_text(
        '#include "vhttp_config.h"\n#define X(name) #name = name\nVHTTP_NUMBERS(X) VHTTP_TEXTS(X)\n'
    )
    command = ["gcc", "-E", "-P", f"-I{folder}", str(folder / "list.c")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r'"(VHTTP_\w+)" = (\S+)', listed))


def test_the_header_has_every_setting_once_and_lists_it(tmp_path: Path) -> None:
    found = macros(tmp_path, {"VHTTP_MAX_CONNECTIONS": 12, "VHTTP_GZIP_ENABLED": False})
    assert list(found) == [
        setting.name
        for kind in (int, str)
        for setting in SETTINGS
        if isinstance(setting.default, kind)
    ]
    assert found["VHTTP_MAX_CONNECTIONS"] == "12"
    assert found["VHTTP_GZIP_ENABLED"] == "0"
    assert found["VHTTP_STATIC_FS_BASE"] == '"/"'


def test_every_default_is_a_value_that_a_board_may_give() -> None:
    assert [setting.name for setting in SETTINGS if not setting.takes(setting.default)] == []


def test_every_setting_is_used_by_the_module() -> None:
    sources = "".join(path.read_text() for path in MODULE.glob("*/*.[ch]"))
    used = set(re.findall(r"VHTTP_[A-Z0-9_]+", sources))
    unused = [setting.name for setting in SETTINGS if setting.name not in used]
    # What [gzip] says is for the build, and told to Python by config().
    assert unused == ["VHTTP_GZIP_MIN_SIZE", "VHTTP_GZIP_LEVEL"]


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [(8192, True), (10000, False), (4096, False), (1 << 21, False), (True, False), ("16", False)],
)
def test_a_number_is_held_to_its_range(value: object, is_taken: bool) -> None:
    window = next(setting for setting in SETTINGS if setting.name == "VHTTP_WINDOW_SIZE")
    assert window.takes(value) is is_taken


def test_the_table_of_the_documentation_is_that_of_the_list() -> None:
    page = (ROOT / "docs/boards.md").read_text(encoding="utf-8")
    assert module_settings.table(SETTINGS) in page
