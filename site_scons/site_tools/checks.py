"""Tests and benchmarks: goals that run programs of tests/ and leave nothing in the graph.

Adds to the environment:
    env.Tests(*arguments)    pytest over tests/
    env.DeviceTests(record)  pytest over tests/http, against a device that runs the record's build
    env.Benchmarks()         tests/bench, all or TOPICS; a table and build/bench.json
    env.Fuzz()               every fuzz target of tests/fuzz for FUZZ_S seconds
"""

import json

from viper.base import program
from viper.base.errors import UserError

_GRACE_S = 20.0  # tests stop the boards that they have started


def exists(env):
    return True


def generate(env):
    env.AddMethod(tests, "Tests")
    env.AddMethod(device_tests, "DeviceTests")
    env.AddMethod(benchmarks, "Benchmarks")
    env.AddMethod(fuzz, "Fuzz")


def tests(env, *arguments):
    # One more than there are cores: a test often waits for its board.
    workers = [f"--numprocesses={1 + env.GetOption('num_jobs')}", "--dist=worksteal"]
    return _program(env, "tests fail", "pytest", *workers, *arguments)


def device_tests(env, record):
    return env.Deed(_test_device, record)


def _test_device(env, record):
    from viper.device import http_page

    host = env.Host()
    built = json.loads(record.read_text(encoding="utf-8"))["build"]
    runs = http_page.build(host)
    if runs != built:
        raise UserError(
            f"HOST={host} runs build {runs}, and {built} is built", "./scons flash PORT=..."
        )
    address = host if host.startswith("http://") else f"http://{host}"
    _run(env, "tests fail", ["pytest", "-rs", "-m", "not long", "tests/http"], HTTP_HOST=address)


def benchmarks(env):
    topics = env["TOPICS"].split(",") if "TOPICS" in env else []
    return _program(env, "the benchmark failed", "tests.bench", *topics)


def fuzz(env):
    return _program(env, "the fuzzer has found something", "tests.fuzz", str(env["FUZZ_S"]))


def _program(env, failure, *arguments):
    """An action that runs a module of Python with the terminal."""
    return env.Deed(lambda env: _run(env, failure, arguments))


def _run(env, failure, arguments, **environment):
    """Run a module of Python with the terminal, and let others build meanwhile."""
    env["BUILD_LOCK"].release()
    env["TELL"]()  # the last word is the program's
    if program.run(["-m", *arguments], _GRACE_S, environment) != 0:
        raise UserError(failure, "see above")
