# SPDX-License-Identifier: MIT
"""Clients that people use, four times as many as there are slots, with a chip's backlog.

None of them sees a connection reset, and each has an answer within five seconds. Those that keep
connections for the next request ask again and again, each at a pace of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from slowness import slowness
from test_clients import SLOTS, Server, compiled, serving

__all__ = ["compiled"]  # a fixture

CLIENTS = 4 * SLOTS
LIMIT_S = 5.0
TIMES = 6
TABS = 12
PAGE = """<!doctype html><title>page</title><link rel="icon" href="data:,"><script>
const files = Array.from({ length: 30 }, (_, i) => fetch(`/file?${i}`, { cache: "no-store" }));
Promise.all(files).then((answers) => { window.isDone = answers.every((answer) => answer.ok); });
</script>"""

# Each prints how long the slowest of its clients has waited for its first answer, in seconds. They
# ask several times, with pauses from none to a second between, each its own.
ASYNC_CLIENT = """
async def be_client(ask, number):
    for turn in range(times):
        asked = time.monotonic()
        status, content = await ask()
        assert status == 200 and len(content) == 1024
        waited[number] = waited.get(number, time.monotonic() - asked)
        await asyncio.sleep(number / clients)
async def be_clients(ask):
    await asyncio.gather(*(be_client(ask, number) for number in range(clients)))
    print(max(waited.values()))
url, clients, times, waited = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), {}
"""
HTTPX = f"""
import asyncio, sys, time, httpx
{ASYNC_CLIENT}
async def main():
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        async def ask():
            answer = await client.get(url)
            return answer.status_code, answer.content
        await be_clients(ask)
asyncio.run(main())
"""
AIOHTTP = f"""
import asyncio, sys, time, aiohttp
{ASYNC_CLIENT}
async def main():
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        async def ask():
            async with session.get(url) as answer:
                return answer.status, await answer.read()
        await be_clients(ask)
asyncio.run(main())
"""
REQUESTS = """
import sys, time, requests
from concurrent.futures import ThreadPoolExecutor
url, clients, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def be_client(number):
    first = None
    with requests.Session() as session:
        for turn in range(times):
            asked = time.monotonic()
            answer = session.get(url, timeout=60)
            assert answer.status_code == 200 and len(answer.content) == 1024
            first = first or time.monotonic() - asked
            time.sleep(number / clients)
    return first
with ThreadPoolExecutor(clients) as pool:
    print(max(pool.map(be_client, range(clients))))
"""
FETCH = """
const [url, clients, times] = [process.argv[1], +process.argv[2], +process.argv[3]];
async function beClient(_, number) {
  let first;
  for (let turn = 0; turn < times; turn++) {
    const asked = performance.now();
    const answer = await fetch(url);
    const content = await answer.arrayBuffer();
    if (answer.status !== 200 || content.byteLength !== 1024) throw new Error(answer.status);
    first ??= performance.now() - asked;
    await new Promise((goOn) => setTimeout(goOn, (1000 * number) / clients));
  }
  return first;
}
Promise.all(Array.from({ length: clients }, beClient)).then(
  (all) => console.log(Math.max(...all) / 1000),
);
"""


@pytest.fixture(scope="module")
def server(
    compiled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("people")
    (folder / "index.html").write_text(PAGE)
    with serving(compiled(), folder) as served:
        yield served


@pytest.fixture
def limit_s() -> Callable[[], float]:
    """The limit, once clients have run: it grows with how busy the machine was before and after."""
    before = slowness()
    return lambda: LIMIT_S * max(before, slowness())


def command(tool: str, package: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"needs {tool}: apt-get install {package}")
    return found


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}/file"


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    "program", [HTTPX, AIOHTTP, REQUESTS], ids=["httpx", "aiohttp", "requests"]
)
def test_a_library_of_python(server: Server, program: str, limit_s: Callable[[], float]) -> None:
    slowest = run(sys.executable, "-c", program, address(server), str(CLIENTS), str(TIMES))
    assert float(slowest) < limit_s()


def test_fetch_of_node(server: Server, limit_s: Callable[[], float]) -> None:
    node = command("node", "nodejs")
    slowest = run(node, "-e", FETCH, address(server), str(CLIENTS), str(TIMES))
    assert float(slowest) < limit_s()


def test_curl(server: Server, limit_s: Callable[[], float]) -> None:
    curl = command("curl", "curl")
    urls = [word for _ in range(CLIENTS) for word in (address(server), "-o", "/dev/null")]
    parallel = ("--parallel", "--parallel-immediate", "--parallel-max", str(CLIENTS))
    said = run(curl, "-sS", "--fail", *parallel, "-w", "%{http_code} %{time_total}\\n", *urls)
    answers = [line.split() for line in said.splitlines()]
    assert [status for status, _ in answers] == ["200"] * CLIENTS
    assert max(float(took) for _, took in answers) < limit_s()


def test_wrk(server: Server) -> None:
    wrk = command("wrk", "wrk")
    said = run(wrk, "-t2", f"-c{CLIENTS}", "-d4s", "--timeout", "60s", address(server))
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    found = re.search(r"(\d+) requests in", said)
    assert found and int(found[1]) > CLIENTS


def test_h2load(server: Server, limit_s: Callable[[], float]) -> None:
    h2load = command("h2load", "nghttp2-client")
    count = 100 * CLIENTS
    said = run(h2load, "--h1", f"-c{CLIENTS}", f"-n{count}", address(server))
    assert f"{count} succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    found = re.search(r"time for request: +\S+ +([\d.]+)(us|ms|s)", said)
    assert found, said
    assert float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]] < limit_s()


def test_many_tabs_of_a_browser(server: Server, browser: Chromium) -> None:
    tabs = [browser.open(f"http://127.0.0.1:{server.port}/?{tab}", 600) for tab in range(TABS)]
    for tab in tabs:
        tab.wait_until("window.isDone === true", 60)  # most of it takes the browser
        assert tab.complaints == []
        tab.close()
