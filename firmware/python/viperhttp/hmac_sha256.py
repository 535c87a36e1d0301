# SPDX-License-Identifier: MIT
"""HMAC-SHA256 (RFC 2104), and a comparison that tells nothing by the time it takes."""

import binascii
import hashlib

_BLOCK = 64  # bytes of SHA-256's blocks


def hmac_sha256(key, message):
    """The HMAC-SHA256 of bytes with a key, bytes of any length, as 64 hex digits."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    block = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in block]))
    inner.update(message)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in block]))
    outer.update(inner.digest())
    return binascii.hexlify(outer.digest()).decode()


def are_equal(one, other):
    """Compares two str in a time that does not tell where they differ."""
    one, other = one.encode(), other.encode()
    difference = len(one) ^ len(other)
    for a, b in zip(one, other):
        difference |= a ^ b
    return difference == 0
