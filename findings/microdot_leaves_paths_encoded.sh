#!/bin/sh
# SPDX-License-Identifier: MIT
# Microdot 2.7.0: a part of a path comes percent-encoded to its handler, one of a query decoded.
#
# Expected: /files/my%20page.html is the file "my page.html", as ?name=my%20page.html is.
# Happens: routes are matched against the path as it was sent, and so are the variables taken from it. A
# handler that looks the name up, or hands it to send_file, answers 404 to any name with a space or
# a letter beyond ASCII; browsers send all of those encoded.
#
# Seen:
#     /files/my%20page.html -> 'my%20page.html'
#     /files/gr%C3%BC%C3%9Fe.html -> 'gr%C3%BC%C3%9Fe.html'
#     /files?name=my%20page.html -> 'my page.html'
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages microdot==2.7.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >ask.py <<'END'
import asyncio

from microdot import Microdot
from microdot.test_client import TestClient

app = Microdot()


@app.get("/files/<path:name>")
async def by_path(request, name):
    return repr(name)


@app.get("/files")
async def by_query(request):
    return repr(request.args["name"])


async def main():
    client = TestClient(app)
    for target in ("/files/my%20page.html", "/files/gr%C3%BC%C3%9Fe.html", "/files?name=my%20page.html"):
        print(f"{target} -> {(await client.get(target)).text}")


asyncio.run(main())
END
python3 ask.py | tee seen
cmp - seen <<'END'
/files/my%20page.html -> 'my%20page.html'
/files/gr%C3%BC%C3%9Fe.html -> 'gr%C3%BC%C3%9Fe.html'
/files?name=my%20page.html -> 'my page.html'
END
