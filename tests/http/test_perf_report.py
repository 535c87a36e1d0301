# SPDX-License-Identifier: MIT
"""The page of a run of perf, in a real browser that has no network."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import Chromium, Page
from performance_records import Series
from viper.performance.command import judge
from viper.performance.history import History
from viper.performance.record import FAILED
from viper.performance.report import write_page
from viper.performance.request import Request


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Of a run that is worse than the four before it."""
    series = Series(1, 0.01)
    for number in range(4):
        record = series.record(build=f"b{number}", profiles=("static", "light"))
        History(tmp_path).save(record, "text")
    slow = series.record(
        build="<b4>", profiles=("static", "light"), slow_path=("/b", 1.0), tag="slow"
    )
    outcome = judge(slow, History(tmp_path), [], Request("host"))
    write_page(tmp_path / "perf.html", outcome)
    return tmp_path / "perf.html"


def opened(browser: Chromium, path: Path, width: int, scheme: str = "light") -> Page:
    page = browser.open("about:blank", width, scheme)
    page.cut_off(True)
    page.call("Page.navigate", {"url": path.as_uri()})
    page.wait_until("document.readyState === 'complete' && document.querySelector('h1')")
    return page


def test_says_what_was_found(browser: Chromium, report: Path) -> None:
    page = opened(browser, report, 1280)
    assert page.evaluate("document.querySelector('h1').innerText") == "Worse"
    said = page.evaluate("document.querySelector('ul.words').innerText")
    assert "light burst rate: " in said and "mostly /b: p50" in said
    assert "A/A false alarms" in said
    assert page.evaluate("document.querySelectorAll('section').length") == 2
    # Each profile has its percentiles, its rate over time, and its history.
    assert page.evaluate("document.querySelectorAll('section:first-of-type svg').length") == 3
    legend = page.evaluate("document.querySelector('figcaption').innerText")
    assert "this run" in legend and "baseline" in legend
    assert page.evaluate("document.querySelectorAll('section:last-of-type .dot').length") == 5
    assert "<b4>" in page.evaluate("document.querySelector('section').innerText")
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_is_no_wider_than_its_window(
    browser: Chromium, report: Path, width: int, scheme: str
) -> None:
    page = opened(browser, report, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    smallest = "Math.min(...[...document.querySelectorAll('p, li, td, dd, figcaption')].map("
    smallest += "(e) => parseFloat(getComputedStyle(e).fontSize)))"
    assert page.evaluate(smallest) >= 13
    # A chart is drawn within its viewBox and shrinks with it: its words must stay readable.
    scale = "document.querySelector('svg').getBoundingClientRect().width / 440"
    assert page.evaluate(f"13 * {scale}") >= 9
    assert page.complaints == []
    page.close()


def test_a_run_that_failed_has_a_page_too(browser: Chromium, tmp_path: Path) -> None:
    record = Series(1, 0.01).record(state=FAILED, reason="the device has gone")
    write_page(tmp_path / "perf.html", judge(record, History(tmp_path), [], Request("host")))
    page = opened(browser, tmp_path / "perf.html", 360)
    assert page.evaluate("document.querySelector('h1').innerText") == "Failed"
    assert "the device has gone" in page.evaluate("document.body.innerText")
    page.close()
