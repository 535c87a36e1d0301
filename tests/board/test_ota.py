# SPDX-License-Identifier: MIT
"""Updates over the network, by the client against a virtual board that runs the built firmware.

Nothing is played: a bad image is booted, and the bootloader goes back by what otadata holds.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dropping_proxy import DroppingProxy
from project import copy_project
from running_board import Board
from sealed_client import Answer, SealedClient
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.device import endpoints, http_page, network_token
from viper.image import app_image, otadata
from viper.update import ota
from viper.virtual_board import control

FLASH_SIZE = 16 << 20
FACTORY = 0x10000
OTA_0 = 0x310000
SLOT_SIZE = 0x300000
OTADATA = 0xD000
SECTOR = 4096
CHUNK = 16384  # bytes in one request
PROBATION_S = 1

NEW = "0123456789abcdef"
NEWER = "fedcba9876543210"

NewBoard = Callable[..., Board]


@dataclass
class Device:
    """A board that has a token, whose flash can be put back to how it was."""

    board: Board
    flash: bytes  # of the board in its first state
    elf: bytes  # of its firmware
    build: str

    def start(self) -> None:
        """Put everything back, and start."""
        control.set_faults(self.board.folder)
        control.power_off(self.board.folder)
        with (self.board.folder / "flash.bin").open("r+b") as file:
            file.write(self.flash)
        self.power_on()

    def power_on(self) -> None:
        control.power_on(self.board.folder)
        http_page.wait_until_served(self.board.info.http_port, "")

    def power_cycle(self) -> None:
        control.set_faults(self.board.folder)
        control.power_off(self.board.folder)
        self.power_on()

    def update(
        self,
        image: bytes,
        port: int | None = None,
        show: Callable[[int], None] = lambda done: None,
    ) -> ota.Result:
        host = f"127.0.0.1:{port or self.board.info.http_port}"
        return ota.update(ota.Update(host, image, build_of(image), "./scons ota"), show)

    def client(self, token: str | None = None) -> SealedClient:
        token = token or network_token.load(Mac(self.board.info.mac))
        assert token is not None
        return SealedClient(f"http://127.0.0.1:{self.board.info.http_port}", token)

    def status(self) -> dict[str, object]:
        with self.client() as client:
            found: dict[str, object] = client.get("/ota").json()
        return found

    @property
    def boots(self) -> list[str]:
        """The slots that have been booted, in turn, as the board's log tells."""
        lines = self.board.log.decode(errors="replace").splitlines()
        return [line.split("loaded ")[1].split()[0] for line in lines if ": loaded " in line]

    def wait_for_boots(self, *slots: str) -> None:
        """Wait until these slots were the last that have been booted, and the last one serves."""
        deadline = time.monotonic() + 10
        while tuple(self.boots[-len(slots) :]) != slots:
            assert time.monotonic() < deadline, self.boots
            time.sleep(0.01)
        http_page.wait_until_served(self.board.info.http_port, "")

    def image(self, build: str) -> bytes:
        """This firmware with another build id."""
        elf = self.elf.replace(self.build.encode(), build.encode())
        assert elf != self.elf
        return image_of(elf, build)


def image_of(elf: bytes, build: str) -> bytes:
    return app_image.build_app(elf, project="viperhttp", version=build, flash_size=FLASH_SIZE)


def build_of(image: bytes) -> str:
    """The build that `image_of` was given."""
    described = app_image.describe(app_image.parse(image))
    assert described is not None
    return described.version


def put(client: SealedClient, index: int, data: bytes, said: bytes | None = None) -> Answer:
    """Send one chunk, as the one that it is or as another."""
    digest = hashlib.sha256(data if said is None else said).hexdigest()
    return client.put(f"/ota/chunks/{index}?sha256={digest}", data)


