#!/bin/sh
# SPDX-License-Identifier: MIT
# rjsmin 1.3.0: a division behind ++ or -- is a regex to it, and strings further on lose characters.
#
# Expected: white space and comments go, and what is between quotes stays.
# Happens: `/` behind `++` begins a regex, which ends at the next `/` of the line, within a string. From
# there on quotes are the wrong way round: spaces of strings go, and what follows `//` in one goes
# as a comment, with the rest of the line.
#
# Source: https://github.com/ndparker/rjsmin/issues/17, where the opposite case was mended.
#
# Seen:
#     half = n++ / 2;  unit = "km/h  "; -> half=n++/ 2;  unit = "km/h";
#     half = (n++) / 2;  unit = "km/h  "; -> half=(n++)/2;unit="km/h  ";
#     half = n-- / 2;  page = "a/b//c"; -> half=n--/ 2;  page = "a/b
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages rjsmin==1.3.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >minify.py <<'END'
import rjsmin

for script in (
    'half = n++ / 2;  unit = "km/h  ";',
    'half = (n++) / 2;  unit = "km/h  ";',
    'half = n-- / 2;  page = "a/b//c";',
):
    print(f"{script} -> {rjsmin.jsmin(script)}")
END
python3 minify.py | tee seen
cmp - seen <<'END'
half = n++ / 2;  unit = "km/h  "; -> half=n++/ 2;  unit = "km/h";
half = (n++) / 2;  unit = "km/h  "; -> half=(n++)/2;unit="km/h  ";
half = n-- / 2;  page = "a/b//c"; -> half=n--/ 2;  page = "a/b
END
