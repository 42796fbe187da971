/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pulse.h"
#include <stdatomic.h>

static _Atomic uint64_t beats;

void pulse(void) {
    atomic_fetch_add_explicit(&beats, 1, memory_order_relaxed);
}

uint64_t pulse_count(void) {
    return atomic_load_explicit(&beats, memory_order_relaxed);
}
