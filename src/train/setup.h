/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs that compute begin with: data and network brought together. */
#ifndef TRAIN_SETUP_H
#define TRAIN_SETUP_H
#include "data/dataset.h"
#include "data/loader.h"
#include "dist/dist.h"
#include "train/config.h"
#include "train/record.h"
#include "train/replica.h"

enum { SETUP_EVAL_BLOCK = 64 /* examples of one block of evaluation: a constant, so that bits do not depend on the ranks */ };

#endif
