#!/bin/sh
# SPDX-License-Identifier: MIT
# esp-idf-kconfig 3.14.0: an int of 010 is ten in its limits and for JSON, and eight in C.
#
# Expected: one value, or an error.
# Happens: Kconfig reads decimal digits, so 010 is ten, within a range of 9 to 100; the text is handed to
# the header as it stands, where C reads a leading zero as octal. Digits 8 and 9 do not compile. 2.5.2,
# which ESP-IDF 5.5 uses, does the same.
#
# Seen:
#     sdkconfig: CONFIG_RETRIES=010
#     JSON: "RETRIES": 10
#     header: #define CONFIG_RETRIES 010
#     C prints 8
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages esp-idf-kconfig==3.14.0 esp-pylib==1.2.0 \
    pyparsing==3.3.3 textual==8.2.8 rich==15.0.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"
cat >Kconfig <<'END'
config RETRIES
    int "How often it tries again"
    range 9 100
    default 20
END
echo 'CONFIG_RETRIES=010' >sdkconfig.defaults
python3 -m kconfgen --kconfig Kconfig --defaults sdkconfig.defaults --env IDF_VERSION=5.5 \
    --output config sdkconfig --output header sdkconfig.h --output json sdkconfig.json >kconfgen.log 2>&1 ||
    { cat kconfgen.log; exit 2; }
cat >print.c <<'END'
#include <stdio.h>

#include "sdkconfig.h"

int main(void) { printf("C prints %d\n", CONFIG_RETRIES); }
END
cc -o print print.c
{
    echo "sdkconfig: $(grep ^CONFIG_RETRIES= sdkconfig)"
    echo "JSON: $(grep -o '"RETRIES": [0-9]*' sdkconfig.json)"
    echo "header: $(grep 'define CONFIG_RETRIES' sdkconfig.h)"
    ./print
} | tee seen
cmp - seen <<'END'
sdkconfig: CONFIG_RETRIES=010
JSON: "RETRIES": 10
header: #define CONFIG_RETRIES 010
C prints 8
END
