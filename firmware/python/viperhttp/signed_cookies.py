# SPDX-License-Identifier: MIT
"""Values of cookies that nobody without a key can make: base64 of the text, a dot, and the
HMAC-SHA256 of the cookie's name and the base64 in hex. It holds for one name alone, and for ever:
what is to end has its time within the text."""

import binascii

from viperhttp.hmac_sha256 import are_equal, hmac_sha256


def signed(name, text, key):
    """The value of a cookie that holds a text. TypeError: `key` is neither str nor bytes.
    ValueError: it is empty."""
    coded = binascii.b2a_base64(text.encode()).decode().strip()
    return coded + "." + _seal(name, coded, key)


def verified(name, value, key):
    """The text that such a value holds; None for any other value."""
    coded, _, seal = value.partition(".")
    if not are_equal(_seal(name, coded, key), seal):
        return None
    return binascii.a2b_base64(coded).decode()


def _seal(name, coded, key):
    if not isinstance(key, (str, bytes, bytearray)):
        raise TypeError("the key of a signed cookie is str or bytes")
    if not key:
        raise ValueError("the key of a signed cookie is empty")
    key = key.encode() if isinstance(key, str) else key
    return hmac_sha256(key, (name + "=" + coded).encode())
