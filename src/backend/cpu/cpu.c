/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/backend.h"

static bool supports(const OpDesc *op) {
    (void)op;
    return false;
}

const Backend backend_cpu = {.name = "cpu", .supports = supports};
