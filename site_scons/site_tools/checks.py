"""Tests and benchmarks: goals that run programs of tests/ and leave nothing in the graph.

Adds to the environment:
    env.Tests(*arguments)  pytest over tests/
    env.Benchmarks()       tests/bench, a table and build/bench.json
    env.Fuzz()             every fuzz target of tests/fuzz for FUZZ_S seconds
"""

from viper import program
from viper.errors import UserError

_GRACE_S = 20.0  # tests stop the boards that they have started


def exists(env):
    return True


def generate(env):
    env.AddMethod(tests, "Tests")
    env.AddMethod(benchmarks, "Benchmarks")
    env.AddMethod(fuzz, "Fuzz")


def tests(env, *arguments):
    workers = [f"--numprocesses={env.GetOption('num_jobs')}", "--dist=worksteal"]
    return _program(env, "tests fail", "pytest", *workers, *arguments)


def benchmarks(env):
    return _program(env, "the benchmark failed", "tests.bench")


def fuzz(env):
    return _program(env, "the fuzzer has found something", "tests.fuzz", str(env["FUZZ_S"]))


def _program(env, failure, module, *arguments):
    """An action that runs a module of Python with the terminal, and lets others build meanwhile."""

    def run(env):
        env["BUILD_LOCK"].release()
        env["TELL"]()  # the last word is the program's
        if program.run(["-m", module, *arguments], _GRACE_S) != 0:
            raise UserError(failure, "see above")

    return env.Deed(run)
