# SPDX-License-Identifier: MIT
"""What an application or a request carries along for its handlers."""


class State:
    """Values by names of their own: state.reading, or state["reading"]."""

    def __getitem__(self, name):
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __setitem__(self, name, value):
        setattr(self, name, value)

    def __contains__(self, name):
        return name in self.__dict__

    def get(self, name, default=None):
        """A value by its name; `default` where there is none."""
        return getattr(self, name) if name in self else default
