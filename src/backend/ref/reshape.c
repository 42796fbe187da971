/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

const RefKernel ref_input = {0};
const RefKernel ref_reshape = {0};
const RefKernel ref_permute = {0};
const RefKernel ref_pad2d = {0};
const RefKernel ref_crop2d = {0};
const RefKernel ref_concat = {0};
