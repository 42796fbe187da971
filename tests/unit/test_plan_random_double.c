/* SPDX-License-Identifier: Apache-2.0
 *
 * The same with Real = double. */
#include "test_plan_random.c"
