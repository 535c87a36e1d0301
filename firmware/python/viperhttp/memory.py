"""Where the memory is."""

import gc

import _viperhttp


def memory_stats():
    """Bytes: the interpreter's heap, and what a running server takes of internal RAM and PSRAM."""
    internal, psram = _viperhttp.server_memory()
    return {
        "heap_used": gc.mem_alloc(),
        "heap_free": gc.mem_free(),
        "server_internal": internal,
        "server_psram": psram,
    }
