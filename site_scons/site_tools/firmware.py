"""The firmware as nodes: MicroPython with our C modules and frozen Python, then its images.

Adds to the environment:
    env.Firmware(source, modules, python)  bootloader and app image by name; "inputs", the record
                                           of what they are made of; "map", the linker's
"""

# By the port of MicroPython.
_TOOLS = {"unix": ["firmware_unix"], "esp32": ["esp_idf", "firmware_esp32"]}


def exists(env):
    return True


def generate(env):
    for tool in _TOOLS[env["BOARD_TOML"].firmware]:
        env.Tool(tool)
