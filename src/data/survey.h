/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a dataset, for a person who is to train on it: examples of each class, ranges of numbers, examples that
 * are there twice. */
#ifndef DATA_SURVEY_H
#define DATA_SURVEY_H
#include "data/dataset.h"

enum { SURVEY_CHANNELS = 16, SURVEY_COPIES = 1000 };

typedef struct SurveyChannel {
    double min, max, mean, deviation; /* of the population */
} SurveyChannel;

/* An example that was there before: the same numbers, told by a hash of 64 bits (base/hash.h). */
typedef struct SurveyCopy {
    DatasetSplit split, of_split;
    uint64_t row, of_row;
    bool other_label; /* the first label array says something else of it */
} SurveyCopy;

typedef struct Survey {
    /* Of the first label array, if it is of classes: count[split][class] examples (pixels of class maps); else classes
     * 0. */
    size_t classes;
    uint64_t *count[DATASET_SPLITS]; /* owned */

    /* Of x, unless it was not read.  Channels: the last dimension of images and series; 1, all numbers together, of
     * other shapes and above SURVEY_CHANNELS. */
    bool has_x;
    size_t channels;
    SurveyChannel channel[DATASET_SPLITS][SURVEY_CHANNELS];

    /* copies[s][s]: examples of s that repeat an earlier one of s; copies[s][t], t < s: examples of s that are also in
     * t. */
    uint64_t copies[DATASET_SPLITS][DATASET_SPLITS], other_labels;
    SurveyCopy *list; /* owned; the first SURVEY_COPIES of them, each one's earliest equal */
    size_t listed;
} Survey;

/* Reads all labels and, if read_x, all of x, in pieces; 32 bytes of memory an example.  STATUS_FAILED: cannot be read,
 * out of memory. */
Status survey_dataset(Dataset *dataset, bool read_x, Survey *out);
void survey_free(Survey *survey); /* accepts a zeroed one */

#endif
