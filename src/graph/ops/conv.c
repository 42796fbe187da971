/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_conv2d = {0};
const OpRule op_rule_conv2d_transpose = {0};
