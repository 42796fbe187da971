/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_add = {0};
const OpRule op_rule_subtract = {0};
const OpRule op_rule_multiply = {0};
const OpRule op_rule_average = {0};
const OpRule op_rule_maximum = {0};
