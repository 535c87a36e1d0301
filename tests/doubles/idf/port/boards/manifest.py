# Python that MicroPython freezes into every board; none here.
