#!/bin/sh
# SPDX-License-Identifier: MIT
# pyserial 3.5, RFC 2217: setting a time-out sends the whole configuration of the port again.
#
# Expected: how long `read` waits is a matter of the client, and nothing goes over the line.
# Happens: `timeout = ...` calls _reconfigure_port, which sends baud rate, data size, parity, stop
# size and flow control, and waits for the server's answers. A program that changes its time-outs
# often, as esptool does around each command, spends most of its time so.
#
# Seen, by a server that counts:
#     3 new time-outs: SET_BAUDRATE 3, SET_DATASIZE 3, SET_PARITY 3, SET_STOPSIZE 3
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install -q --target packages pyserial==3.5 2>packages.log || { cat packages.log; exit 2; }
export PYTHONPATH="$folder/packages"

python3 -W ignore - <<'EOF'
import collections, socket, threading
import serial, serial.rfc2217 as rfc2217

asked = collections.Counter()
names = {
    value: name
    for name in ("SET_BAUDRATE", "SET_DATASIZE", "SET_PARITY", "SET_STOPSIZE")
    for value in [getattr(rfc2217, name)]
}

class Manager(rfc2217.PortManager):
    def _telnet_process_subnegotiation(self, option):
        if option[0:1] == rfc2217.COM_PORT_OPTION and option[1:2] in names:
            asked[names[option[1:2]]] += 1
        super()._telnet_process_subnegotiation(option)

class Connection:
    def __init__(self, client):
        self.client = client

    def write(self, data):
        self.client.sendall(data)

def serve(listener):
    client, _ = listener.accept()
    manager = Manager(serial.serial_for_url("loop://"), Connection(client))
    while data := client.recv(1024):
        for _ in manager.filter(data):
            pass

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
port = serial.serial_for_url(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", timeout=1)
asked.clear()
for seconds in (2, 3, 4):
    port.timeout = seconds
counts = ", ".join(f"{name} {count}" for name, count in sorted(asked.items()))
print(f"3 new time-outs: {counts}")
port.close()
assert counts == "SET_BAUDRATE 3, SET_DATASIZE 3, SET_PARITY 3, SET_STOPSIZE 3"
EOF
