/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

const OpRule op_rule_dropout = {0};
