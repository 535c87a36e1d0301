# SPDX-License-Identifier: MIT
# Python frozen into the firmware: what MicroPython's own boards have, and the API of viperhttp.
include("$(PORT_DIR)/boards/manifest.py")
package("viperhttp", base_path="../../firmware/python")
for name in ("boot", "probation", "start_mark", "start_report", "sync_switch"):
    module(name + ".py", base_path="../../firmware/python")
