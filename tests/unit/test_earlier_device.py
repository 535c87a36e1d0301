# SPDX-License-Identifier: MIT
"""A device whose firmware knows no seals is updated once, with a word that says what it risks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.earlier_device import MAC, EarlierDevice
from viper.base.errors import UserError
from viper.device import network_token
from viper.image import app_image
from viper.update import ota
from viper.update.ota import Update

TOKEN = "the token of that device"
CHUNK = 16384
IMAGE = app_image.build_app(b"x" * 20_000, project="x", version="new", flash_size=1 << 24)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EarlierDevice]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = network_token.folder() / MAC
    path.parent.mkdir(parents=True)
    path.write_text(TOKEN)
    with EarlierDevice(TOKEN, "new").serving() as device:
        assert isinstance(device, EarlierDevice)
        yield device


def update(device: EarlierDevice, in_clear: bool) -> ota.Result:
    request = Update(device.host, IMAGE, "new", f"./scons ota HOST={device.host}", in_clear)
    return ota.update(request, lambda done: None)


def test_it_is_sent_no_token_without_the_word(device: EarlierDevice) -> None:
    with pytest.raises(UserError, match="wants the token in clear") as refused:
        update(device, in_clear=False)
    assert f"./scons ota HOST={device.host} TOKEN=plain" in refused.value.next_step
    assert TOKEN.encode() not in device.heard


def test_it_is_updated_with_the_word_and_its_new_firmware_takes_seals(
    device: EarlierDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    result = update(device, in_clear=True)
    assert (result.build, result.slot, result.sent) == ("new", "ota_0", len(IMAGE))
    assert device.confirmed and device.in_clear_to_new == 0
    assert "sent in clear: who has listened may change the device" in capsys.readouterr().out
    assert all(IMAGE[at : at + CHUNK] in device.heard for at in range(0, len(IMAGE), CHUNK))
