# SPDX-License-Identifier: MIT
"""What MicroPython's compiler says of the device's Python, as a person is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.firmware import python_check

WRONG = {
    "def f(:\n    pass\n": "line 1: SyntaxError: invalid syntax: def f(:",
    "x = 1\n  y = 2\n": "line 2: IndentationError: unexpected indent: y = 2",
    "a = (1,\n\n": "line 3: SyntaxError: invalid syntax: the end of the file",
    "break\n": "line 1: SyntaxError: 'break'/'continue' outside loop: break",
    "import x\nreturn \x1b[31m\n": "line 2: SyntaxError: invalid syntax: return \\x1b[31m",
}


@pytest.mark.parametrize("text", WRONG)
def test_where_it_is_wrong_is_told(text: str, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text("x = 1\n")
    wrong.write_text(text)
    with pytest.raises(UserError) as raised:
        python_check.check([right, wrong], "esp32")
    assert raised.value.what == f"{wrong} {WRONG[text]}"


@pytest.mark.parametrize("firmware", ["unix", "esp32"])
def test_what_the_device_can_run_is_not_refused(firmware: str, tmp_path: Path) -> None:
    source = tmp_path / "fast.py"
    source.write_text(
        "import micropython\n\n@micropython.native\ndef f(x):\n    return x + 1\n\n"
        "@micropython.viper\ndef g(x: int) -> int:\n    return x + 1\n\n"
        "async def h():\n    await None\n"
    )
    python_check.check([source], firmware)
