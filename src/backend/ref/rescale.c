/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

const RefKernel ref_rescale = {0};
const RefKernel ref_normalize = {0};
