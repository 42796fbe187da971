/* SPDX-License-Identifier: Apache-2.0
 *
 * Dataset files (HDF5).  Groups /train, /val, /test, of which any may be missing; in each
 *     x        [n, ...] uint8 or float32, channel last: [n,H,W,C]; [n,H,W] is taken as [n,H,W,1]
 *     x, x_end instead: pictures as files hold them, to be decoded when they are read.  x [bytes of all] uint8;
 *              x_end [n]: where in x each picture ends; it begins where the one before ends, the first at 0
 *     y, ...   [n, ...] labels: named arrays, the same in every group (kinds below)
 *     sample_weight   [n] if the examples have weights: numbers of at least 0, by which the losses of an example are
 *              multiplied
 * and attributes of the root, all optional
 *     class_names   list of texts, in the order of the class numbers
 *     origin        where the data is from, its licence
 *     resize        "crop", "pad" or "squash", of x that comes from pictures: how they came, or come, to its size
 *     x_shape       [3] with x_end: height, width, channels to which pictures are decoded
 *     value_max     the largest value of x, by which "unit" preprocessing divides; if missing, 255 for uint8, else 1
 *     layout        "series": x [n,a,b] is [n,length,channels], and not an image of one channel
 *
 * Or a folder of pictures, or a CSV file that lists some (data/folder.h), which is read the same way.
 *
 * Nothing here is collective: each rank opens the file and reads what it needs. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H
#include "base/real.h"
#include "base/shape.h"
#include "base/status.h"
#include "io/image.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum DatasetSplit { DATASET_TRAIN, DATASET_VAL, DATASET_TEST, DATASET_SPLITS } DatasetSplit;

/* What a label array holds, told by its type and its numbers. */
typedef enum LabelKind {
    LABEL_CLASS,     /* integers [n], [n,1]: a class number per example; [n,H,W]: one per pixel */
    LABEL_ONE_HOT,   /* [n,k], k > 1: one 1 per row, else 0 */
    LABEL_MULTI_HOT, /* [n,k]: 0 or 1 */
    LABEL_NUMBERS,   /* float [n] or [n,...]: any finite numbers */
    LABEL_WEIGHT     /* sample_weight: no label, but read like one */
} LabelKind;

typedef struct DatasetLabel {
    char *name; /* "y" */
    LabelKind kind;
    Shape shape; /* of one example: {} for class numbers, {k} for vectors, {H,W} for class maps */
    size_t
        classes; /* LABEL_CLASS: number of class names, or largest label of all splits + 1; else numbers per example */
    bool like_classes; /* LABEL_NUMBERS that may well be meant as class numbers: whole, each from 0 to the largest */
} DatasetLabel;

/* How a picture becomes an example x[height][width][channels] of bytes. */
typedef struct PictureRule {
    size_t height, width; /* 0: not said */
    size_t channels;      /* 1 or 3; 0: not said */
    ImageFit fit;         /* IMAGE_FITS: not said */
} PictureRule;

typedef struct DatasetInfo {
    char *path;  /* as given to dataset_open */
    char *name;  /* file name without ".h5": "digits" */
    Shape shape; /* of one example of x, channel last */
    bool is_uint8;
    bool is_encoded;  /* pictures that are decoded when they are read */
    bool is_pictures; /* x comes from pictures */
    ImageFit fit;     /* and by this rule; else 0 */
    double value_max;
    size_t count[DATASET_SPLITS]; /* examples; 0: no such split */
    DatasetLabel *labels;         /* "y" first, then by name, sample_weight last; none is possible */
    size_t label_count;           /* sample_weight included */
    char **class_names;           /* NULL: none */
    size_t class_name_count;
    char *origin; /* "" when the file does not say */

    /* Identity of the data, for the check on resume: SHA-256 over shapes, types, counts, all labels and 64 evenly
     * spaced examples of each split.  Cheap; a changed pixel in an example that is not among them is found by
     * dataset_content alone. */
    char fingerprint[65];
} DatasetInfo;

typedef struct Dataset Dataset;

/* Opens a file and verifies all of it but x's numbers: extents agree, labels are whole, finite and in range (all are
 * read).  A folder is scanned; its files are not opened, but for a few, whose headers settle what options do not say.
 * STATUS_FAILED: not a dataset, damaged, contradictory; the message names file and array. */
Status dataset_open(const char *path, Dataset **out);

