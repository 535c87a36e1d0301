# SPDX-License-Identifier: MIT
"""Where the memory is."""

import gc

import _viperhttp

try:
    from esp32 import HEAP_DATA, idf_heap_info
except ImportError:  # the virtual board has no heaps beside the interpreter's
    idf_heap_info = None

_PSRAM_FROM = 1 << 20  # bytes; no region of internal RAM is as large as a PSRAM chip


def memory_stats():
    """Bytes: the interpreter's heap, what a running server takes of internal RAM and PSRAM, and on
    an ESP32 what ESP-IDF has free in either.
    """
    internal, psram = _viperhttp.server_memory()
    stats = {
        "heap_used": gc.mem_alloc(),
        "heap_free": gc.mem_free(),
        "server_internal": internal,
        "server_psram": psram,
    }
    if idf_heap_info is not None:
        regions = idf_heap_info(HEAP_DATA)  # (size, free, ...) of each
        stats["internal_free"] = sum(region[1] for region in regions if region[0] < _PSRAM_FROM)
        stats["psram_free"] = sum(region[1] for region in regions if region[0] >= _PSRAM_FROM)
    return stats
