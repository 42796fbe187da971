/* SPDX-License-Identifier: Apache-2.0
 *
 * CNN_BACKENDS is the list of built-in backends, best first, that CMake gives: "X(openblas) X(frames) X(cpu)
 * X(ref)". */
#include "backend/select.h"
#include <stdio.h>
#include <string.h>

#define X(name) extern const Backend backend_##name;
CNN_BACKENDS
#undef X

#define X(name) &backend_##name,
static const Backend *const backends[] = {CNN_BACKENDS};
#undef X

#define X(name) #name,
static const char *const names[] = {CNN_BACKENDS NULL};
#undef X

enum { BACKENDS = sizeof backends / sizeof *backends };

/* Index of the best backend that `wanted` allows; BACKENDS when there is none of that name. */
static size_t first_allowed(const char *wanted) {
    size_t i = 0;
    if (wanted && strcmp(wanted, "auto") != 0)
        while (i < BACKENDS && strcmp(names[i], wanted) != 0)
            i++;
    return i;
}

const Backend *backend_select(const OpDesc *op, const char *wanted) {
    for (size_t i = first_allowed(wanted); i < BACKENDS; i++)
        if (backends[i]->supports(op))
            return backends[i];
    return &backend_ref;
}

const char *const *backend_names(void) {
    return names;
}

Status backend_check_name(const char *wanted) {
    char list[128] = "auto";
    size_t used = strlen(list);
    if (first_allowed(wanted) < BACKENDS)
        return STATUS_OK;
    for (size_t i = 0; i < BACKENDS && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, ", %s", names[i]);
    return status_fail(STATUS_USAGE, "no backend is called %s. --backend takes one of: %s.", wanted, list);
}

void backend_set_threads(int threads) {
    for (size_t i = 0; i < BACKENDS; i++)
        if (backends[i]->set_threads)
            backends[i]->set_threads(threads);
}

size_t backend_describe_libraries(char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < BACKENDS; i++) {
        char one[64];
        if (!backends[i]->describe)
            continue;
        backends[i]->describe(one, sizeof one);
        if (used + strlen(one) + 3 <= size)
            used += (size_t)snprintf(text + used, size - used, "%s, ", one);
    }
    return used;
}
