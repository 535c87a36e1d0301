# SPDX-License-Identifier: MIT
"""Which files of core/ each test of C links, so that hidden dependencies show."""

from __future__ import annotations

TESTS = {
    "test_parser": ["parser", "characters"],
    "test_ring": ["ring"],
    "test_paths": ["mime", "path", "router"],
    "test_response": ["response", "status", "http_date"],
    "test_routes": ["route", "value", "path"],
    "test_negotiation": ["negotiation"],
    "test_deadlines": ["deadlines"],
    "test_body": ["body", "characters"],
    "test_conditions": ["byte_range", "http_date"],
    "test_cache": ["cache"],
    "test_json_text": ["json_text", "path"],
    "test_file_reader": ["file_reader", "crc32", "ring"],
}
GZIP = ["gzip", "deflate", "huffman", "crc32"]
