# SPDX-License-Identifier: MIT
# viperhttp for ports that build with make: the unix port under the virtual board.
VIPERHTTP_DIR := $(USERMOD_DIR)

# The build writes vhttp_config.h (the settings) and viperhttp_build.h (VHTTP_BUILD_ID).
ifeq ($(wildcard $(VHTTP_GENERATED)/vhttp_config.h),)
$(error VHTTP_GENERATED must name the folder of vhttp_config.h and viperhttp_build.h)
endif

# Only the binding has MicroPython's names in it.
SRC_USERMOD_C += $(addprefix $(VIPERHTTP_DIR)/binding/, \
	call_service.c \
	content.c \
	field_lines.c \
	figures.c \
	file_service.c \
	float_text.c \
	function_parameters.c \
	gzip_copy.c \
	html_escape.c \
	json_reader.c \
	json_string.c \
	json_writer.c \
	modviperhttp.c \
	names_dict.c \
	request_object.c \
	request_response.c \
	signal_object.c \
	vfs_files.c \
	)
SRC_USERMOD_LIB_C += $(VIPERHTTP_DIR)/binding/build_info.c $(VIPERHTTP_DIR)/port/posix.c \
	$(VIPERHTTP_DIR)/port/posix_files.c \
	$(sort $(wildcard $(VIPERHTTP_DIR)/core/*.c))

CFLAGS_USERMOD += -I$(VIPERHTTP_DIR)/core -I$(VIPERHTTP_DIR)/port -I$(VIPERHTTP_DIR)/binding
CFLAGS_USERMOD += -I$(VHTTP_GENERATED)

# The server is built for speed, whatever the port around it is built for.
$(BUILD)/viperhttp/%.o: CFLAGS += -O2
