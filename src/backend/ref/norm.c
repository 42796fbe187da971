/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

const RefKernel ref_batch_norm = {0};
const RefKernel ref_layer_norm = {0};
const RefKernel ref_group_norm = {0};
