# SPDX-License-Identifier: MIT
# Python frozen into the virtual board's firmware.
include("$(MPY_DIR)/extmod/asyncio")
freeze("../../firmware/cmodules/virtual_chip/modules")
package("viperhttp", base_path="../../firmware/python")
for name in ("boot", "probation", "start_mark", "start_report", "sync_switch"):
    module(name + ".py", base_path="../../firmware/python")
