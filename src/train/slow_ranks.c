/* SPDX-License-Identifier: Apache-2.0 */
#include "train/slow_ranks.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINES = 10 };
static const double least_seconds = 5, tolerance = 1.2;

static double per_example(const RankTime *time) {
    return time->seconds / time->examples;
}

static int by_speed(const void *a, const void *b) {
    double x = per_example(a), y = per_example(b);
    return (x > y) - (x < y);
}

double slow_ranks_find(const RankTime *times, size_t count, bool *slow) {
    RankTime sorted[count];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        slow[i] = false;
        if (times[i].examples > 0)
            sorted[used++] = times[i];
    }
    if (used < 2)
        return 0;
    qsort(sorted, used, sizeof *sorted, by_speed);
    const RankTime *median = &sorted[(used - 1) / 2];
    if (median->seconds < least_seconds)
        return 0;
    for (size_t i = 0; i < count; i++)
        slow[i] = times[i].examples > 0 && per_example(&times[i]) > tolerance * per_example(median);
    return per_example(median);
}

void slow_ranks_report(Dist *dist, double seconds, uint64_t examples, uint64_t epoch) {
    size_t count = (size_t)dist_ranks(dist), lines = 0;
    bool crowded = dist_local_ranks(dist) > sysconf(_SC_NPROCESSORS_ONLN), slow[count];
    RankTime mine = {.seconds = seconds, .examples = crowded ? 0 : (double)examples}, times[count];
    if (count < 2)
        return;
    snprintf(mine.host, sizeof mine.host, "%s", dist_host(dist));
    dist_gather_all(dist, &mine, sizeof mine, times, sizeof times);
    double median = slow_ranks_find(times, count, slow);
    for (size_t i = 0; median > 0 && i < count && lines < LINES; i++)
        if (slow[i] && ++lines)
            log_warn(
                "rank %zu (%s) is slow: %.3g ms an example in epoch %llu, %.0f %% more than the median rank (%.3g ms)",
                i, times[i].host, 1e3 * per_example(&times[i]), (unsigned long long)epoch,
                100 * (per_example(&times[i]) / median - 1), 1e3 * median);
}
