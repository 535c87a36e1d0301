// SPDX-License-Identifier: MIT
#include "flash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int flash_fd;
    int control_fd;
    uint8_t *bytes;
    uint32_t size;
    struct chip_control *control;
    uint32_t running_app;
} chip;

static int number_from_environment(const char *name) {
    const char *text = getenv(name);
    return text == NULL ? -1 : atoi(text);
}

bool flash_open(void) {
    chip.flash_fd = number_from_environment("VIRTUAL_FLASH_FD");
    chip.control_fd = number_from_environment("VIRTUAL_CHIP_FD");
    chip.running_app = (uint32_t)number_from_environment("VIRTUAL_RUNNING_APP");
    struct stat flash, control;
    if (fstat(chip.flash_fd, &flash) != 0 || fstat(chip.control_fd, &control) != 0 ||
        flash.st_size <= 0 || flash.st_size % FLASH_SECTOR_SIZE != 0 || flash.st_size > INT32_MAX ||
        control.st_size < (off_t)sizeof(struct chip_control)) {
        return false;
    }
    chip.size = (uint32_t)flash.st_size;
    chip.bytes = mmap(NULL, chip.size, PROT_READ | PROT_WRITE, MAP_SHARED, chip.flash_fd, 0);
    chip.control = mmap(NULL, sizeof(struct chip_control), PROT_READ | PROT_WRITE, MAP_SHARED,
                        chip.control_fd, 0);
    return chip.bytes != MAP_FAILED && chip.control != MAP_FAILED;
}

bool flash_owns_fd(int fd) { return fd == chip.flash_fd || fd == chip.control_fd; }

const struct chip_control *chip_control(void) { return chip.control; }

uint32_t flash_running_app(void) { return chip.running_app; }

uint32_t flash_size(void) { return chip.size; }

const uint8_t *flash_bytes(void) { return chip.bytes; }

static void lose_power(void) {
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

static bool is_usable(uint32_t address, uint32_t size) {
    if (address > chip.size || size > chip.size - address) {
        return false;
    }
    uint64_t bad = (uint64_t)chip.control->bad_sector * FLASH_SECTOR_SIZE;
    return size == 0 || bad >= (uint64_t)address + size || bad + FLASH_SECTOR_SIZE <= address;
}

int flash_erase(uint32_t address, uint32_t size) {
    if (address % FLASH_SECTOR_SIZE != 0 || size % FLASH_SECTOR_SIZE != 0 ||
        !is_usable(address, size)) {
        return -1;
    }
    if (chip.control->power_budget == 0) {
        lose_power();
    }
    memset(chip.bytes + address, 0xFF, size);
    chip.control->sectors_erased += size / FLASH_SECTOR_SIZE;
    return 0;
}

int flash_program(uint32_t address, const uint8_t *data, uint32_t size) {
    if (!is_usable(address, size)) {
        return -1;
    }
    int64_t budget = chip.control->power_budget;
    uint32_t lasts = budget >= 0 && budget < size ? (uint32_t)budget : size;
    uint8_t *cells = chip.bytes + address;
    for (uint32_t i = 0; i < lasts; i++) {
        cells[i] &= data[i];
    }
    chip.control->bytes_programmed += lasts;
    if (budget >= 0) {
        chip.control->power_budget = budget - lasts;
    }
    if (lasts < size) {
        lose_power();
    }
    return 0;
}
