// SPDX-License-Identifier: MIT
// The life of the virtual chip: start, _boot.py, boot.py, main.py, the REPL, soft reset.
//
// It follows MicroPython's esp32 port. A soft reset runs the finalisers, as there, and then
// executes the program anew, because the unix port cannot take its threads down safely.
//
// Command line: none from the board; a soft reset passes "soft-reset <friendly|raw> <fd>", the
// REPL's mode and the pipe with input not read yet (-1: none).
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/builtin.h"
#include "py/cstack.h"
#include "py/frozenmod.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/objlist.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

#include "console.h"
#include "flash.h"

#define STACK_LIMIT (256u * 1024)        // bytes of C stack that Python may use
#define HEAP_WITHOUT_PSRAM (192u * 1024) // bytes

#define EXIT_NO_BOARD 2
#define EXIT_CRASH 1

// pyexec's words for success differ between its two ways of reporting.
#if MICROPY_PYEXEC_ENABLE_EXIT_CODE_HANDLING
#define RAN_WELL(result) ((result) == 0)
#else
#define RAN_WELL(result) ((result) == 1)
#endif

enum script_end { SCRIPT_DONE, SCRIPT_RAISED, SCRIPT_ASKED_FOR_RESET };

static enum script_end run_script(const char *name) {
    int result;
    if (mp_find_frozen_module(name, NULL, NULL) == MP_IMPORT_STAT_FILE) {
        result = pyexec_frozen_module(name, true);
    } else if (mp_import_stat(name) == MP_IMPORT_STAT_FILE) {
        result = pyexec_file(name);
    } else {
        return SCRIPT_DONE;
    }
    if (result & PYEXEC_FORCED_EXIT) {
        return SCRIPT_ASKED_FOR_RESET;
    }
    return RAN_WELL(result) ? SCRIPT_DONE : SCRIPT_RAISED;
}

static void run_repl(void) {
    for (;;) {
        int result =
            pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (result != 0) {
            return;
        }
    }
}

static void run_until_soft_reset(void) {
    pyexec_frozen_module("_boot.py", false);
    enum script_end end = run_script("boot.py");
    if (end == SCRIPT_DONE && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        end = run_script("main.py");
    }
    if (end != SCRIPT_ASKED_FOR_RESET) {
        run_repl();
    }
}

// Leaves the next program nothing but the terminal, the flash and `kept`.
static void close_other_files_on_exec(int kept) {
    DIR *open_files = opendir("/proc/self/fd");
    if (open_files == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(open_files); entry; entry = readdir(open_files)) {
        int fd = atoi(entry->d_name);
        if (fd > STDERR_FILENO && fd != kept && !flash_owns_fd(fd)) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
    closedir(open_files);
}

static void soft_reset(char *program_name) {
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    gc_sweep_all();
    int unread = console_stop();
    close_other_files_on_exec(unread);
    char unread_text[16];
    snprintf(unread_text, sizeof(unread_text), "%d", unread);
    char *mode = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? "raw" : "friendly";
    char *const argv[] = {program_name, "soft-reset", mode, unread_text, NULL};
    execv("/proc/self/exe", argv);
    perror("soft reset");
}

static void start_interpreter(void) {
    uint32_t psram = chip_control()->psram_size;
    size_t heap_size = psram != 0 ? psram : HEAP_WITHOUT_PSRAM;
    char *heap = malloc(heap_size);
    if (heap == NULL) {
        perror("heap");
        exit(EXIT_CRASH);
    }
    gc_init(heap, heap + heap_size);
    mp_init();
    mp_sys_path = mp_obj_new_list(0, NULL);
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR_));
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__dot_frozen));
    mp_obj_list_append(mp_sys_path, mp_obj_new_str_from_cstr("/lib"));
    mp_obj_list_init(MP_OBJ_TO_PTR(mp_sys_argv), 0);
    readline_init0();
}

// Not inlined: main's frame must lie above every object that the collector looks for.
static MP_NOINLINE int live(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); // a closed socket is an error code, not the end of the chip
    if (!flash_open()) {
        fprintf(stderr, "%s: this is a virtual board's firmware; its board starts it\n", argv[0]);
        return EXIT_NO_BOARD;
    }
    if (argc == 4 && strcmp(argv[1], "soft-reset") == 0) {
        pyexec_mode_kind =
            strcmp(argv[2], "raw") == 0 ? PYEXEC_MODE_RAW_REPL : PYEXEC_MODE_FRIENDLY_REPL;
        console_resume(atoi(argv[3]));
    }
    start_interpreter();
    if (!console_start()) {
        perror("console");
        return EXIT_CRASH;
    }
    run_until_soft_reset();
    soft_reset(argv[0]);
    return EXIT_CRASH;
}

int main(int argc, char **argv) {
    mp_thread_init();
    mp_cstack_init_with_sp_here(STACK_LIMIT);
    return live(argc, argv);
}
