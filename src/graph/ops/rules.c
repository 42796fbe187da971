/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"
#include "graph/graph.h"

static const OpRule *const rules[] = {
#define OP_RULE(constant, name) &op_rule_##name,
    OP_LIST(OP_RULE)
#undef OP_RULE
};

Status op_shape(OpDesc *op) {
    return rules[op->kind]->shape(op);
}

double op_flops(const OpDesc *op) {
    const OpRule *rule = rules[op->kind];
    return rule->flops ? rule->flops(op) : (double)shape_count(&op->y);
}
