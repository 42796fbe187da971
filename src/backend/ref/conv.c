/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

const RefKernel ref_conv2d = {0};
const RefKernel ref_conv2d_transpose = {0};
