/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_activation = {0};
const OpRule op_rule_softmax = {0};
const OpRule op_rule_prelu = {0};
