/* SPDX-License-Identifier: BSD-3-Clause */
/* Fixed limits, each with its reason. What an operator may choose is in the configuration. */
#ifndef FLASHGATE_LIMITS_H
#define FLASHGATE_LIMITS_H

#define FG_WORKERS_MAX        64    /* an order id has 6 bits for the worker that made it */
#define FG_EPOCH_MAX          65535 /* an order id has 16 bits for the epoch */
#define FG_NODE_MAX           1023  /* an order id has 10 bits for the node */
#define FG_PORTS_MAX          8     /* DPDK ports of one engine: a server's NICs */
#define FG_BURST              64 /* datagrams a stage works on: fits the line-fill buffers' depth */
#define FG_SALES_LIVE_MAX     64 /* sales not archived: a key's right to sales is one 64-bit mask */
#define FG_SALES_EVER_MAX     65535 /* sales in one log: the journal keeps a sale_seq for each */
#define FG_SALE_NAME_MAX      63    /* bytes of a sale's name: it is part of a Redis key */
#define FG_ITEM_NAME_MAX      95    /* bytes of an item's name: shown, never matched */
#define FG_ITEMS_PER_SALE_MAX 10000 /* keeps a sale's definition within one control record */
#define FG_QUANTITY_MAX       65535 /* units in one order: 16 bits on the wire */
#define FG_STOCK_MAX          2000000000 /* units of one item: 31 bits, so no sum overflows the pool */
#define FG_HOLD_MS_MAX        604800000 /* 7 days: deadlines are 32-bit ms compared by difference */
#define FG_KEYS_MAX           256       /* keys in force: one sales mask each in every snapshot */
#define FG_KEY_PREFIXES_MAX   16        /* source prefixes of one key: checked one by one */
#define FG_KEY_RATE_MAX       1000000000 /* requests a second of a key: more than any NIC brings */
#define FG_KEY_BURST_SECONDS  3600       /* of its rate that a key may ask at once */
#define FG_BUYER_RATE_MAX     1000       /* requests a second of a buyer in one sale: a person's */
#define FG_BUYER_BURST_MAX    1000       /* at once: debts of buckets are compared by difference */
#define FG_BUYER_BUCKETS      16384    /* a worker's, 256 KiB: where the cache's size is not told */
#define FG_PENALTY_PLACES     4096     /* a worker's, 64 KiB: buyers punished at once, or near it */
#define FG_PENALTY_MS_MAX     86400000 /* a day: ends of penalties are compared by difference */
#define FG_PENALTY_AFTER_MAX  10000    /* refusals that begin one: counted in 16 bits */
#define FG_LIST_BUYERS_MAX    (4 << 20) /* of a list: 84 MiB of memory, and some seconds to make */
#define FG_LIST_SOURCES_MAX   (2 << 20) /* of a list: twice what the whole Internet's routes are */
#define FG_LIST_FILE_MAX      (256u << 20) /* bytes of a list's file: as many buyers, with comments */
#define FG_RECORD_BYTES       64           /* unit of the log: one order event, one cache line */
#ifndef FG_SMALL_FRAMES
#define FG_CONTROL_BODY_MAX (4 << 20) /* bytes of a control record's body: 10,000 items */
#else                                 /* a build for tests: see FG_FRAME_MAX */
#define FG_CONTROL_BODY_MAX (4 << 10)
#endif
#define FG_BLOCK_BYTES       4096   /* frames begin on it: the largest common sector size */
#define FG_COPIES_MAX        4      /* copies of one undecided order that wait for its answer */
#define FG_COMMANDS_PER_LOOP 4      /* control commands a worker takes in one loop */
#define FG_SETTLE_SHARE      8      /* 1/8 of every ring is kept for CONFIRM, CANCEL, expiry */
#define FG_UNSETTLED_WAIT_MS 5      /* a datagram waits so long for a true refusal, then BUSY */
#define FG_FRESHNESS_MS      30000  /* default freshness window, either way */
#define FG_FRESHNESS_MS_MAX  600000 /* times of datagrams are compared by difference, coarsely */

#endif
