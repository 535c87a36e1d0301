#!/bin/sh
# SPDX-License-Identifier: MIT
# SCons 4.11.1: with Decider("content-timestamp"), a file written twice in one second stays old.
#
# Expected: a file whose time of change differs is read again, and its content decides.
# Happens: SCons compares whole seconds. What was built from the first content of a second is taken
# for up to date when the file is written again in that second.
#
# Seen:
#     first content, at 1000000000.1 s -> built from: first
#     second content, at 1000000000.9 s -> built from: first
#     second content, at 1000000001.9 s -> built from: second
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages scons==4.11.1 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"
cat >SConstruct <<'EOF'
env = Environment(tools=[])
env.Decider("content-timestamp")
env.Command("target", "source", Copy("$TARGET", "$SOURCE"))
EOF

build() { # CONTENT SECONDS
    printf %s "$1" >source
    touch -d "@$2" source
    python3 -m SCons -Q target >/dev/null
    echo "$1 content, at $2 s -> built from: $(cat target)"
}

{
    build first 1000000000.1
    build second 1000000000.9
    build second 1000000001.9
} | tee seen
cmp - seen <<'EOF'
first content, at 1000000000.1 s -> built from: first
second content, at 1000000000.9 s -> built from: first
second content, at 1000000001.9 s -> built from: second
EOF
