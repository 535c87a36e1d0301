# SPDX-License-Identifier: MIT
# Runs on every start, before main.py.
import probation

probation.guard()
