"""Who may change the device over the network: whoever has its token.

    api = viperhttp.Router("/api", deps=[Depends(device_token.require)])

Requests carry `Authorization: Bearer TOKEN`. The device holds the SHA-256 of the token, in hex, in
FILE, where `./scons token` puts it; the token itself is random and only with those who may.
"""

import binascii
import hashlib

import machine

from viperhttp.errors import HTTPException
from viperhttp.request import current_request

FILE = "/device.token"

_SCHEME = "Bearer "


def keep(sha256):
    """Makes the token with this SHA-256, in hex, the device's only one. Returns its MAC address."""
    with open(FILE, "w") as file:
        file.write(sha256 + "\n")
    return _mac()


def require():
    """HTTPException 403 while the device has no token; 401 for a request without it, whose realm
    is the device's MAC address."""
    try:
        with open(FILE) as file:
            known = binascii.unhexlify(file.read().strip())
    except (OSError, ValueError):
        raise HTTPException(403, "the device has no token") from None
    given = current_request().headers.get("authorization", "")
    token = given[len(_SCHEME) :] if given.startswith(_SCHEME) else ""
    if not _are_equal(hashlib.sha256(token.encode()).digest(), known):
        fields = {"WWW-Authenticate": 'Bearer realm="%s"' % _mac()}
        raise HTTPException(401, "not the device's token", fields)


def _are_equal(one, other):
    """Compares in a time that does not tell where they differ."""
    difference = len(one) ^ len(other)
    for i in range(min(len(one), len(other))):
        difference |= one[i] ^ other[i]
    return difference == 0


def _mac():
    return binascii.hexlify(machine.unique_id()).decode()
