# SPDX-License-Identifier: MIT
"""The module as the chip's compiler sees it, and its port to the ESP32 on doubles of the system.

The doubles in tests/doubles/esp_idf declare what the headers named in each of them declare. The
compiler is this machine's, made to lay out and to print as the chip's does: 32 bits, 64-bit numbers
at multiples of 8, and a uint32_t that is a long.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import subprocess
from pathlib import Path

import c_program
import pytest
from c_program import MODULE, SANITIZERS, THREAD_SANITIZER
from project import ROOT
from viper.firmware import module_memory
from viper.source import board
from viper.source.module_settings import Value

DOUBLES = ROOT / "tests/doubles/esp_idf"
HERE = Path(__file__).parent
BOARDS = ["ESP32S3_N16R8", "ESP32_SPIRAM"]

# What micropython.cmake compiles without MicroPython's headers.
IN_ROM = {"deflate.c", "huffman.c"}
CORE = sorted(path for path in MODULE.glob("core/*.c") if path.name not in IN_ROM)
PORT = sorted(MODULE.glob("port/esp32*.c"))
BINDING = sorted(MODULE.glob("binding/*.c"))

WARNINGS = ["-std=gnu17", "-Wall", "-Wextra", "-Werror"]
LONG_32 = [
    option
    for name, kind in [("UINT32", "unsigned long"), ("INT32", "long")]
    for option in (f"-U__{name}_TYPE__", f"-D__{name}_TYPE__={kind}")
]

on_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="-m32 is an option of x86's compiler"
)


def macros(values: dict[str, Value]) -> str:
    return "".join(f"#define {name} {value}\n" for name, value in values.items())


def write_headers(folder: Path, name: str, **changed: Value | None) -> dict[str, Value]:
    """Write what the build and ESP-IDF make of a board's folder; returns the module's settings."""
    known = board.load(ROOT / "boards", name)
    settings = dict(known.viperhttp)
    fragment = (ROOT / "boards" / name / "sdkconfig.board").read_text(encoding="utf-8")
    config: dict[str, Value] = {"CONFIG_FREERTOS_NUMBER_OF_CORES": 2}
    for key, value in re.findall(r"^(CONFIG_\w+)=(\w+)$", fragment, re.MULTILINE):
        config |= {key: 1 if value == "y" else value} if value != "n" else {}
    for key, value in changed.items():
        if value is None:
            del config[key]
        elif key.startswith("CONFIG_"):
            config[key] = value
        else:
            settings[key] = value
    c_program.write_config(folder, settings)
    (folder / "sdkconfig.h").write_text(macros(config))
    return settings


def for_chip(source: Path, folder: Path, *options: str) -> list[str]:
    """The command that compiles a source as for the chip; `folder` has the settings."""
    own = subprocess.run(
        ["gcc", "-print-file-name=include"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return [
        "gcc", *WARNINGS, *LONG_32, "-m32", "-malign-double", "-ffreestanding", "-O2",
        "-nostdinc", "-isystem", own, "-idirafter", f"{DOUBLES}/libc",
        *[f"-I{path}" for path in [folder, DOUBLES / "include", MODULE / "core", MODULE / "port"]],
        *options,
        str(source),
    ]  # fmt: skip


def refusal(command: list[str]) -> str:
    """What the compiler says of a source that must not compile."""
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode != 0
    return result.stderr


@on_x86
@pytest.mark.parametrize("name", BOARDS)
def test_it_compiles_for_the_chip_without_a_warning(name: str, tmp_path: Path) -> None:
    write_headers(tmp_path, name)
    for source in [*CORE, *PORT]:
        subprocess.run(for_chip(source, tmp_path, "-fsyntax-only"), check=True)


@on_x86
@pytest.mark.parametrize("name", BOARDS)
def test_the_server_takes_less_than_96_kib_of_internal_ram(name: str, tmp_path: Path) -> None:
    write_headers(tmp_path, name)
    made = tmp_path / "memory_use.o"
    source = MODULE / "core/memory_use.c"
    subprocess.run(for_chip(source, tmp_path, "-c", "-o", str(made)), check=True)
    use = module_memory.read(made.read_bytes())
    known = board.load(ROOT / "boards", name)
    assert known.viperhttp["VHTTP_MAX_CONNECTIONS"] == 16
    assert 12288 < use.internal < 96 * 1024
    assert use.psram < known.psram_size


@on_x86
@pytest.mark.parametrize(
    ("header", "declared", "changed"),
    [
        ("freertos/task.h", "const BaseType_t xCoreID)", "const BaseType_t xCoreID, int caps)"),
        ("freertos/semphr.h", "xSemaphoreCreateBinaryStatic(StaticSemaphore_t *", "\\g<0>*"),
        ("esp_heap_caps.h", "size_t n, size_t size, uint32_t caps", "size_t size, uint32_t caps"),
        ("esp_timer.h", "int64_t esp_timer_get_time(void)", "void esp_timer_get_time(int64_t *)"),
        ("esp_timer.h", "esp_timer_handle_t timer, uint64_t period)", "esp_timer_handle_t timer)"),
        ("esp_system.h", "esp_reset_reason(void)", "esp_reset_reason(int core)"),
        (
            "freertos/task.h",
            "uint32_t *const pulTotalRunTime",
            "uint32_t pulTotalRunTime[2], int x",
        ),
        ("lwip/stats.h", "drop, chkerr", "dropped, chkerr"),
        ("esp_netif.h", "esp_netif_get_ip_info(esp_netif_t *esp_netif, ", "esp_netif_get_ip_info("),
        ("esp_vfs_eventfd.h", "eventfd(unsigned int initval, int flags)", "eventfd(int initval)"),
        ("lwip/sockets.h", "lwip_fcntl(int s, int cmd, int val)", "lwip_fcntl(int s, int cmd)"),
        ("lwip/sockets.h", "const struct msghdr *message", "const struct iovec *message"),
        ("miniz.h", "const void *pBuf, int len, void *pUser", "const void *pBuf, void *pUser"),
        ("py/mphal.h", "mp_hal_wake_main_task(void)", "mp_hal_wake_main_task(int core)"),
    ],
)
def test_a_changed_declaration_is_an_error(
    header: str, declared: str, changed: str, tmp_path: Path
) -> None:
    write_headers(tmp_path, "ESP32S3_N16R8")
    text = (DOUBLES / "include" / header).read_text(encoding="utf-8")
    assert declared in text
    copy = tmp_path / header
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(text.replace(declared, changed.replace("\\g<0>", declared)))
    results = [
        subprocess.run(for_chip(source, tmp_path, "-fsyntax-only"), capture_output=True).returncode
        for source in PORT
    ]
    assert any(results)


@on_x86
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"CONFIG_FREERTOS_UNICORE": 1}, "CONFIG_FREERTOS_UNICORE"),
        ({"CONFIG_LIBC_NEWLIB_NANO_FORMAT": 1}, "64-bit"),
        ({"CONFIG_LWIP_MAX_SOCKETS": 16}, "CONFIG_LWIP_MAX_SOCKETS"),
        ({"CONFIG_LWIP_STATS": None}, "CONFIG_LWIP_STATS"),
        ({"CONFIG_FREERTOS_USE_TRACE_FACILITY": None}, "CONFIG_FREERTOS_USE_TRACE_FACILITY"),
        ({"VHTTP_SERVER_CORE": 1}, "the interpreter's core"),
        ({"VHTTP_STATIC_SERVE_VIA_IPC": False}, "VHTTP_STATIC_SERVE_VIA_IPC"),
        ({"VHTTP_INTERNAL_MEMORY_MAX": 8192}, "too much internal RAM"),
    ],
)
def test_a_configuration_that_cannot_work_does_not_compile(
    changed: dict[str, Value | None], told: str, tmp_path: Path
) -> None:
    write_headers(tmp_path, "ESP32S3_N16R8", **changed)
    sources = [*PORT, MODULE / "core/memory_use.c"]
    results = [
        subprocess.run(for_chip(source, tmp_path, "-fsyntax-only"), capture_output=True, text=True)
        for source in sources
    ]
    assert any(told in result.stderr for result in results if result.returncode != 0)


@on_x86
def test_code_that_is_not_optimised_does_not_compile(tmp_path: Path) -> None:
    write_headers(tmp_path, "ESP32S3_N16R8")
    command = for_chip(MODULE / "port/esp32.c", tmp_path, "-fsyntax-only", "-O0")
    assert "without optimisation" in refusal(command)


# ---- On doubles of FreeRTOS and lwIP


def build(folder: Path, program: str, flags: list[str], **changed: Value) -> Path:
    settings = write_headers(folder, "ESP32S3_N16R8", **changed)
    sources = [
        HERE / f"{program}.c",
        HERE / "served.c",
        MODULE / "port/posix_files.c",
        *[path for path in [*CORE, *PORT] if path.name not in ("gzip.c", "esp32_deflate.c")],
        *sorted(DOUBLES.glob("*.c")),
    ]
    # What glibc adds for GNU is lwIP's here.
    flags = ["-std=gnu17", "-U_GNU_SOURCE", "-isystem", f"{DOUBLES}/include", *flags]
    return c_program.build(folder, sources, flags, settings)


@pytest.mark.parametrize("flags", [THREAD_SANITIZER, SANITIZERS], ids=["threads", "memory"])
def test_it_serves_under_load(flags: list[str], tmp_path: Path) -> None:
    program = build(tmp_path, "test_serving", flags)
    served = tmp_path / "served"
    served.mkdir()
    result = subprocess.run(
        [program, served, "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    assert "task viperhttp: core 0, priority 5, stack 12288" in result.stdout
    assert "E viperhttp" not in result.stdout  # no select() over what is closed


def start(program: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the server; if it starts, it stops too."""
    return subprocess.run(
        [program, str(folder), "0"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def starts(program: Path, folder: Path, **environment: str) -> bool:
    """Whether the server starts."""
    result = start(program, folder, **environment)
    has_address = "http://" in result.stdout
    assert result.returncode == (0 if has_address else 1), result.stderr
    return has_address


def test_a_start_that_lacks_something_fails(tmp_path: Path) -> None:
    program = build(tmp_path, "serve", [])
    assert starts(program, tmp_path)
    assert not starts(program, tmp_path, LWIP_FCNTL_REFUSES="1")
    failed = 0
    while not starts(program, tmp_path, HEAP_FAILS_AT=str(failed + 1)):
        failed += 1
    assert failed >= 9  # each piece of memory of a start, in turn


def test_memory_that_lacks_because_psram_does_says_so(tmp_path: Path) -> None:
    program = build(tmp_path, "serve", [])
    printed = start(program, tmp_path, HEAP_FAILS_AT="2", PSRAM_IS_MISSING="1").stderr
    assert "bytes are not free; PSRAM is missing" in printed
    assert "PSRAM" not in start(program, tmp_path, HEAP_FAILS_AT="2").stderr


# ---- The build


def configure(folder: Path) -> Path:
    """Have cmake configure the module as the component `main` of a firmware."""
    write_headers(folder, "ESP32S3_N16R8")
    (folder / "viperhttp_build.h").touch()
    made = folder / "build"
    subprocess.run(
        [
            "cmake", "-G", "Unix Makefiles", "-S", str(DOUBLES / "cmake"), "-B", str(made),
            f"-DUSER_C_MODULES={MODULE}/micropython.cmake",
            f"-DVHTTP_GENERATED={folder}",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


def test_cmake_compiles_each_source_once_and_optimised(tmp_path: Path) -> None:
    made = configure(tmp_path)
    commands = json.loads((made / "compile_commands.json").read_text(encoding="utf-8"))
    ours = [command for command in commands if Path(command["file"]).is_relative_to(MODULE)]
    assert sorted(command["file"] for command in ours) == sorted(map(str, CORE + PORT + BINDING))
    for command in ours:
        words = shlex.split(command["command"])
        assert [word for word in words if word.startswith("-O")][-1] == "-O2"
        # What ESP-IDF and MicroPython have `main` compiled with.
        assert {"-DESP_PLATFORM", "-DMICROPY_ROM_TEXT_COMPRESSION=(1)"} <= set(words)
        assert {"-mfix-esp32-psram-cache-issue", "-I/idf/freertos/include"} <= set(words)


def test_cmake_has_headers_made_first_and_objects_linked(tmp_path: Path) -> None:
    made = configure(tmp_path)
    linked = (made / "CMakeFiles/micropython.elf.dir/link.txt").read_text(encoding="utf-8")
    objects = re.findall(r"\S+viperhttp\.dir\S+\.o\b", linked)
    assert len(objects) == len(CORE + PORT + BINDING)
    binding = next(path for path in objects if "modviperhttp" in path)
    folder = made / "esp-idf/main/CMakeFiles/viperhttp.dir"
    rules = (folder / "build.make").read_text(encoding="utf-8").splitlines()
    for header in ["qstrdefs.generated.h", "mpversion.h", "root_pointers.h"]:
        assert f"{binding}: genhdr/{header}" in rules


def test_cmake_has_names_looked_for_in_the_binding_alone(tmp_path: Path) -> None:
    scanned = (configure(tmp_path) / "scanned").read_text(encoding="utf-8").split(";")
    used = {str(path) for path in BINDING if "MP_QSTR_" in path.read_text(encoding="utf-8")}
    assert used <= set(scanned)
    assert not any(path.startswith((f"{MODULE}/core/", f"{MODULE}/port/")) for path in scanned)
