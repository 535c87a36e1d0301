// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_netif/include: esp_netif.h, esp_netif_types.h and
// esp_netif_ip_addr.h, what viperhttp uses of them.
#pragma once

#include <stdint.h>

#include "esp_err.h"

typedef struct esp_netif_obj esp_netif_t;

typedef struct {
    uint32_t addr;
} esp_ip4_addr_t;

typedef struct {
    esp_ip4_addr_t ip;
    esp_ip4_addr_t netmask;
    esp_ip4_addr_t gw;
} esp_netif_ip_info_t;

#define IPSTR "%d.%d.%d.%d"
#define IP2STR(ipaddr)                                                                             \
    ((uint16_t)((const uint8_t *)&(ipaddr)->addr)[0]),                                             \
        ((uint16_t)((const uint8_t *)&(ipaddr)->addr)[1]),                                         \
        ((uint16_t)((const uint8_t *)&(ipaddr)->addr)[2]),                                         \
        ((uint16_t)((const uint8_t *)&(ipaddr)->addr)[3])

esp_err_t esp_netif_init(void);
esp_netif_t *esp_netif_get_default_netif(void);
esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info);
