// SPDX-License-Identifier: MIT
// network.LAN on QEMU's Ethernet. MicroPython's network_lan.c (v1.27.0) asks for the MAC of the
// chip itself, and on a chip that has none for no MAC and no PHY at all; the linker (--wrap) brings
// both calls here.
#include "esp_eth.h"
#include "esp_eth_driver.h"

#define PHY_ADDRESS 1 // where QEMU has the DP83848 (hw/net/opencores_eth.c)

esp_err_t __real_esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *driver);
esp_err_t __wrap_esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *driver);

#if CONFIG_ETH_USE_ESP32_EMAC
esp_eth_mac_t *__wrap_esp_eth_mac_new_esp32(const eth_esp32_emac_config_t *chip,
                                            const eth_mac_config_t *config);

esp_eth_mac_t *__wrap_esp_eth_mac_new_esp32(const eth_esp32_emac_config_t *chip,
                                            const eth_mac_config_t *config) {
    (void)chip;
    return esp_eth_mac_new_openeth(config);
}
#endif

esp_err_t __wrap_esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *driver) {
    esp_eth_config_t emulated = *config;
    if (emulated.mac == NULL) {
        eth_mac_config_t mac = ETH_MAC_DEFAULT_CONFIG();
        emulated.mac = esp_eth_mac_new_openeth(&mac);
    }
    if (emulated.phy == NULL) {
        eth_phy_config_t phy = ETH_PHY_DEFAULT_CONFIG();
        phy.phy_addr = PHY_ADDRESS;
        phy.reset_gpio_num = -1;
        emulated.phy = esp_eth_phy_new_dp83848(&phy);
    }
    return __real_esp_eth_driver_install(&emulated, driver);
}
