/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/op.h"

const char *op_name(OpKind kind) {
#define OP_TEXT(constant, name) #name,
    static const char *const names[] = {OP_LIST(OP_TEXT)};
    return names[kind];
}
