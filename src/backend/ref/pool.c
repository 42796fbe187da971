/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

const RefKernel ref_max_pool2d = {0};
const RefKernel ref_average_pool2d = {0};
const RefKernel ref_global_max_pool2d = {0};
const RefKernel ref_global_average_pool2d = {0};
