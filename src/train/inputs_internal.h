/* SPDX-License-Identifier: Apache-2.0
 *
 * Between inputs_list.c, which finds files, and inputs.c, which reads them. */
#ifndef TRAIN_INPUTS_INTERNAL_H
#define TRAIN_INPUTS_INTERNAL_H
#include "train/inputs.h"

/* Paths, one behind the other, each with its '\0'. */
typedef struct InputList {
    char *texts; /* owned */
    size_t used, count;
    bool skip; /* also what is not there: it will be found to be bad */
} InputList;

/* Appends what the words say. */
Status inputs__list(const CliWords *words, InputList *list);

#endif
