#!/bin/sh
# SPDX-License-Identifier: MIT
# pyfatfs 1.1.0: it installs, and cannot be imported, beside setuptools 82 and later.
#
# Expected: a package whose requirements are installed can be imported.
# Happens: its dependency fs 2.4.16 imports pkg_resources, which setuptools no longer has, and no
# requirement says so.
#
# Seen:
#     setuptools 80.9.0 -> imported
#     setuptools 82.0.0 -> ModuleNotFoundError: No module named 'pkg_resources'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 80.9.0 82.0.0; do
    python3 -m pip install -q --target "$version" pyfatfs==1.1.0 fs==2.4.16 "setuptools==$version" \
        2>pip.log || { cat pip.log; exit 2; }
    # -S: with no other packages.
    said=$(PYTHONPATH="$folder/$version" python3 -S -W ignore -c '
import pyfatfs.PyFatFS
print("imported")' 2>&1 | tail -n 1)
    echo "setuptools $version -> $said"
done | tee seen
cmp - seen <<'EOF'
setuptools 80.9.0 -> imported
setuptools 82.0.0 -> ModuleNotFoundError: No module named 'pkg_resources'
EOF
