# SPDX-License-Identifier: MIT
"""The device's side of `./scons sync`: called from the REPL, and by viperhttp.sync_routes.

A file comes whole or not at all: `begin`, `write` and `end` leave it in `STAGE` under a name that
says what it is to be, where an interrupted sync finds it again; `commit` puts all of them in their
places. Nothing in any place is overwritten before.

The REPL's answers are lines that begin with `MARK`, among whatever else the application may print.
"""

import binascii
import hashlib
import io
import json
import os

import _viperhttp
import deflate
import machine
from flashbdev import bdev

MARK = "\x02viper:"
STAGE = "/.sync"

_SITE = "/www/"  # what is there the server reads anew by itself
_FOLDER = 0x4000  # in the mode that os.ilistdir gives
_CHUNK = 4096

_file = None  # what is being received
_name = ""
_outdated = False  # see is_outdated


def manifest(*scope):
    """Tells the REPL what there is."""
    for what in entries(scope):
        _answer(**what)


def entries(scope):
    """What there is of the files and folders of `scope`, and what waits in STAGE: a dict each.

    The first is about the device, the last one counts those between.
    """
    mount = os.statvfs("/")
    yield {
        "build": _viperhttp.version().build_id,
        "mac": binascii.hexlify(machine.unique_id()).decode(),
        "fs": "littlefs" if _is_littlefs() else "fat",
        "free": mount[1] * mount[3],
        "serving": _is_serving(),
    }
    count = 0
    paths = list(scope)
    paths.append(STAGE)
    for path in paths:
        for found, size in _files(path):
            yield {"path": found, "size": size, "sha256": _digest(found)}
            count += 1
    yield {"files": count}


def sectors(*runs):
    """Says what is in sectors of the file system, given as first and count in turn.

    Zeros at the end of one are left out: of a table or a folder they are most of it.
    """
    for at in range(0, len(runs), 2):
        for sector in range(runs[at], runs[at] + runs[at + 1]):
            block = bytearray(bdev.ioctl(5, 0))
            bdev.readblocks(sector, block)
            data = binascii.b2a_base64(bytes(block).rstrip(b"\0"))
            _answer(sector=sector, data=data.decode().strip())


def begin(name, at=0):
    """Starts to receive a file, under a name in STAGE; or goes on at its byte `at`."""
    global _file, _name
    if not at:
        _make_folder(STAGE)
    _name = STAGE + "/" + name
    _file = open(_name + "~", "r+b" if at else "wb")
    _file.seek(at)


def write(data):
    """Receives a piece of it."""
    _file.write(data)


def unpack(data):
    """Receives a piece of it, compressed (zlib)."""
    with deflate.DeflateIO(io.BytesIO(data), deflate.ZLIB) as stream:
        piece = stream.read(_CHUNK)
        while piece:
            _file.write(piece)
            piece = stream.read(_CHUNK)


def pause():
    """Leaves the file for now, in order on the flash."""
    _file.close()


def end(sha256):
    """Ends it; OSError if the flash gives back something else."""
    _file.close()
    if _digest(_name + "~") != sha256:
        raise OSError("the device reads back something else")
    os.rename(_name + "~", _name)


def abandon():
    """Gives up the file that is being received, and leaves the file system in order."""
    if _file is not None:
        _file.close()
        _remove(_name + "~")


def commit(removed, *placed):
    """Removes files, puts files of STAGE in their places (name and path in turn), and tells the
    server; folders that become empty go too."""
    global _outdated
    for path in removed:
        _remove(path)
        _outdated = _outdated or not path.startswith(_SITE)
    for at in range(0, len(placed), 2):
        path = placed[at + 1]
        _make_folder(path.rpartition("/")[0])
        os.rename(STAGE + "/" + placed[at], path)
        _viperhttp.invalidate(path)
        _outdated = _outdated or not path.startswith(_SITE)
    for path in removed:
        _viperhttp.invalidate(path)
        _remove_empty(path.rpartition("/")[0])


def is_outdated():
    """Whether an application's file has changed since the application started."""
    return _outdated


def make_folders(*paths):
    """Makes folders that are not there."""
    for path in paths:
        _make_folder(path)


def compress(folder, min_size, level):
    """Makes the .gz siblings below a folder, and says what gzip_static returns."""
    from viperhttp.compression import gzip_static

    _answer(**gzip_static(folder, min_size, level))


def finish():
    """Removes STAGE."""
    for path, _ in list(_files(STAGE)):
        os.remove(path)
    _remove_empty(STAGE)


def _answer(**what):
    print(MARK + json.dumps(what))


def _is_serving():
    try:
        _viperhttp.server_stats()
        return True
    except RuntimeError:
        return False


def _is_littlefs():
    magic = bytearray(8)
    for block in (0, 1):  # its superblock is a pair
        bdev.readblocks(block, magic, 8)
        if magic == b"littlefs":
            return True
    return False


def _files(path):
    """Path and size of a file, or of all files below a folder; nothing if it is not there."""
    try:
        mode = os.stat(path)
    except OSError:
        return
    if not mode[0] & _FOLDER:
        yield path, mode[6]
        return
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        for entry in os.ilistdir(folder):
            below = folder + "/" + entry[0]
            if entry[1] & _FOLDER:
                waiting.append(below)
            else:
                yield below, entry[3]


def _digest(path):
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        count = file.readinto(buffer)
        while count:
            digest.update(view[:count])
            count = file.readinto(buffer)
    return binascii.hexlify(digest.digest()).decode()


def _make_folder(path):
    made = ""
    for name in path.split("/")[1:]:
        made += "/" + name
        try:
            os.mkdir(made)
        except OSError:
            pass  # it is there; if it is not, opening the file says why


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it is gone already


def _remove_empty(folder):
    while folder:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = folder.rpartition("/")[0]
