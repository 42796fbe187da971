/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes by the texts that stand in files: "cat", "7", "-1", "1.0000000e+00".  A text that is a number stands for the
 * number: "1.0" and "1" are one label.  Classes are numbered
 *     in the order of the names that the user gave, when there are any and all labels are among them
 *     by themselves, when all labels are whole numbers and the smallest is 0
 *     else in ascending order: of numbers where all are numbers, of bytes otherwise; names given are names for these */
#ifndef DATA_LABEL_SET_H
#define DATA_LABEL_SET_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LABEL_SET_MOST = 65536, LABEL_SET_TEXT = 256 };

typedef struct LabelSetItem {
    char *text; /* owned */
    int64_t class;
} LabelSetItem;

typedef struct LabelSet {
    LabelSetItem *items; /* owned, in order of bytes */
    size_t count;
    char **names; /* owned, their texts borrowed from items; NULL: classes have numbers only */
    size_t name_count;
} LabelSet;

/* Adds a label; again is nothing.  STATUS_FAILED: empty, too long, more than LABEL_SET_MOST. */
Status label_set_add(LabelSet *set, const char *text, size_t length);

/* When all are there: numbers them.  names[name_count]: given by the user; 0: none.
 * STATUS_FAILED: the names do not fit. */
Status label_set_settle(LabelSet *set, char *const names[], size_t name_count);

/* *class = the label's number; false: it is not in the set. */
bool label_set_find(const LabelSet *set, const char *text, size_t length, int64_t *class);

void label_set_free(LabelSet *set); /* accepts a zeroed one */

#endif
