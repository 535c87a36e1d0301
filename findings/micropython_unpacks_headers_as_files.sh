#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.27.0, its library's tarfile: what Python and GNU tar pack unpacks with files nobody put in.
#
# Expected: the names that were put in. Python has written tar files as pax since 3.8, GNU tar writes its
# own form.
# Happens: the headers that these put before a file are taken for files, and names end after 100 bytes.
# pax has such a header before each file whose time has a fraction, so `tarfile.add` of an ordinary
# file is enough; an update that a device unpacks writes `./@PaxHeader` over and over.
# `format=tarfile.USTAR_FORMAT` is read as it was meant, while no path is longer than 100 bytes.
#
# The interpreter, with the library, is that of @micropython/micropython-webassembly-pyscript.
#
# Seen:
#     packed by Python: app.py, and a name of 104 bytes that ends with page-.html
#     pax: ././@PaxHeader, app.py, ././@PaxHeader, 100 bytes, ending with ge-page-.
#     gnu: app.py, ././@LongLink, 100 bytes, ending with ge-page-.
#     ustar, without the long name: app.py
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund \
    @micropython/micropython-webassembly-pyscript@1.27.0 >packages.log 2>&1 || { cat packages.log; exit 2; }

cat >pack.py <<'END'
import os
import tarfile

long = "www/" + "page-" * 19 + ".html"
os.mkdir("www")
for name in ("app.py", long):
    with open(name, "wb"):
        pass
    os.utime(name, (1.5, 1.5))
for name, form in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("ustar", tarfile.USTAR_FORMAT)):
    with tarfile.open(f"{name}.tar", "w", format=form) as packed:
        packed.add("app.py")
        if name != "ustar":
            packed.add(long)
print(f"packed by Python: app.py, and a name of {len(long)} bytes that ends with {long[-10:]}")
assert tarfile.DEFAULT_FORMAT == tarfile.PAX_FORMAT
END
cat >unpack.mjs <<'END'
import { readFileSync } from "node:fs";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const micropython = await loadMicroPython({ stdout: (line) => console.log(line) });
for (const name of ["pax", "gnu", "ustar"]) micropython.FS.writeFile(`/${name}.tar`, readFileSync(`${name}.tar`));
micropython.runPython(`
import tarfile

def short(name):
    return name if len(name) < 20 else "%d bytes, ending with %s" % (len(name), name[-9:])

for form in ("pax", "gnu", "ustar"):
    heading = {"ustar": "ustar, without the long name"}.get(form, form)
    print("%s: %s" % (heading, ", ".join(short(entry.name) for entry in tarfile.TarFile("/%s.tar" % form))))
`);
END
{
    python3 pack.py
    node unpack.mjs
} | tee seen
cmp - seen <<'END'
packed by Python: app.py, and a name of 104 bytes that ends with page-.html
pax: ././@PaxHeader, app.py, ././@PaxHeader, 100 bytes, ending with ge-page-.
gnu: app.py, ././@LongLink, 100 bytes, ending with ge-page-.
ustar, without the long name: app.py
END
