"""The double's parts; see the README beside export.sh."""
