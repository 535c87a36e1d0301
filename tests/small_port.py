# SPDX-License-Identifier: MIT
"""MicroPython's unix port with few objects: all its rules, and a build from nothing in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

_FOLDERS = (
    "py",
    "extmod",
    "shared",
    "tools",
    "mpy-cross",
    "ports/unix",
    "lib/oofatfs",
    "lib/littlefs",
)
_FILES = ("README.md", "lib/README.md")
_RULES = "include $(TOP)/py/mkrules.mk"
# One object of MicroPython's, and those of modules; what the others define need not be there.
_FEW = """\
OBJ := $(filter-out $(PY_CORE_O) $(BUILD)/extmod/% $(BUILD)/lib/% $(BUILD)/shared/%, $(PY_O))
OBJ += $(BUILD)/py/mpstate.o
SRC_QSTR := $(SRC_USERMOD_PATHFIX_C) $(SRC_USERMOD_PATHFIX_CXX)
LDFLAGS += -Wl,--unresolved-symbols=ignore-all
"""


def small_micropython(standing: Path, folder: Path) -> Path:
    """Make such a tree of a MicroPython source tree; it runs nowhere.

    Args:
        standing: of any version that the project is built with.
    """
    for name in _FOLDERS:
        if (standing / name).is_dir():
            shutil.copytree(
                standing / name, folder / name, ignore=shutil.ignore_patterns("build*", "*.a")
            )
    for name in _FILES:
        shutil.copy2(standing / name, folder / name)
    makefile = folder / "ports/unix/Makefile"
    makefile.chmod(0o644)
    text = makefile.read_text(encoding="utf-8")
    assert _RULES in text
    makefile.write_text(text.replace(_RULES, _FEW + _RULES), encoding="utf-8")
    return folder
