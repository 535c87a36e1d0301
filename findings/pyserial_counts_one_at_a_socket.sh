#!/bin/sh
# SPDX-License-Identifier: MIT
# pyserial 3.5, socket://: in_waiting is 1, however many bytes have come.
#
# Expected: "the number of bytes in the input buffer", as on a serial port and at rfc2217://.
# Happens: it is the number of sockets that can be read, of one. `read(port.in_waiting)`, the usual loop
# of terminals and flashing tools, takes a byte at a time, and a program that waits until
# in_waiting has reached the length of an answer waits for ever.
#
# Source: https://github.com/pyserial/pyserial/issues/759
#
# Seen:
#     loop://: 1000 bytes sent, in_waiting 1000, read(in_waiting) called 1 times
#     socket://: 1000 bytes sent, in_waiting 1, read(in_waiting) called 1000 times
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages pyserial==3.5 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

cat >count.py <<'END'
import socket
import time

import serial


def show(name, port):
    waiting = port.in_waiting
    calls, got = 0, 0
    while got < 1000:
        got += len(port.read(port.in_waiting))
        calls += 1
    print(f"{name}: {got} bytes sent, in_waiting {waiting}, read(in_waiting) called {calls} times")


loop = serial.serial_for_url("loop://", timeout=10)
loop.write(bytes(1000))
show("loop://", loop)

with socket.create_server(("127.0.0.1", 0)) as listener:
    port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=10)
    device, _ = listener.accept()
    device.sendall(bytes(1000))
    while not port.in_waiting:
        time.sleep(0.01)
    show("socket://", port)
END
python3 count.py | tee seen
cmp - seen <<'END'
loop://: 1000 bytes sent, in_waiting 1000, read(in_waiting) called 1 times
socket://: 1000 bytes sent, in_waiting 1, read(in_waiting) called 1000 times
END
