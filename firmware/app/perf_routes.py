# SPDX-License-Identifier: MIT
"""Routes that `./scons perf` measures, and what it wants to know of the device."""

import binascii
import gc
import hashlib
import os

import machine
import viperhttp
from viperhttp import sealed

IS_FOLDER = 0x4000
READINGS_MAX = 200

router = viperhttp.Router("/perf")
for_holders = sealed.Router()  # of the device's token: it reads all of the flash


@router.get("/device")
def device():
    """Its MAC, and the bytes that are free in its heaps once garbage is collected."""
    gc.collect()
    memory = viperhttp.memory_stats()
    free = {name: memory[name] for name in memory if name.endswith("_free")}
    return {"mac": binascii.hexlify(machine.unique_id()).decode(), "free": free}


@for_holders.get("/files")
def files():
    """A digest of all files: with the firmware's build, it says what exactly is measured."""
    digest = hashlib.sha256()
    add_files("", digest, bytearray(4096))
    return {"sha256": binascii.hexlify(digest.digest()).decode()}


def add_files(folder, digest, buffer):
    for entry in sorted(os.ilistdir(folder or "/")):
        path = folder + "/" + entry[0]
        digest.update(path.encode() + b"\0")
        if entry[1] == IS_FOLDER:
            add_files(path, digest, buffer)
            continue
        with open(path, "rb") as file:
            size = file.readinto(buffer)
            while size:
                digest.update(memoryview(buffer)[:size])
                size = file.readinto(buffer)


@router.get("/light/json")
def light_json():
    return {"status": "ok", "value": 42}


@router.get("/light/text")
def light_text():
    return "ok"


@router.get("/light/echo/{number:int}", query={"word": viperhttp.Query("")})
def light_echo(number, word):
    return {"number": number, "word": word}


@router.get("/heavy/readings/{count:int}")
def heavy_readings(count):
    readings = [
        {"name": "sensor <%d>" % number, "value": number * 1.25, "high": number % 3 == 0}
        for number in range(min(count, READINGS_MAX))
    ]
    return viperhttp.TemplateResponse("readings.html", {"readings": readings})


router.include_router(for_holders)
