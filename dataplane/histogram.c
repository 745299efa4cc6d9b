/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/histogram.h"

void fg_histogram_gather(struct fg_histogram_view *view, const struct fg_histogram *histogram)
{
    for (size_t i = 0; i < FG_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = fg_count_read(&histogram->buckets[i]);
        view->buckets[i] += count;
        view->count += count;
    }
    view->sum_ns += fg_count_read(&histogram->sum_ns);
    uint64_t max_ns = fg_count_read(&histogram->max_ns);
    if (max_ns > view->max_ns)
        view->max_ns = max_ns;
}

uint64_t fg_histogram_edge(unsigned bucket)
{
    if (bucket == 0)
        return UINT64_C(1) << FG_HISTOGRAM_FIRST;
    if (bucket >= FG_HISTOGRAM_BUCKETS - 1)
        return UINT64_MAX;
    unsigned doubling = FG_HISTOGRAM_FIRST + (bucket - 1) / FG_HISTOGRAM_STEPS;
    uint64_t steps = FG_HISTOGRAM_STEPS + (bucket - 1) % FG_HISTOGRAM_STEPS + 1;
    return steps << (doubling - FG_HISTOGRAM_STEP_BITS);
}

uint64_t fg_histogram_below(const struct fg_histogram_view *view, unsigned log2_ns)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FG_HISTOGRAM_BUCKETS && fg_histogram_edge(i) <= UINT64_C(1) << log2_ns;
         i++)
        sum += view->buckets[i];
    return sum;
}

uint64_t fg_histogram_quantile(const struct fg_histogram_view *view, unsigned permille)
{
    uint64_t wanted = (view->count * permille + 999) / 1000, sum = 0;
    for (unsigned i = 0; view->count > 0 && i < FG_HISTOGRAM_BUCKETS; i++) {
        sum += view->buckets[i];
        if (sum >= wanted) {
            uint64_t edge = fg_histogram_edge(i);
            return edge < view->max_ns ? edge : view->max_ns;
        }
    }
    return 0;
}
