/* SPDX-License-Identifier: Apache-2.0
 *
 * The same in double. */
#include "unit/test_checkpoint_others.c"
