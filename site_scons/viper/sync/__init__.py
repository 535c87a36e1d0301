# SPDX-License-Identifier: MIT
"""The files of a device brought up to date, over a cable or the network.

May use: base, image, device, flash.
"""
