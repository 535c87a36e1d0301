# SPDX-License-Identifier: MIT
"""Updates over the network: an application image into the slot that does not run.

    from viperhttp import ota

    app.include_router(ota.router())

Requests and answers are sealed with the device's token (see viperhttp.sealed).

    GET  /ota                   {"build", "boot", "running", "on_probation", "slot", "chunk"}
    GET  /ota/chunks?size=N     the SHA-256 of each chunk of the slot's first N bytes, a line each
    PUT  /ota/chunks/K?sha256=H chunk K of the image: "chunk" bytes, the last one fewer
    POST /ota/boot?size=N&sha256=H  boots what the slot holds, if that is all of it
    POST /ota/factory           boots `factory`, where an image for the only slot is received
    POST /ota/confirm           ends the probation of what runs: it is kept

A chunk is written when all of it is there and right, so an update that broke off goes on by asking
for the chunks' digests and sending those that differ.
"""

import asyncio
import binascii
import hashlib

import probation
from _viperhttp import version
from esp32 import Partition

from viperhttp import restart, sealed
from viperhttp.errors import HTTPException
from viperhttp.request import current_request
from viperhttp.responses import Response, StreamingResponse
from viperhttp.routing import Query

CHUNK = 16384  # bytes: four sectors of the flash

_SECTOR = 4096
_FACTORY = 0  # subtype of the partition
_MAGIC = 0xE9


def router():
    """The routes of the endpoint, for app.include_router()."""
    routes = sealed.Router("/ota")
    routes.get("")(_status)
    routes.get("/chunks", query={"size": Query(type=int)})(_digests)
    routes.put("/chunks/{index:int}", query={"sha256": Query()})(_write)
    routes.post("/boot", query={"size": Query(type=int), "sha256": Query()})(_boot_slot)
    routes.post("/factory")(_boot_factory)
    routes.post("/confirm")(_confirm)
    return routes


# ---- What is there


def _slot():
    """The partition that an image goes to, None while the only one for updates runs."""
    running = Partition(Partition.RUNNING)
    try:
        slot = running.get_next_update()
    except OSError:
        return None
    return None if slot.info() == running.info() else slot


def _slot_for(size):
    slot = _slot()
    if slot is None:
        raise HTTPException(409, "the device runs from its only slot for updates, or has none")
    room = slot.info()[3]
    if not 0 < size <= room:
        raise HTTPException(413, "%d bytes for a slot of %d" % (size, room))
    return slot


def _status():
    slot = _slot()
    return {
        "build": version().build_id,
        "boot": restart.BOOT,
        "running": Partition(Partition.RUNNING).info()[4],
        "on_probation": probation.is_on(),
        "slot": slot and {"name": slot.info()[4], "size": slot.info()[3]},
        "chunk": CHUNK,
    }


def _pieces(slot, size):
    """The slot's first `size` bytes, chunk after chunk in the same buffer."""
    buffer = memoryview(bytearray(CHUNK))
    for at in range(0, size, CHUNK):
        piece = buffer[: min(CHUNK, size - at)]
        slot.readblocks(at // _SECTOR, piece)
        yield piece


def _digests(size):
    slot = _slot_for(size)

    async def lines():
        for piece in _pieces(slot, size):
            yield binascii.hexlify(hashlib.sha256(piece).digest()) + b"\n"
            await asyncio.sleep_ms(0)

    return StreamingResponse(lines(), media_type="text/plain")


# ---- What changes it


def _write(index, sha256):
    data = current_request().body()
    if not 0 < len(data) <= CHUNK:
        raise HTTPException(413, "a chunk has 1 to %d bytes" % CHUNK)
    slot = _slot_for(index * CHUNK + len(data))
    if index < 0 or binascii.hexlify(hashlib.sha256(data).digest()).decode() != sha256:
        raise HTTPException(422, "the chunk is not what its SHA-256 says")
    if index == 0:
        _refuse_other_chips(data)
    if len(data) % _SECTOR:
        data += b"\xff" * (-len(data) % _SECTOR)
    slot.writeblocks(index * CHUNK // _SECTOR, data)
    return Response()


def _refuse_other_chips(image):
    ours = bytearray(24)
    Partition(Partition.RUNNING).readblocks(0, ours)
    if len(image) < len(ours) or image[0] != _MAGIC:
        raise HTTPException(422, "this is no application image")
    if image[12:14] != ours[12:14]:
        values = tuple(int.from_bytes(i[12:14], "little") for i in (image, ours))
        raise HTTPException(422, "the image is for chip id %d, the device is %d" % values)


async def _boot_slot(size, sha256):
    slot = _slot_for(size)
    digest = hashlib.sha256()
    for piece in _pieces(slot, size):
        digest.update(piece)
        await asyncio.sleep_ms(0)
    if binascii.hexlify(digest.digest()).decode() != sha256:
        raise HTTPException(422, "the slot holds something else")
    try:
        slot.set_boot()
    except OSError:
        raise HTTPException(422, "the image is damaged") from None
    return restart.soon()


def _boot_factory():
    factory = Partition.find(Partition.TYPE_APP, subtype=_FACTORY)
    if not factory:
        raise HTTPException(409, "the device has no factory partition")
    try:
        factory[0].set_boot()
    except OSError:
        raise HTTPException(409, "the image in factory is damaged") from None
    return restart.soon()


def _confirm():
    probation.end()
    return Response()
