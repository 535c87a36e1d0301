# SPDX-License-Identifier: MIT
# The virtual ESP32-S3: what a chip has and MicroPython's unix port has not.
VIRTUAL_CHIP_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(VIRTUAL_CHIP_DIR)/, \
	main.c \
	console.c \
	console_stdio.c \
	esp32_partition.c \
	esp32_ota.c \
	machine.c \
	)
SRC_USERMOD_LIB_C += $(addprefix $(VIRTUAL_CHIP_DIR)/, flash.c app_image.c)

CFLAGS_USERMOD += -I$(VIRTUAL_CHIP_DIR)
CFLAGS += -DMP_CONFIGFILE="<mpconfigchip.h>"
QSTR_GLOBAL_DEPENDENCIES += $(VIRTUAL_CHIP_DIR)/mpconfigchip.h

# main.c and console.c take the place of the port's own main() and terminal.
VIRTUAL_CHIP_REPLACES := \
	mp_hal_set_interrupt_char \
	mp_hal_stdin_rx_chr \
	mp_hal_stdout_tx_str \
	mp_hal_stdout_tx_strn \
	mp_hal_stdout_tx_strn_cooked
$(BUILD)/unix_mphal.o: CFLAGS += $(foreach f,$(VIRTUAL_CHIP_REPLACES),-D$(f)=unix_$(f))
$(BUILD)/main.o: CFLAGS += -Dmain=unix_main

SHARED_SRC_C_EXTRA += runtime/stdout_helpers.c
# The unix port compiles the REPL of all other ports from v1.27 on.
ifeq ($(findstring runtime/pyexec.c,$(file <Makefile)),)
SHARED_SRC_C_EXTRA += runtime/pyexec.c
endif
