/* SPDX-License-Identifier: Apache-2.0
 *
 * What the graph has to know of an operation.  Each op family is one file here that defines a rule per operation,
 * `const OpRule op_rule_conv2d`; the table in rules.c derives from OP_LIST. */
#ifndef GRAPH_OPS_RULES_H
#define GRAPH_OPS_RULES_H
#include "backend/op.h"
#include "base/status.h"
#include <stdint.h>

/* No extent is larger: products of two, as in window arithmetic, then fit a size_t. */
#define RULE_EXTENT_MAX ((size_t)INT32_MAX)

typedef struct OpRule {
    /* Called by op_shape when every extent of x and w is known to be in 1 .. RULE_EXTENT_MAX, their products to fit,
     * and the number of inputs to be right; op_shape checks y afterwards.  Checks op->x, op->w, op->attr and sets
     * op->y, derived attributes, keeps_x, keeps_y, in_place.  The message of a failure says what does not fit and
     * shows the shapes; the caller adds the layer's name. */
    Status (*shape)(OpDesc *op);

    /* Floating-point operations (a multiply-add is two) of one example's forward pass; NULL: one per output element. */
    double (*flops)(const OpDesc *op);
} OpRule;

#define OP_RULE(constant, name) extern const OpRule op_rule_##name;
OP_LIST(OP_RULE)
#undef OP_RULE

#endif