/* What may be said about data that are pictures; other data do not ask. */
typedef struct DatasetOptions {
    PictureRule rule;         /* what it does not say: as the file says, or picture_rule_settle, */
    Shape usual;              /* which takes its size where a folder's pictures differ in theirs; rank 0: not said */
    char *const *class_names; /* borrowed; of a folder: the classes in the order of their numbers; NULL: those found */
    size_t class_count;
    DatasetSplit split; /* of pictures in folders that do not tell */
} DatasetOptions;
Status dataset_open_with(const char *path, const DatasetOptions *options, Dataset **out);
void dataset_close(Dataset *dataset); /* accepts NULL */

/* Borrowed from `dataset`. */
const DatasetInfo *dataset_info(const Dataset *dataset);

/* Which of info->labels is sample_weight; -1: none. */
int dataset_weights(const DatasetInfo *info);

/* *values[examples of the split * numbers per example] = label array `label`.  The caller frees with memory_free. */
Status dataset_read_labels(Dataset *dataset, DatasetSplit split, size_t label, Real **values);

/* "train", "val", "test"; NULL at DATASET_SPLITS, so that the table serves as a list of choices. */
extern const char *const dataset_split_names[DATASET_SPLITS + 1];

/* STATUS_FAILED: the message says that there are no examples of `split`, and which splits there are. */
Status dataset_fail_empty(const DatasetInfo *info, DatasetSplit split);

/* Warns of what is taken otherwise than it may be meant, without an error: images whose channels seem to come first, as
 * PyTorch has them (a network that suits itself to the data would learn little), and numbers, to be predicted as such,
 * that look like classes. */
void dataset_warn_of_doubts(const DatasetInfo *info);

/* Reads a split into memory, pixels as they are in the file, unless it has more bytes than the limit (256 MB at first);
 * it is read by rows then.  Pictures are decoded when they are first read, and stay; those of a larger split each time.
 * Called by loader_create; dataset_read works without, by rows. */
Status dataset_load(Dataset *dataset, DatasetSplit split);
bool dataset_fits(const Dataset *dataset, DatasetSplit split);         /* it is in memory, or would be */
size_t dataset_load_bytes(const Dataset *dataset, DatasetSplit split); /* that dataset_load would take now */

/* A text of the hash (base/hash.h) of all bytes of x of each split that dataset_load has had in memory so far, which
 * costs next to nothing there: "train=0123456789abcdef val=..."; of larger splits to train with, and of pictures that
 * are decoded when they are read, when the file was written: "time=0123456789abcdef".  dataset_differs: the first split
 * that both the dataset and such a text know, with another hash; DATASET_SPLITS: none.  dataset_written_since: there
 * are examples that only the time can tell of, and it is another; a copy may have another, too.  Of a folder neither is
 * known: its fingerprint has names and sizes of files. */
enum { DATASET_CONTENT = 96 };
void dataset_content(const Dataset *dataset, char text[DATASET_CONTENT]);
DatasetSplit dataset_differs(const Dataset *dataset, const char *text);
bool dataset_written_since(const Dataset *dataset, const char *text);

void dataset_unload(Dataset *dataset); /* gives all splits' memory back; nobody may be reading */
void dataset_set_memory_limit(Dataset *dataset, size_t bytes);

/* Decodes pictures with this many threads beside the one that reads.  STATUS_FAILED: no thread to be had. */
Status dataset_set_decoders(Dataset *dataset, size_t helpers);

/* From now on examples of the split are the rows of `rows` [examples][width], which is borrowed, and not the file's x;
 * labels stay.  NULL: the file's x again.  Nobody may be reading. */
void dataset_give_features(Dataset *dataset, DatasetSplit split, const Real *rows, size_t width);

/* Numbers of an example of the split, as dataset_read gives them. */
size_t dataset_width(const Dataset *dataset, DatasetSplit split);

struct Preprocess; /* data/preprocess.h */

/* Gathers examples rows[0 .. n-1] of a split, in any order: x[n * shape] through `preprocess` (NULL: numbers as they
 * are; not of features), labels[i][n * shape of info->labels[i]]; `x`, `labels` NULL: not wanted.  Class numbers are
 * whole Reals.  Thread-safe.  Allocates nothing once its scratch has grown to the largest n.  STATUS_FAILED: read
 * error, no such row, preprocessing of another shape. */
Status dataset_read(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n,
                    const struct Preprocess *preprocess, Real *x, Real *const labels[]);

struct AugmentPass; /* data/augment.h */

/* The same with the pixels changed before preprocessing; NULL: not. */
Status dataset_read_augmented(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n,
                              const struct Preprocess *preprocess, const struct AugmentPass *augment, Real *x,
                              Real *const labels[]);

/* *path = digits.h5, which ships with the project: in the folder $CNN_DATASETS if that is set; else the first there is
 * in ../share/cnn/datasets from the running program's folder, the installation's data folder, the source tree.  The
 * caller frees with memory_free. */
Status dataset_find_default(char **path);

#endif
