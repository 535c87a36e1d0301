#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes what ESP-IDF's installer makes: tools for the chips that are named, a Python environment.
set -eu
idf_path=$(cd "$(dirname "$0")" && pwd)
echo "INFO: Using IDF_PATH '$idf_path' for installation."
exec python3 "$idf_path/tools/idf_tools.py" "$@"
