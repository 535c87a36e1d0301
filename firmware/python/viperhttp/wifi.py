# SPDX-License-Identifier: MIT
"""The network of a board: the one whose name and password it keeps, or else one of its own.

    from viperhttp import wifi

    wifi.start()

`./scons wifi` gives the name and the password to keep(). They are in the partition `nvs` and
nowhere else, and are not printed.
"""

import os
import time

try:
    import network
    from esp32 import NVS
except ImportError:  # the virtual board
    network = None

try:
    import viperhttp_overlay
except ImportError:  # an image for the board itself
    viperhttp_overlay = None

TIMEOUT_S = 15

_NAMESPACE = "viperhttp"  # in `nvs`
_LONGEST = 64  # bytes: a password in hex
_OWN_PASSWORD = 12  # characters, of 5 bits each
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def start():
    """Joins the network that the board keeps, or opens its own (WPA2), and prints the address.

    The password of its own network is made at random once, and printed here only. Returns the
    address; None where there is no Wi-Fi, or the network does not answer within TIMEOUT_S: it is
    tried on and on. In an image for an emulator it joins that one's network.
    """
    if viperhttp_overlay is not None:
        address = viperhttp_overlay.join()
        print("Network: http://%s/ within the emulator" % address)
        return address
    if network is None:
        print("Wi-Fi: this board has none")
        return None
    name = _kept("ssid")
    if name is None:
        return _open_own()
    try:
        address = join(name, _kept("password"))
    except OSError as error:
        print("Wi-Fi: %s; the board goes on trying" % error)
        return None
    print("Wi-Fi: http://%s/" % address)
    return address


def join(name, password=None):
    """Joins a network and returns the board's address there.

    OSError: it is not there, or does not let the board in, within TIMEOUT_S.
    """
    station = network.WLAN(network.STA_IF)
    station.active(True)
    if not station.isconnected():
        station.connect(name, password)
    deadline = time.ticks_add(time.ticks_ms(), TIMEOUT_S * 1000)
    while not station.isconnected():
        if time.ticks_diff(deadline, time.ticks_ms()) < 0:
            raise OSError(_reason(station.status()))
        time.sleep_ms(100)
    return station.ipconfig("addr4")[0]


def keep(name, password=""):
    """Keeps a network for start(); an empty password is that of an open one.

    RuntimeError: the board has no Wi-Fi.
    """
    if network is None:
        raise RuntimeError("this board has no Wi-Fi")
    store = NVS(_NAMESPACE)
    store.set_blob("ssid", name.encode())
    store.set_blob("password", password.encode())
    store.commit()


def _kept(key):
    """A text that the board keeps, None if it keeps none, or an empty one."""
    buffer = bytearray(_LONGEST)
    try:
        size = NVS(_NAMESPACE).get_blob(key, buffer)
    except OSError:
        return None
    return bytes(buffer[:size]).decode() or None


def _open_own():
    point = network.WLAN(network.AP_IF)
    # ESP-IDF configures an interface only once it is on, and its random numbers need the radio.
    point.active(True)
    password = _kept("own")
    if password is None:
        password = "".join(_ALPHABET[byte & 31] for byte in os.urandom(_OWN_PASSWORD))
        store = NVS(_NAMESPACE)
        store.set_blob("own", password.encode())
        store.commit()
    name = "ViperHTTP-%02X%02X" % tuple(point.config("mac")[-2:])
    point.config(ssid=name, security=network.AUTH_WPA2_PSK, key=password)
    address = point.ipconfig("addr4")[0]
    print("Wi-Fi: own network %s, password %s, http://%s/" % (name, password, address))
    return address


def _reason(status):
    if status == network.STAT_WRONG_PASSWORD:
        return "the network refuses the password"
    if status == network.STAT_NO_AP_FOUND:
        return "the network is not there"
    return "the network does not answer within %d s" % TIMEOUT_S
