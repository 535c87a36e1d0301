# SPDX-License-Identifier: MIT
# Sourced by bash: what ESP-IDF's export.sh does to the environment. Like it, it returns 0 even
# when it fails.
idf_path=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
echo 'Checking "python3" ...'
if idf_exports=$(python3 "$idf_path/tools/activate.py"); then
    eval "$idf_exports"
fi
unset idf_path idf_exports
return 0
