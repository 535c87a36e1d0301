# SPDX-License-Identifier: MIT
"""The demo site in a real browser: what it shows is what the server counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from chromium import Chromium, Page

LIVE = "document.documentElement.dataset.state === 'live'"
SILENT = "document.documentElement.dataset.state === 'silent'"


def scrape(host: str) -> str:
    with urlopen(f"{host}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def metric(text: str, series: str) -> float:
    """The value of one series, written as /metrics writes it."""
    (value,) = re.findall(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(value)


def total(text: str, name: str) -> float:
    """The sum of all series of one name."""
    values = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    assert values, f"/metrics reports no {name}"
    return sum(map(float, values))


def shown(page: Page, selector: str, what: str = "value") -> str | None:
    """What the page shows for a metric, exact or as `innerText`; None where it shows nothing."""
    text: str | None = page.evaluate(
        "[...document.querySelectorAll('[data-metric]')]"
        f".filter((e) => e.dataset.metric === {json.dumps(selector)} && e.checkVisibility())"
        f".map((e) => e.{what})[0] ?? null"
    )
    return text


@pytest.fixture
def page(browser: Chromium, http_host: str) -> Iterator[Page]:
    page = browser.open(f"{http_host}/", width=1280)
    page.wait_until(LIVE)
    yield page
    page.close()


def test_shows_what_the_server_counts(page: Page, http_host: str) -> None:
    for name in ("viperhttp_uptime_seconds", "viperhttp_responses_total"):
        before = total(scrape(http_host), name)
        page.wait_until(
            "[...document.querySelectorAll('[data-metric]')].some((e) =>"
            f" e.dataset.metric === '{name}' && Number(e.value) > {before})"
        )
        value = shown(page, name)
        assert value is not None
        assert before < float(value) <= total(scrape(http_host), name)


def test_shows_the_build_and_the_limits_of_this_server(page: Page, http_host: str) -> None:
    text = scrape(http_host)
    identity = page.evaluate("document.querySelector('.identity').innerText")
    info = re.search(r"^viperhttp_build_info\{(.*)\}", text, re.MULTILINE)
    assert info is not None
    for label in ("version", "build_id"):
        value = re.search(rf'{label}="([^"]+)"', info[1])
        assert value is not None
        assert value[1] in identity
    for series in (
        "viperhttp_connections_max",
        'viperhttp_ring_size_bytes{ring="responses"}',
    ):
        assert shown(page, series) == f"{metric(text, series):.0f}"
    limit = shown(page, "viperhttp_connections_max", "innerText")
    assert limit == f"{metric(text, 'viperhttp_connections_max'):,.0f}"


def test_hides_a_figure_that_the_server_does_not_report(page: Page, http_host: str) -> None:
    assert shown(page, "viperhttp_sent_bytes_total") is not None
    without = "".join(
        line for line in scrape(http_host).splitlines(True) if "viperhttp_sent_bytes" not in line
    )
    page.substitute(f"{http_host}/metrics", without)
    page.wait_until("!document.getElementById('sent').checkVisibility()")
    assert shown(page, "viperhttp_sent_bytes_total") is None
    assert shown(page, "viperhttp_connections_max") is not None


def test_says_that_the_server_is_silent_and_recovers(page: Page) -> None:
    page.cut_off(True)
    page.wait_until(SILENT)
    status = page.evaluate("document.querySelector('[role=status]').textContent")
    assert re.fullmatch(r"No answer since \d\d:\d\d:\d\d", status)
    page.cut_off(False)
    page.wait_until(LIVE)
    assert page.evaluate("document.querySelector('[role=status]').textContent") == "Live"


def test_nothing_complains_in_the_console(page: Page) -> None:
    page.wait_until(  # a rate needs two answers: by then every part of the page has run
        "document.querySelector('[data-trend] .line').getAttribute('d')"
    )
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_is_no_wider_than_its_window(
    browser: Chromium, http_host: str, width: int, scheme: str
) -> None:
    page = browser.open(f"{http_host}/", width, scheme)
    try:
        page.wait_until(LIVE)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
    finally:
        page.close()
