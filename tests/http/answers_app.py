# SPDX-License-Identifier: MIT
"""The application that test_answers.py talks to: answers of every size by every kind of handler."""

import asyncio
import os

import viperhttp
from viperhttp import Depends

app = viperhttp.ViperHTTP()


def text(count):
    return "0123456789abcdef" * (count // 16) + "x" * (count % 16)


@app.get("/app")
def name():
    return "answers_app.py"


def nothing():
    return None


async def nothing_later():
    await asyncio.sleep_ms(0)


@app.middleware("http")
async def passes_on(request, call_next):
    return await call_next(request)


@app.get("/middle/{count:int}")
def behind_middleware(count):
    return text(count)


@app.get("/async/{count:int}")
async def at_once(count):
    return text(count)


@app.get("/later/{count:int}")
async def after_a_wait(count):
    await asyncio.sleep_ms(1)
    return text(count).encode()


@app.get("/response/{count:int}")
async def as_response(count):
    return viperhttp.Response(text(count), status_code=201)


@app.get("/deps/{count:int}", deps=[Depends(nothing), Depends(nothing_later)])
def with_dependencies(count):
    return text(count)


@app.get("/json/{count:int}")
async def as_json(count):
    return [text(100)] * count


@app.get("/fails/{count:int}")
async def fails_behind_its_answer(count):
    try:
        return text(count)
    finally:
        asyncio.create_task(nothing_later())


grown = bytearray(100_000)
others = []


@app.get("/grown")
async def extended_while_it_is_sent():
    asyncio.create_task(extend())
    for i in range(len(grown)):
        grown[i] = 65
    return grown


async def extend():
    for _ in range(20):
        await asyncio.sleep_ms(1)
        grown.extend(b"A" * 1000)
        others.append(bytearray(b"B" * 120_000))
        del others[:-2]


view_of = bytearray(b"A" * 100_000)


@app.get("/view")
async def view_of_what_is_extended():
    asyncio.create_task(extend_the_viewed())
    return memoryview(view_of)[:100_000]


async def extend_the_viewed():
    await asyncio.sleep_ms(1)
    view_of.extend(b"A" * 200_000)
    others.append(bytearray(b"B" * 120_000))


shrunk = bytearray(2_000_000)  # more than ring and socket take at once


@app.get("/shrunk")
async def cut_short_while_it_is_sent():
    asyncio.create_task(shrink())
    return shrunk


async def shrink():
    shrunk[:] = b"A"


NAMES = ("/www/long_name.txt", "/www/.secret", "/www/Some Folder/a.txt", "/www/noslash")


@app.get("/noslash")
def in_front_of_a_file():
    return "route"


@app.get("/file/{name}")
async def as_file(name):
    return viperhttp.FileResponse("/www/" + name)


def write_names():
    try:
        os.mkdir("/www/Some Folder")
    except OSError:
        pass  # from before
    for path in NAMES:
        with open(path, "w") as file:
            file.write(path)


write_names()
app.mount("/", "/www", html=True)


async def main():
    app.start(port=80)
    print("at", app.url)
    while True:
        await asyncio.sleep(1)


asyncio.run(main())
