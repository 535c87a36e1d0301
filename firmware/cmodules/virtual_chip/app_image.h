// SPDX-License-Identifier: MIT
// An ESP32-S3 application image in flash, as esp_image_format.h of ESP-IDF v5.5.1 lays it out.
#ifndef VIRTUAL_CHIP_APP_IMAGE_H
#define VIRTUAL_CHIP_APP_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

// True when `bytes` begin with a whole image for this chip, whose checksum and SHA-256 are right.
bool app_image_is_valid(const uint8_t *bytes, uint32_t size);

#endif
