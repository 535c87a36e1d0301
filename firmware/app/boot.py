# Runs on every start, before main.py.
