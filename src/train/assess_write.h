/* SPDX-License-Identifier: Apache-2.0
 *
 * An assessment for people: as text, as JSON, its confusions as a chart, its mistakes as a sheet of pictures.  Rank
 * 0's; not collective. */
#ifndef TRAIN_ASSESS_WRITE_H
#define TRAIN_ASSESS_WRITE_H
#include "data/dataset.h"
#include "data/sampler.h"
#include "io/drawing.h"
#include "train/assess.h"
#include <jansson.h>

/* Names of classes: they belong to each output that has so many. */
typedef struct AssessNames {
    char *const *names; /* borrowed; NULL: not known, numbers stand for them */
    size_t count;
} AssessNames;

/* Tables of at most 79 columns: figures of each class (of many: of the worst), means, confusions. */
void assess_print(const Assessment *assessment, AssessNames names);

/* A new array with an object for each output. */
json_t *assess_json(const Assessment *assessment, AssessNames names);

/* The confusions of the first output, as io/chart.h draws them.  STATUS_USAGE: it does not tell classes apart. */
Status assess_draw_confusion(const Assessment *assessment, AssessNames names, const char *title, bool dark,
                             const char *path);

/* How the two pictures are made in memory. */
typedef struct AssessPicture {
    const char *title; /* NULL: none */
    DrawingFormat format;
    bool dark;        /* the chart */
    const char *name; /* for messages: the file's */
} AssessPicture;

/* *bytes (the caller frees with memory_free) = the same chart. */
Status assess_render_confusion(const Assessment *assessment, AssessNames names, AssessPicture how,
                               unsigned char **bytes, size_t *size);

/* Where the assessed examples are. */
typedef struct AssessSource {
    Dataset *dataset;
    DatasetSplit split;
    const SamplerView *view;
} AssessSource;

/* The mistakes as a sheet, worst first, each with what the network said and what is true.  Where there is none
 * a line says so.  STATUS_USAGE: the examples are no images.  STATUS_FAILED: cannot read, or as io/picture.h. */
Status assess_draw_mistakes(const Assessment *assessment, AssessNames names, const AssessSource *source,
                            const char *title, const char *path);

/* *bytes = a sheet of some of the examples, framed red or, if they are right, green; at least one. */
Status assess_render_examples(const Assessment *assessment, const AssessMistake *list, size_t count, bool right,
                              AssessNames names, const AssessSource *source, AssessPicture how, unsigned char **bytes,
                              size_t *size);

#endif
