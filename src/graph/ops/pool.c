/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_max_pool2d = {0};
const OpRule op_rule_average_pool2d = {0};
const OpRule op_rule_global_max_pool2d = {0};
const OpRule op_rule_global_average_pool2d = {0};
