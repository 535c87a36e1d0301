# SPDX-License-Identifier: MIT
"""What a sync over the network tells before it changes a device."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from doubles.hostile_device import Answer, HostileDevice, challenge, sealed
from viper.device import network_token
from viper.sync import over_http, theirs
from viper.sync.over_http import SyncRequest
from viper.sync.transfer import Choices

MAC, TOKEN, BUILD = "02a274c09e1b", "a token", "5019536d4780a192"
PAGE = {"/www/index.html": {"sha256": "ab" * 32, "source": "index.html"}}


class Told(Exception):
    """All has been told, and the device would be changed next."""


def device(fs: str) -> HostileDevice:
    """A device with nothing on it, as far as it is asked."""
    about = {
        "build": BUILD, "mac": MAC, "fs": fs, "free": 1 << 20, "serving": True, "ours": "",
        "waiting": [], "switched_s": None,
    }  # fmt: skip
    said = {
        b"/manifest": "\n".join(map(json.dumps, [about, {"files": 0}])),
        b"/look": "",
    }
    status = json.dumps({"boot": "b007", "outdated": False})

    def answer(head: bytes) -> Answer:
        if b"HMAC" not in head:
            return challenge(MAC)
        (body,) = [said[path] for path in said if path in head.split()[1]] or [status]
        return sealed(head, TOKEN, body.encode())

    return HostileDevice(answer)


@pytest.mark.parametrize(
    ("fs", "files", "warns"), [("fat", PAGE, True), ("fat", {}, False), ("littlefs", PAGE, False)]
)
def test_a_change_of_a_fat_is_told_to_need_power(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fs: str,
    files: object,
    warns: bool,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    network_token.folder().mkdir(parents=True)
    (network_token.folder() / MAC).write_text(TOKEN)
    (tmp_path / "index.html").touch()
    image = {"format": 1, "board": "B", "chip": "esp32s3", "flash_size": 1 << 24, "psram_size": 0}
    (tmp_path / "flash.json").write_text(json.dumps({**image, "parts": [], "files": files}))

    def progress(total: int) -> AbstractContextManager[Callable[[int], None]]:
        raise Told

    with device(fs).serving() as serving:
        request = SyncRequest(
            serving.host,
            tmp_path / "flash.json",
            tmp_path,
            tmp_path / "stamps",
            BUILD,
            Choices(theirs.parse("")),
        )
        with pytest.raises(Told):
            over_http.sync(request, progress)
    assert ("keep the power on" in capsys.readouterr().out) == warns
