# SPDX-License-Identifier: MIT
"""What an image for QEMU says at its start, and its network in place of Wi-Fi."""

import time

import network
from machine import Pin

TIMEOUT_S = 15


def tell():
    """Says on the console what this image is."""
    print("viperhttp: this image is for QEMU (boards/overlays/qemu), and not for a board")


def join():
    """Joins the network and returns the device's address there; OSError: there is none in time."""
    # The pins are those of a real MAC, which this is not; both chips have them.
    lan = network.LAN(mdc=Pin(21), mdio=Pin(18), phy_type=network.PHY_DP83848, phy_addr=1)
    lan.active(True)
    deadline = time.ticks_add(time.ticks_ms(), TIMEOUT_S * 1000)
    while not lan.isconnected():
        if time.ticks_diff(deadline, time.ticks_ms()) < 0:
            raise OSError("QEMU's network gives no address")
        time.sleep_ms(50)
    return lan.ipconfig("addr4")[0]
