#!/bin/sh
# SPDX-License-Identifier: MIT
# esp-idf-nvs-partition-gen 0.3.0: a quoted value of several lines loses those that begin with `#`.
#
# Expected: what stands between quotes is the value, line ends and all, as CSV has it; values of several
# lines are meant to work (https://github.com/espressif/esp-idf/issues/7175).
# Happens: lines that begin with `#` are taken out as comments before the CSV is read. A style sheet, a
# script or a list of settings arrives on the device without them.
#
# Seen:
#     given:  'body { margin: 0 }\n#menu { width: 9em }\np { color: red }\n'
#     stored: 'body { margin: 0 }\np { color: red }\n'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages esp-idf-nvs-partition-gen==0.3.0 esp-pylib==1.2.0 \
    rich==15.0.0 cryptography==50.0.2 cffi==2.1.1 pycparser==3.12 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >show.py <<'END'
import csv
import re
import subprocess
import sys

style = "body { margin: 0 }\n#menu { width: 9em }\np { color: red }\n"
with open("nvs.csv", "w", newline="") as file:
    csv.writer(file).writerows(
        [["key", "type", "encoding", "value"], ["web", "namespace", "", ""], ["css", "data", "string", style]]
    )
command = [sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate", "nvs.csv", "nvs.bin", "0x3000"]
done = subprocess.run(command, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stdout + done.stderr)
with open("nvs.bin", "rb") as file:
    stored = re.search(rb"body[^\0]*", file.read())[0].decode()
print(f"given:  {style!r}")
print(f"stored: {stored!r}")
END
python3 show.py | tee seen
cmp - seen <<'END'
given:  'body { margin: 0 }\n#menu { width: 9em }\np { color: red }\n'
stored: 'body { margin: 0 }\np { color: red }\n'
END
