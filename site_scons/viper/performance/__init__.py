# SPDX-License-Identifier: MIT
"""Performance with a memory: measure a device, and say whether it is like what it was before.

    request, profiles   what a person asks for; what is measured, from a TOML file
    target              the device under test: is it there, who is it, what does it count
    latency, load       latencies in HDR histograms; the load generator, which measures itself too
    session             runs, phases, probes, heartbeat, limits: from a request to a record
    run_lock            one run at a time
    record, history     one run as JSON; the folder of all runs
    comparison          figures of two runs, their uncertainty, a verdict
    report              the page and the text that people read

It runs on Windows too.

May use: base, device.
"""
