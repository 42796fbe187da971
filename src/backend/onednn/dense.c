/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/onednn/onednn.h"
static bool supports(const OpDesc *op) {
    (void)op;
    return false;
}
const OnednnFamily onednn_dense = {.supports = supports};