def send(client: SealedClient, image: bytes) -> None:
    for index in range(-(-len(image) // CHUNK)):
        piece = image[index * CHUNK : (index + 1) * CHUNK]
        assert put(client, index, piece).status_code == 200


def boot(client: SealedClient, image: bytes, said: bytes | None = None) -> Answer:
    digest = hashlib.sha256(image if said is None else said).hexdigest()
    return client.post(f"/ota/boot?size={len(image)}&sha256={digest}")


@pytest.fixture(scope="module")
def made(
    built: Path, new_shared_board: NewBoard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Device]:
    project = copy_project(built, tmp_path_factory.mktemp("ota") / "project")
    project.edit("firmware/app/boot.py", "guard()", f"guard({PROBATION_S})")
    project.scons("image")
    outputs = project.path("build/VIRTUAL_N16R8")
    record = json.loads((outputs / "firmware.json").read_text())
    elf = (outputs / "firmware/micropython").read_bytes()
    board = new_shared_board("ota", (outputs / "flash.bin").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        http_page.wait_until_served(board.info.http_port, "")
        network_token.give(board.url, "")
        http_page.wait_until_served(board.info.http_port, "")
        control.power_off(board.folder)
        yield Device(board, board.flash, elf, record["build"])


@pytest.fixture
def device(made: Device) -> Device:
    made.start()
    return made


@pytest.fixture(scope="module")
def new(made: Device) -> bytes:
    return made.image(NEW)


def test_an_update_runs_from_ota_0_and_is_kept(device: Device, new: bytes) -> None:
    result = device.update(new)
    assert result == ota.Result(NEW, "ota_0", sent=len(new), returned_to_factory=False)
    device.power_cycle()
    assert (device.status()["build"], device.status()["running"]) == (NEW, "ota_0")
    assert device.update(new).sent == 0


def test_a_device_that_runs_its_only_slot_receives_in_factory(device: Device, new: bytes) -> None:
    device.update(new)
    with device.client() as client:
        assert client.get("/ota").json()["slot"] is None
        assert put(client, 0, b"\xe9" * 64).status_code == 409  # not into what runs
    result = device.update(device.image(NEWER))
    assert result.returned_to_factory
    assert (result.build, result.slot) == (NEWER, "ota_0")
    assert device.boots[-3:] == ["ota_0", "factory", "ota_0"]


def test_only_chunks_that_differ_are_sent(device: Device, new: bytes) -> None:
    device.update(new)
    newer = device.image(NEWER)
    differing = sum(
        len(newer[at : at + CHUNK])
        for at in range(0, len(newer), CHUNK)
        if newer[at : at + CHUNK] != new[at : at + CHUNK]
    )
    assert device.update(newer).sent == differing < len(newer) // 2


# ---- Images that do not work


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("crashing")
    (folder / "main.c").write_text("int main(void) { __builtin_trap(); }\n")
    subprocess.run(["gcc", "main.c", "-o", "main"], cwd=folder, check=True)
    return image_of((folder / "main").read_bytes(), NEW)


@pytest.fixture(scope="module")
def serverless(made: Device) -> bytes:
    """Firmware that boots, and whose package cannot be imported."""
    elf = made.elf.replace(b"viperhttp/application.py", b"viperhttp/applicatioX.py")
    assert elf != made.elf
    return image_of(elf.replace(made.build.encode(), NEW.encode()), NEW)


@pytest.mark.parametrize("image", ["crashing", "serverless"])
def test_an_image_that_does_not_work_is_booted_and_given_up(
    device: Device, request: pytest.FixtureRequest, image: str
) -> None:
    with pytest.raises(UserError, match=f"gone back to build {device.build} in factory"):
        device.update(request.getfixturevalue(image))
    assert device.boots[-2:] == ["ota_0", "factory"]
    device.power_cycle()
    assert device.status()["running"] == "factory"
    records = otadata.parse(device.board.flash[OTADATA:][: otadata.SIZE])
    assert records[0].state == otadata.State.ABORTED


def test_an_image_that_nobody_confirms_is_given_up(device: Device, new: bytes) -> None:
    with device.client() as client:
        send(client, new)
        assert boot(client, new).status_code == 202
    device.wait_for_boots("ota_0", "factory")
    assert b"probation: this update was not confirmed" in device.board.log
    assert device.status()["running"] == "factory"
    assert device.update(new).sent == 0  # it is still there, and now it is confirmed
    assert device.status()["on_probation"] is False


# ---- What the device refuses


def test_another_token_is_refused(device: Device) -> None:
    with device.client(token="another") as client:
        answer = client.get("/ota")
        assert answer.status_code == 401
        assert device.board.info.mac in answer.headers["WWW-Authenticate"]
        assert not answer.seal
        assert client.post("/ota/factory").status_code == 401


def test_without_a_token_here_nothing_is_sent(
    device: Device, new: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(UserError, match="has no token") as raised:
        device.update(new)
    assert "./scons token" in raised.value.next_step


def test_without_a_token_there_everything_is_refused(
    new_board: NewBoard, built: Path, new: bytes
) -> None:
    board = new_board("bare", (built / "build/VIRTUAL_N16R8/flash.bin").read_bytes())
    http_page.wait_until_served(board.info.http_port, "")
    request = ota.Update(f"127.0.0.1:{board.info.http_port}", new, NEW, "")
    with pytest.raises(UserError, match="the device has no token") as raised:
        ota.update(request, lambda done: None)
    assert "./scons token" in raised.value.next_step


def test_an_image_for_another_chip_is_refused(device: Device, new: bytes) -> None:
    head = bytearray(new[:SECTOR])
    struct.pack_into("<H", head, 12, 5)
    with device.client() as client:
        answer = put(client, 0, bytes(head))
    assert answer.status_code == 422
    assert answer.json()["detail"] == "the image is for chip id 5, the device is 9"
    assert device.board.flash[OTA_0:][:SECTOR] == b"\xff" * SECTOR


def test_an_image_too_large_for_the_slot_is_refused(device: Device) -> None:
    large = image_of(device.elf.ljust(SLOT_SIZE, b"\0"), NEW)
    with pytest.raises(UserError, match=f"{len(large)} bytes for a slot of {SLOT_SIZE}"):
        device.update(large)
    with device.client() as client:
        assert put(client, SLOT_SIZE // CHUNK, b"\xe9" * 64).status_code == 413


def test_a_chunk_that_is_not_what_it_says_is_not_written(device: Device, new: bytes) -> None:
    with device.client() as client:
        answer = put(client, 1, new[1:101], said=new[:100])
    assert answer.status_code == 422
    assert device.board.flash[OTA_0 + CHUNK :][:SECTOR] == b"\xff" * SECTOR


@pytest.mark.parametrize("what", ["digest", "checksum"])
def test_an_image_that_is_not_whole_is_not_booted(device: Device, new: bytes, what: str) -> None:
    """The slot does not hold what the request says; or it does, and its own checks fail."""
    image = bytearray(new)
    if what == "checksum":
        image[len(image) // 2] ^= 1
    with device.client() as client:
        send(client, bytes(image))
        answer = boot(client, bytes(image), said=image if what == "checksum" else b"another")
    assert answer.status_code == 422
    assert device.board.flash[OTADATA:][: otadata.SIZE] == otadata.blank()


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("nowhere:99999", "HOST=nowhere:99999 is no host"),
        ("127.0.0.1:80/ota", "HOST=127.0.0.1:80/ota is no host"),
        ("127.0.0.1:9", "127.0.0.1:9 does not answer"),
    ],
)
def test_needs_a_host_that_is_there(new: bytes, host: str, what: str) -> None:
    with pytest.raises(UserError, match=what):
        ota.update(ota.Update(host, new, NEW, "./scons ota"), lambda done: None)


# ---- Cuts


@pytest.fixture(scope="module")
def traffic(made: Device, new: bytes) -> tuple[int, int]:
    """The bytes that an update takes, to the device and back, until it is told to boot. How often
    it is asked after that depends on how long it restarts."""
    made.start()
    seen = (0, 0)
    with DroppingProxy(made.board.info.http_port) as network:

        def look(done: int) -> None:
            nonlocal seen
            seen = network.sent, network.received

        made.update(new, network.port, look)
    told = len("POST /ota/boot"), len("HTTP/1.1 202")
    return seen[0] + told[0], seen[1] + told[1]


def points(total: int, count: int) -> list[int]:
    """Where to cut: the first byte, the last one, some between, and as many near the end."""
    near = range(total - 1 - count // 2 * 5, total, 5)
    return [0, *random.Random(count).sample(range(1, near[0]), count - 1 - len(near)), *near]


def programmed(image: bytes) -> int:
    """Bytes that the flash is programmed with: the slot's sectors, and otadata three times: what
    boots next, that it is on probation, that it is kept."""
    return -(-len(image) // SECTOR) * SECTOR + 3 * 32


def cut(device: Device, image: bytes, port: int | None = None) -> None:
    """An update that breaks off. Nothing but the slot and otadata is written."""
    before = device.board.flash
    with (
        pytest.MonkeyPatch.context() as impatience,
        pytest.raises(UserError, match="does not answer"),
    ):
        impatience.setattr(endpoints, "_START_S", 1.0)
        device.update(image, port)
    after = device.board.flash
    for start, end in ((0, OTADATA), (FACTORY, OTA_0), (OTA_0 + SLOT_SIZE, FLASH_SIZE)):
        assert after[start:end] == before[start:end]


def finish(device: Device, image: bytes) -> None:
    """The same again, as the error says; after that all is as if it had never been cut."""
    device.power_cycle()
    device.update(image)
    assert device.board.flash[OTA_0:][: len(image)] == image
    device.power_cycle()
    status = device.status()
    assert (status["build"], status["running"], status["on_probation"]) == (NEW, "ota_0", False)


def cut_power(device: Device, image: bytes, count: int) -> None:
    for after in points(programmed(image), count):
        device.start()
        control.set_faults(device.board.folder, power_after_bytes=after)
        cut(device, image)
        device.board.wait_for_mode("off")
        finish(device, image)


def cut_network(device: Device, image: bytes, traffic: tuple[int, int], count: int) -> None:
    sent, received = (points(total, count // 2) for total in traffic)
    limits = [{"sent_limit": at} for at in sent] + [{"received_limit": at} for at in received]
    for limit in limits:
        device.start()
        with DroppingProxy(device.board.info.http_port, **limit) as network:
            cut(device, image, network.port)
        finish(device, image)


def test_finishes_after_the_power_was_cut(device: Device, new: bytes) -> None:
    cut_power(device, new, 6)


def test_finishes_after_the_network_was_cut(
    device: Device, new: bytes, traffic: tuple[int, int]
) -> None:
    cut_network(device, new, traffic, 6)


@pytest.mark.long
def test_finishes_after_the_power_was_cut_anywhere(device: Device, new: bytes) -> None:
    cut_power(device, new, 50)


@pytest.mark.long
def test_finishes_after_the_network_was_cut_anywhere(
    device: Device, new: bytes, traffic: tuple[int, int]
) -> None:
    cut_network(device, new, traffic, 50)
