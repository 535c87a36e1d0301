# SPDX-License-Identifier: MIT
"""The application's handlers, in the firmware that was built: `./scons test`."""

from viperhttp.testing import TestClient


def test_the_page_is_served():
    with TestClient() as client:
        page = client.get("/")
    assert page.status_code == 200
    assert "api/uptime" in page.text


def test_uptime_is_a_number():
    with TestClient() as client:
        assert client.get("/api/uptime").json()["seconds"] >= 0
