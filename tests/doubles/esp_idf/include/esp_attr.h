// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_common/include/esp_attr.h: what viperhttp uses of it.
// There it names the section that is left alone at a start; here each run starts anew.
#pragma once

#define RTC_NOINIT_ATTR
