#!/bin/sh
# SPDX-License-Identifier: MIT
# MkDocs 1.6.1: with --quiet, --strict lets a broken link pass.
#
# Expected: --strict ends with status 1 at a warning, and --quiet only says less.
# Happens: a warning that --quiet does not show is not counted, and the build succeeds.
#
# Seen:
#     mkdocs build --strict -> status 1
#     mkdocs build --strict --quiet -> status 0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages mkdocs==1.6.1 click==8.5.1 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"
mkdir docs
printf '# A page\n\n[a link](that-is-broken.md)\n' >docs/index.md
echo 'site_name: A site' >mkdocs.yml

build() {
    status=0
    python3 -m mkdocs build "$@" >/dev/null 2>&1 || status=$?
    echo "mkdocs build $* -> status $status"
}

build --strict | tee seen
build --strict --quiet | tee -a seen
printf 'mkdocs build --strict -> status 1\nmkdocs build --strict --quiet -> status 0\n' | cmp - seen
