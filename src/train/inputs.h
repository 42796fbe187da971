/* SPDX-License-Identifier: Apache-2.0
 *
 * What cnn_predict is given to look at: pictures, folders of pictures (with all below them, sorted by name), datasets,
 * and lists of such, in any order.  All together they are one row of examples, numbered from 0 in the order of the
 * command line.
 *
 *     TRY(inputs_open(dist, words, &options, &inputs));        the same list on all ranks
 *     TRY(inputs_fit(inputs, &preprocess));                   what a network takes
 *     inputs_read(inputs, rows, n, &preprocess, NULL, NULL, x, bad);
 *     inputs_close(inputs); */
#ifndef TRAIN_INPUTS_H
#define TRAIN_INPUTS_H
#include "data/augment.h"
#include "data/dataset.h"
#include "dist/dist.h"
#include "io/image.h"
#include "train/cli.h"

typedef struct InputItem {
    char *path;            /* borrowed from the list */
    Dataset *dataset;      /* owned; NULL: a picture */
    uint64_t first, count; /* its examples in the row of all */
    Real *labels;          /* owned, of a dataset with class numbers: rank 0's */
} InputItem;

typedef struct Inputs {
    Dist *dist;       /* borrowed */
    InputItem *items; /* owned */
    size_t item_count;
    uint64_t count;     /* examples */
    DatasetSplit split; /* of datasets */
    bool skip;          /* a picture that cannot be read is marked, not a failure */
    char *texts;        /* owned: all paths, one behind the other */
    size_t text_bytes;
    ImageFit fit;
    double pixel;        /* one level of a picture's byte in the unit of the network's data: value_max / 255 */
    Image photo, small;  /* of the picture that is read */
    DatasetInfo picture; /* what a picture is when it has come to the network's size; owns nothing */
} Inputs;

/* Is the word a network (run folder, checkpoint, file of Keras), not something to look at?  By a look into it. */
bool inputs_is_network(const char *word);

/* The words are rank 0's: paths; "-" stands for the lines of stdin, "@FILE" for those of a file.  Datasets are opened.
 * Collective, agreed.  STATUS_FAILED: not there, cannot be read, an empty folder or split.  inputs_close
 * also after a failure. */
typedef struct InputOptions {
    DatasetSplit split; /* of datasets */
    bool skip;          /* pictures that cannot be read */
} InputOptions;
Status inputs_open(Dist *dist, const CliWords *words, const InputOptions *options, Inputs **out);
void inputs_close(Inputs *inputs); /* accepts NULL */

/* What the network takes: examples of preprocess->shape, to which pictures come by preprocess->fit.  STATUS_USAGE:
 * pictures for a network that takes none of 1 or 3 channels.  STATUS_FAILED: a dataset of another shape. */
Status inputs_fit(Inputs *inputs, const Preprocess *preprocess);

/* Examples rows[n], ascending: x[n * shape], changed by `augment` (NULL: not).  With inputs->skip those of pictures
 * that cannot be read become 0, and *bad of them true (failures of others too); an error message names them unless they
 * were bad before.  Not collective. */
Status inputs_read(Inputs *inputs, const uint64_t rows[], size_t n, const Preprocess *preprocess,
                   const AugmentPass *augment, Real *x, bool bad[]);

/* Item of an example; *row = its row in the dataset's split. */
const InputItem *inputs_item(const Inputs *inputs, uint64_t example, uint64_t *row);

/* The true class of an example, of `count` names (count 0: names are not known): its number in the names, or the
 * dataset's when one of the two has no names; of a picture the name of the nearest folder that it lies in.  -1: not
 * known. */
int64_t inputs_truth(const Inputs *inputs, uint64_t example, char *const names[], size_t count);

/* *rgb[height][width][3] (freed with memory_free, also after a failure) = row `row` of a dataset's split, as
 * sheet_example.  STATUS_USAGE: it is no image. */
Status inputs_dataset_picture(Dataset *dataset, DatasetSplit split, uint64_t row, uint8_t **rgb, size_t *height,
                              size_t *width);

/* The same of an example as people see it; a photo at most `side` pixels high and wide. */
Status inputs_picture(Inputs *inputs, uint64_t example, size_t side, uint8_t **rgb, size_t *height, size_t *width);

/* The part of it that the network sees, as inputs_fit has it: a photo in more pixels, up to `side`, where the network
 * takes few. */
Status inputs_seen(Inputs *inputs, uint64_t example, size_t side, uint8_t **rgb, size_t *height, size_t *width);

#endif
