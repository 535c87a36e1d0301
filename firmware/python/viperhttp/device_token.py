# SPDX-License-Identifier: MIT
"""The device's token: the secret by which it knows who may change it over the network.

FILE holds the token's SHA-256, in hex, where `./scons token` puts it; the token itself is random
and only with those who may. It is the key of viperhttp.sealed, so who reads FILE may change the
device.
"""

import binascii

import machine

FILE = "/device.token"


def keep(sha256):
    """Makes the token with this SHA-256, in hex, the device's only one. Returns its MAC address."""
    with open(FILE, "w") as file:
        file.write(sha256 + "\n")
    return mac()


def key():
    """The 32 bytes that FILE holds; None while the device has no token."""
    try:
        with open(FILE) as file:
            known = binascii.unhexlify(file.read().strip())
    except (OSError, ValueError):
        return None
    return known if len(known) == 32 else None


def mac():
    """The device's MAC address, 12 hex digits."""
    return binascii.hexlify(machine.unique_id()).decode()
