/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_batch_norm = {0};
const OpRule op_rule_layer_norm = {0};
const OpRule op_rule_group_norm = {0};
