/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/load/option_rows.h"

#include "flashgate/protocol.h"
#include "perf/load/client.h"
#include "perf/load/hostile.h"

#define FIELD(name) offsetof(struct load_options, name)

#define X(name, text, counter, expected, help) " " text
static const char hostile_help[] =
    "hostile datagrams beside the load, of these kinds and how many of each; all: of each as many "
    "as of the other. Kinds:" LOAD_HOSTILES(X);
#undef X

#define X(name, help) " " #name ": " help ";"
static const char profile_help[] =
    "how the rate goes over --duration, with --rate as its greatest:" LOAD_PROFILES(
        X) " or a list of points, between which it goes evenly, and at once where two have the "
           "same time";
#undef X

const struct load_option load_options_table[] = {
    {.help = "Network"},
    {"port", "DEVICE", KIND_TEXT, FIELD(port), 0, 0, NULL,
     "DPDK port: a virtual device (net_virtio_user0,path=/run/x.sock,queues=2; "
     "net_af_packet0,iface=veth1) or a PCI address"},
    {"source", "ADDRESS/BITS", KIND_PREFIX, FIELD(source), 0, 0, NULL,
     "own IPv4 or IPv6 address and its prefix; who asks for it is answered"},
    {"target", "ADDRESS", KIND_ADDRESS, FIELD(target), 0, 0, NULL,
     "the engine's address, in the source's prefix"},
    {"source-port", "PORT", KIND_NUMBER, FIELD(source_port), 1024, 65535, "30000", "own UDP port"},
    {"base-port", "PORT", KIND_NUMBER, FIELD(base_port), 1024, 65535, "20480",
     "one of the engine's UDP ports: PING is sent there and tells the rest"},
    {"eal", "ARGUMENT", KIND_EAL, 0, 0, 0, NULL,
     "an argument for DPDK's EAL, such as --lcores=0@1; may be given often"},
    {.help = "Keys"},
    {"key-file", "FILE", KIND_TEXT, FIELD(key_file), 0, 0, NULL,
     "key file, in the engine's format and with mode 0600; without one, nothing is signed"},
    {"key", "ID", KIND_NUMBER, FIELD(key), 1, 65535, "1", "the key that signs"},
    {.help = "Load"},
    {"requests", "COUNT", KIND_NUMBER, FIELD(requests), 1, LOAD_REQUESTS_MAX, "1000000",
     "distinct requests (buyer, request) to offer"},
    {"rate", "COUNT", KIND_NUMBER, FIELD(rate), 0, 100000000, "100000",
     "requests a second by schedule, whatever the answers do; 0: flat out"},
    {"duration", "SECONDS", KIND_NUMBER, FIELD(duration), 0, 86400, "0",
     "fresh requests for so long at --rate, however many that makes; in place of --requests"},
    {"profile", "NAME|MS:RATE,...", KIND_TEXT, FIELD(profile), 0, 0, NULL, profile_help},
    {"resend-cap", "COUNT", KIND_NUMBER, FIELD(resend_cap), 0, 1 << 20, "4096",
     "while so many sends wait for their answers, nothing is sent again; 0: no cap"},
    {"window", "COUNT", KIND_NUMBER, FIELD(window), 1, 1 << 20, "4096",
     "flat out: most datagrams that wait for their answers"},
    {"batch", "COUNT", KIND_NUMBER, FIELD(batch), 1, FG_ENTRIES_MAX, "1", "requests in a datagram"},
    {"buyers", "COUNT", KIND_NUMBER, FIELD(buyers), 1, 1000000000, "100000",
     "buyers, each as likely as the other (with --stateless: each in its turn)"},
    {"buyer-zipf", "EXPONENT", KIND_SHARE, FIELD(buyer_zipf), 0, 10, NULL,
     "buyers by Zipf's law: the k-th asks in proportion to 1 / k^EXPONENT"},
    {"bots", "PERMILLE", KIND_NUMBER, FIELD(bots), 1, 999, NULL,
     "buyers that are bots and ask --bot-factor times as often as another one"},
    {"bot-factor", "COUNT", KIND_NUMBER, FIELD(bot_factor), 1, 1000000, "20",
     "how many times as often as another buyer a bot asks"},
    {"sale", "FILE", KIND_TEXT, FIELD(sale), 0, 0, NULL,
     "sale file: its items are asked for, weighted by stock, and told in the history"},
    {"items", "ID:WEIGHT,...", KIND_TEXT, FIELD(items), 0, 0, NULL,
     "item ids and how often each is asked for; a weight left out is 1"},
    {"item-zipf", "EXPONENT", KIND_SHARE, FIELD(item_zipf), 0, 10, NULL,
     "items by Zipf's law, in the order of --items or the sale file, in place of their weights"},
    {"quantity", "UNITS:WEIGHT,...", KIND_TEXT, FIELD(quantity), 0, 0, "1",
     "units of a request and how often each is asked for"},
    {"double-click", "PERMILLE", KIND_NUMBER, FIELD(double_click), 0, 1000, "0",
     "datagrams that are sent twice at once, as two datagrams"},
    {"repeat", "PERMILLE", KIND_NUMBER, FIELD(repeat), 0, 1000, "0",
     "requests that are asked again 10 to 500 ms after they were answered"},
    {"confirm", "PERCENT", KIND_NUMBER, FIELD(confirm), 0, 100, NULL,
     "held orders that are confirmed (default: all that are not cancelled or left)"},
    {"cancel", "PERCENT", KIND_NUMBER, FIELD(cancel), 0, 100, "0",
     "held orders that are cancelled"},
    {"leave", "PERCENT", KIND_NUMBER, FIELD(leave), 0, 100, "0",
     "held orders that are left to expire"},
    {"think", "MS", KIND_NUMBER, FIELD(think), 0, 3600000, "100",
     "time from a held order to its CONFIRM or CANCEL"},
    {"seed", "NUMBER", KIND_NUMBER, FIELD(seed), 0, UINT64_MAX, "1",
     "chooses buyers and what they ask; the same seed asks the same"},
    {.help = "Saturating the wire"},
    {"stateless", NULL, KIND_FLAG, FIELD(stateless), 0, 0, NULL,
     "remember no request: answers are counted by verdict, nothing is asked again or settled, and "
     "buyers may be many; for more requests than --requests takes give --rate and --duration; "
     "--rate 0 with --duration goes flat out"},
    {"echo", NULL, KIND_FLAG, FIELD(echo), 0, 0, NULL,
     "stateless: the peer is no engine but sends every frame back with its MACs swapped, as "
     "dpdk-testpmd --forward-mode=macswap does; that is measured as a reply is. The frames are "
     "those for an engine of 64 partitions; over IPv4"},
    {"pool", "COUNT", KIND_NUMBER, FIELD(pool), 1, 1 << 26, NULL,
     "stateless: so many datagrams are signed ahead, each is sent again and again, and all get a "
     "new time and mac every 12 s; without it every datagram is new and signed as it leaves. With "
     "--retries an order of it that was admitted makes room for another buyer's"},
    {"sample", "COUNT", KIND_NUMBER, FIELD(sample), 1, 1 << 20, "64",
     "stateless: of so many datagrams one is measured, and its reply's mac checked"},
    {"retries", "PERMILLE", KIND_NUMBER, FIELD(retries), 0, 1000, "0",
     "stateless: orders that ask once more for what was admitted"},
    {.help = "Hostile traffic"},
    {"hostile", "KIND:WEIGHT,...", KIND_TEXT, FIELD(hostile), 0, 0, NULL, hostile_help},
    {"hostile-rate", "COUNT", KIND_NUMBER, FIELD(hostile_rate), 1, 100000000, "100000",
     "hostile datagrams a second, by schedule, as long as requests are offered"},
    {"hostile-slice", "MS", KIND_NUMBER, FIELD(hostile_slice), 0, 60000, "0",
     "in turns so long with and without hostile traffic (off on, on off, off on ...), the first "
     "fifth of each without; 0: no turns"},
    {"hostile-port", "PORT", KIND_NUMBER, FIELD(hostile_port), 1024, 65536 - LOAD_HOSTILE_COUNT,
     "40000", "first of their UDP source ports: one for each kind"},
    {.help = "Run and results"},
    {"timeout", "SECONDS", KIND_NUMBER, FIELD(timeout), 1, 86400, "60",
     "end of the run at the latest, counted from the start of the load (with --duration: from its "
     "end)"},
    {"history", "FILE", KIND_TEXT, FIELD(history), 0, 0, NULL,
     "write every entry sent and its answer there, for the checker"},
    {"report", "FILE", KIND_TEXT, FIELD(report), 0, 0, NULL, "write the results there, as JSON"},
    {"hgrm", "FILE", KIND_TEXT, FIELD(hgrm), 0, 0, NULL,
     "write the latencies' percentiles there, in us, as HdrHistogram does"},
    {"goodput", "FILE", KIND_TEXT, FIELD(goodput), 0, 0, NULL,
     "write there, as CSV, what was offered, sent and answered in every 100 ms"},
    {"sleep", NULL, KIND_FLAG, FIELD(sleep), 0, 0, NULL,
     "sleep a moment when there is nothing to do: for tests on few cores, not for latencies"},
    {"progress", NULL, KIND_FLAG, FIELD(progress), 0, 0, NULL, "a line a second on stderr"},
    {"version", NULL, KIND_FLAG, FIELD(version), 0, 0, NULL, "the version"},
    {"help", NULL, KIND_FLAG, FIELD(help), 0, 0, NULL, "this text"},
};
const int load_options_rows = sizeof(load_options_table) / sizeof(load_options_table[0]);
