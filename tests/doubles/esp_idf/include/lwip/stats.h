// SPDX-License-Identifier: MIT
// Double of lwIP as ESP-IDF v5.5.1 has it, components/lwip/lwip/src/include/lwip/stats.h: what
// viperhttp uses of it, with CONFIG_LWIP_STATS.
#pragma once

#include <stdint.h>

typedef uint16_t STAT_COUNTER;

struct stats_proto {
    STAT_COUNTER xmit, recv, fw, drop, chkerr, lenerr, memerr, rterr, proterr, opterr, err,
        cachehit;
};

struct stats_ {
    struct stats_proto link, etharp, ip_frag, ip, icmp, igmp, udp, tcp;
};

extern struct stats_ lwip_stats;
