# SPDX-License-Identifier: MIT
"""A reset that a request asks for, and how a client sees that it has happened."""

import asyncio
import binascii
import os

import machine

from viperhttp.responses import Response

BOOT = binascii.hexlify(os.urandom(8)).decode()  # another one after each reset

_ANSWER_MS = 200  # the answer goes out before the reset

_resetting = None  # the task that will


def soon():
    """Resets the device in a moment; the response that says so."""
    global _resetting
    _resetting = asyncio.create_task(_reset())
    return Response(status_code=202)


async def _reset():
    await asyncio.sleep_ms(_ANSWER_MS)
    machine.reset()
