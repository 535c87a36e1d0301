# SPDX-License-Identifier: MIT
"""The device's side of `./scons sync`: called from the REPL, and by viperhttp.sync_routes.

A file comes whole or not at all: `begin`, `write` and `end` leave it in `FOLDER` under a name that
says what it is to be, where an interrupted sync finds it again. `switch` puts all of them in their
places, by an intent that comes as a file too: see sync_switch. Nothing in any place is overwritten
before.

The REPL's answers are lines that begin with `MARK`, among whatever else the application may print.
"""

import binascii
import io
import json
import os
import time

import _viperhttp
import deflate
import machine
import sync_switch
from flashbdev import bdev
from sync_switch import FOLDER

MARK = "\x02viper:"

_SITE = "/www"  # what is there the server reads anew by itself
_IS_FOLDER = 0x4000  # in the mode that os.ilistdir gives
_CHUNK = 4096
_STEPS = 16  # of a switch, after which it says that it goes on
_KNOWN = 12  # digits of a digest that tell it from others

_file = None  # what is being received
_name = ""
_outdated = False  # see is_outdated
_switched_ms = None  # when the last switch ended


def manifest(known=""):
    """Tells the REPL what there is."""
    for what in entries(known):
        _answer(**what)


def entries(known):
    """What there is, a dict each: the first is about the device, the last one counts the others.

    {"ours": record}              of what is ours, unless `known` has the beginning of its digest
    {"path", "sha256"}            a file of it that is not as its record says; "" if it is gone
    {"path", "size"}              a file of the site that is not ours ...
    {"path", "size", "made"}      ... a .gz that the device made of one that is: its digest
    """
    sync_switch.complete(_tell_server)
    digest = _ours()
    yield {
        "build": _viperhttp.version().build_id,
        "mac": binascii.hexlify(machine.unique_id()).decode(),
        "fs": "littlefs" if _is_littlefs() else "fat",
        "free": _free(),
        "serving": _is_serving(),
        "ours": digest,
        "waiting": [name for name in _names(FOLDER) if not name.startswith("ours")],
        "switched_s": _switched_ms and time.ticks_diff(time.ticks_ms(), _switched_ms) // 1000,
    }
    count = 0
    paths = set()
    if digest[:_KNOWN] not in known:
        for note in sync_switch.notes():
            for record in sync_switch.records(note):
                yield {"ours": record}
                count += 1
    for record in sync_switch.noted():
        path = record[1]
        paths.add(path)
        there = sync_switch.digest(path) or ""
        if there != record[2]:
            yield {"path": path, "sha256": there}
            count += 1
    for path, size in _files(_SITE):
        if path not in paths:
            found = {"path": path, "size": size}
            if path.endswith(".gz") and path[:-3] in paths and _is_made(path):
                found["made"] = sync_switch.digest(path)
            yield found
            count += 1
    yield {"files": count}


def look(*paths):
    """Tells the REPL what is at some paths."""
    for what in found(paths):
        _answer(**what)


def found(paths):
    """What is at some paths, whoever put it there, and however it is spelt: a dict each.

    {"path", "sha256"} a file; {"folder"} a folder, and then the files below it. Where there is
    nothing, because there is a file where the path has a folder, that file. With "called", paths of
    files, the path is a FAT's short name of one of them, and nothing is called so.
    """
    for path in paths:
        if sync_switch.is_folder(path):
            yield {"folder": path}
            for below, _ in _files(path):
                yield {"path": below, "sha256": sync_switch.digest(below)}
            continue
        while path and not sync_switch.is_file(path):
            path = path.rpartition("/")[0]
        if path:
            what = {"path": path, "sha256": sync_switch.digest(path)}
            called = _called(**what)
            if called:
                what["called"] = called
            yield what


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
    """Starts to receive a file, under a name in FOLDER; or goes on at its byte `at`."""
    global _file, _name
    if not at:
        sync_switch.make_folder(FOLDER)
    _name = FOLDER + "/" + name
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
    if sync_switch.digest(_name + "~") != sha256:
        raise OSError("the device reads back something else")
    os.rename(_name + "~", _name)


def abandon():
    """Gives up the file that is being received, and leaves the file system in order."""
    if _file is not None:
        _file.close()
        _remove(_name + "~")


def copy(path, name, sha256):
    """Receives a file that the device has already, at a path; OSError if it is another one now."""
    sync_switch.make_folder(FOLDER)
    waiting = FOLDER + "/" + name
    if sync_switch.copy_file(path, waiting + "~") != sha256:
        _remove(waiting + "~")
        raise OSError("%s has changed" % path)
    os.rename(waiting + "~", waiting)


def forget(*names):
    """Tells the REPL what `forgotten` does."""
    _answer(**forgotten(names))


def forgotten(names):
    """Removes what waits in FOLDER for places that it shall not take; {"free": bytes}."""
    for name in names:
        _remove(FOLDER + "/" + name)
    return {"free": _free()}


def switch(name):
    """Tells the REPL what `switching` does."""
    for what in switching(name):
        _answer(**what)


def switching(name):
    """Puts files in their places, as an intent says that waits under a name.

    A dict each: {"step"} now and then, for it may take a while, and at last "changed", the paths
    that are not what the intent expects. If there was any in the beginning, nothing is done; else
    "ours" is the digest of what is ours, and "free" how many bytes are.
    """
    global _switched_ms
    intent = FOLDER + "/" + name
    changed = sync_switch.unexpected(intent)
    if changed:
        os.remove(intent)
        yield {"changed": changed}
        return
    sync_switch.begin(intent)
    for step in sync_switch.steps(changed, _tell_server):
        if step % _STEPS == 0:
            yield {"step": step}
    _switched_ms = time.ticks_ms()
    yield {"changed": changed, "ours": _ours(), "free": _free()}


def is_outdated():
    """Whether an application's file has changed since the application started."""
    return _outdated


def make_folders(*paths):
    """Makes folders that are not there."""
    for path in paths:
        sync_switch.make_folder(path)


def compress(folder, min_size, level):
    """Makes the .gz siblings below a folder, and says what gzip_static returns."""
    from viperhttp.compression import gzip_static

    _answer(**gzip_static(folder, min_size, level))


def _answer(**what):
    print(MARK + json.dumps(what))


def _tell_server(path):
    global _outdated
    _viperhttp.invalidate(path)
    _outdated = _outdated or not path.startswith(_SITE + "/")


def _ours():
    """What tells one state of what is ours from others; empty if nothing is noted."""
    return sync_switch.digest(*sync_switch.notes()) or ""


def _free():
    mount = os.statvfs("/")
    return mount[1] * mount[3]


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


def _called(path, sha256):
    """The files that may be meant by a path, if a FAT knows one of them by such a name too."""
    folder, _, name = path.rpartition("/")
    names = _names(folder or "/") if "~" in name else []
    if name.upper() in [each.upper() for each in names]:
        return []
    paths = [folder + "/" + each for each in names]
    return [each for each in paths if sync_switch.digest(each) == sha256]


def _is_made(path):
    from viperhttp.compression import is_made

    return is_made(path)


def _names(folder):
    try:
        return [entry[0] for entry in os.ilistdir(folder)]
    except OSError:
        return []


def _files(folder):
    """Path and size of all files below a folder; nothing if it is not there."""
    waiting = [folder] if sync_switch.is_folder(folder) else []
    while waiting:
        folder = waiting.pop()
        for entry in os.ilistdir(folder):
            below = folder + "/" + entry[0]
            if entry[1] & _IS_FOLDER:
                waiting.append(below)
            else:
                yield below, entry[3]


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it is gone already
