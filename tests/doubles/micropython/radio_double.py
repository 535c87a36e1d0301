# SPDX-License-Identifier: MIT
"""A double of the radio and of NVS for the virtual board; boot.py imports it first.

It takes and refuses what MicroPython's esp32 port does (ports/esp32/network_wlan.c, esp32_nvs.c,
v1.27.0) and the ESP-IDF below it. One network is in reach, "the attic". What NVS keeps is in
/nvs.json, bytes as numbers.
"""

import binascii
import hashlib
import json
import sys

import esp32

PASSWORD_SHA256 = ""  # of the network in reach; the test that made it up puts it here


class NVS:
    def __init__(self, namespace):
        assert len(namespace) <= 15
        self._values = {}
        try:
            with open("/nvs.json") as file:
                self._values = json.load(file)
        except OSError:
            pass

    def set_blob(self, key, value):
        assert len(key) <= 15 and isinstance(value, bytes)
        self._values[key] = list(value)

    def get_blob(self, key, buffer):
        if key not in self._values:
            raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
        value = bytes(self._values[key])
        if len(value) > len(buffer):
            raise OSError(-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value)] = value
        return len(value)

    def commit(self):
        with open("/nvs.json", "w") as file:
            json.dump(self._values, file)


class Network:
    STA_IF, AP_IF = 0, 1
    AUTH_WPA2_PSK = 3
    STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_GOT_IP = 201, 202, 1010

    def __init__(self):
        self._interfaces = {}

    def WLAN(self, interface):
        if interface not in self._interfaces:
            self._interfaces[interface] = (Station, AccessPoint)[interface]()
        return self._interfaces[interface]


class Interface:
    def __init__(self):
        self._active = False

    def active(self, on=None):
        if on is not None:
            self._active = on
        return self._active

    def _require_active(self):
        if not self._active:
            raise OSError("Wifi Not Started")


class Station(Interface):
    def __init__(self):
        super().__init__()
        self._status = 1000

    def connect(self, name, password=None):
        self._require_active()
        self._status = Network.STAT_NO_AP_FOUND
        if name == "the attic":
            digest = binascii.hexlify(hashlib.sha256(password.encode()).digest()).decode()
            right = digest == PASSWORD_SHA256
            self._status = Network.STAT_GOT_IP if right else Network.STAT_WRONG_PASSWORD

    def isconnected(self):
        return self._status == Network.STAT_GOT_IP

    def status(self):
        return self._status

    def ipconfig(self, what):
        assert what == "addr4"
        return ("192.168.0.17", "255.255.255.0")


class AccessPoint(Interface):
    def config(self, what=None, **settings):
        self._require_active()
        if what is not None:
            assert what == "mac"
            return b"\x02\x00\x00\x00\xe1\x46"
        if set(settings) - {"ssid", "security", "key", "channel", "hidden", "max_clients"}:
            raise ValueError("unknown config param")
        assert settings["security"] == Network.AUTH_WPA2_PSK and len(settings["key"]) >= 8
        print("radio: %(ssid)s with %(key)s" % settings)

    def ipconfig(self, what):
        assert what == "addr4"
        return ("192.168.4.1", "255.255.255.0")


class Esp32:
    Partition = esp32.Partition
    NVS = NVS


sys.modules["esp32"] = Esp32
sys.modules["network"] = Network()
