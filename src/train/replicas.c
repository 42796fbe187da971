/* SPDX-License-Identifier: Apache-2.0 */
#include "train/replicas.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST = 64, NAMED = 8, NAMES = NAMED * (HOST + 16) };

Status replicas_parse(const char *text, ReplicaChecks *out) {
    char *end;
    *out = (ReplicaChecks){.at_checkpoints = strcmp(text, "off") != 0};
    if (!out->at_checkpoints || strcmp(text, "checkpoints") == 0)
        return STATUS_OK;
    errno = 0;
    out->every = strtoull(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || errno != 0)
        return status_fail(STATUS_USAGE, "--check-replicas %s: must be off, checkpoints or a number of steps", text);
    return STATUS_OK;
}

size_t replicas_odd(const uint64_t *hash, size_t count, bool *odd) {
    /* Boyer and Moore's vote: if one hash has more than half, it is this one. */
    uint64_t most = 0;
    size_t votes = 0, others = 0;
    for (size_t i = 0; i < count; i++) {
        if (votes == 0)
            most = hash[i];
        votes += hash[i] == most ? 1 : (size_t)-1;
    }
    for (size_t i = 0; i < count; i++)
        others += hash[i] != most;
    bool majority = others < count - others;
    for (size_t i = 0; i < count; i++)
        odd[i] = !majority || hash[i] != most;
    return majority ? others : count;
}

/* "1 (node1), 5 (node2)" */
static void name_ranks(const bool *odd, const char *hosts, size_t count, char names[NAMES]) {
    size_t used = 0, named = 0;
    for (size_t i = 0; i < count && named < NAMED; i++)
        if (odd[i])
            used +=
                (size_t)snprintf(names + used, NAMES - used, "%s%zu (%s)", named++ ? ", " : "", i, hosts + i * HOST);
}

static Status name(Dist *dist, const bool *odd, size_t odd_count, uint64_t step) {
    size_t count = (size_t)dist_ranks(dist);
    char mine[HOST], hosts[count * HOST], names[NAMES] = "";
    snprintf(mine, sizeof mine, "%s", dist_host(dist));
    dist_gather_all(dist, mine, HOST, hosts, sizeof hosts);
    name_ranks(odd, hosts, count, names);
    const char *more = odd_count > NAMED ? " and others" : "";
    unsigned long long after = step;
    if (odd_count == count)
        return status_fail(
            STATUS_RETRY,
            "after step %llu ranks %s%s do not have the same weights and optimizer state any more: a memory "
            "or processor has failed",
            after, names, more);
    return status_fail(
        STATUS_RETRY,
        "after step %llu rank%s %s%s %s other weights or optimizer state than the other %zu: a memory or "
        "processor there has failed",
        after, odd_count > 1 ? "s" : "", names, more, odd_count > 1 ? "have" : "has", count - odd_count);
}

Status replicas_compare(Dist *dist, uint64_t hash, uint64_t step) {
    size_t count = (size_t)dist_ranks(dist);
    uint64_t all[count];
    bool odd[count];
    dist_gather_all(dist, &hash, sizeof hash, all, sizeof all);
    size_t odd_count = replicas_odd(all, count, odd);
    return odd_count ? name(dist, odd, odd_count, step) : STATUS_OK;
}
