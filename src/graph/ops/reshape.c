/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_input = {0};
const OpRule op_rule_reshape = {0};
const OpRule op_rule_permute = {0};
const OpRule op_rule_pad2d = {0};
const OpRule op_rule_crop2d = {0};
const OpRule op_rule_concat = {0};
