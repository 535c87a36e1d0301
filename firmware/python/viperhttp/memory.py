# SPDX-License-Identifier: MIT
"""Where the memory is, and how the device is."""

import gc

import _viperhttp


def memory_stats():
    """Bytes: the interpreter's heap, what a running server takes of internal RAM and PSRAM, and on
    an ESP32 what ESP-IDF has of each kind of memory (free, least_free ever, largest block) and what
    each task's stack never used. Counts: sockets, what lwIP dropped, resets and stalls since the
    power came; and the reason of the last start.
    """
    internal, psram = _viperhttp.server_memory()
    stats = {
        "heap_used": gc.mem_alloc(),
        "heap_free": gc.mem_free(),
        "server_internal": internal,
        "server_psram": psram,
    }
    stats.update(_viperhttp.system_figures())
    return stats
