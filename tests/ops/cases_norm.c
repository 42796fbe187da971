/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

const OpCases op_cases_norm = {0};
