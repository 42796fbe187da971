/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions for people and for programs: a row for each example as a table of at most 79 columns (more
 * where the name of an input is long, and what holds it is no terminal), as CSV (RFC 4180) or as JSON (an array of
 * objects), and a sheet of pictures.  Rank 0's.
 *
 *     TRY(predict_writer_create(&predictor, &options, &writer));      rank 0
 *     predict_run(&predictor, predict_writer_sink, writer);           all ranks
 *     TRY(predict_writer_finish(writer));                             rank 0
 *     predict_writer_destroy(writer); */
#ifndef TRAIN_PREDICT_WRITE_H
#define TRAIN_PREDICT_WRITE_H
#include "train/predict.h"

typedef enum PredictFormat { PREDICT_TABLE, PREDICT_CSV, PREDICT_JSON } PredictFormat;
extern const char *const predict_formats[]; /* "table", "csv", "json"; NULL at the end */

typedef struct PredictWriteOptions {
    PredictFormat format;
    size_t top;       /* classes of a row: the most probable ones, of equal ones the first */
    const char *out;  /* file, written as a whole at the end; "": stdout, block by block */
    const char *png;  /* a sheet; "": none */
    size_t png_count; /* pictures in it: of more examples so many, evenly spaced */
} PredictWriteOptions;

typedef struct PredictWriter PredictWriter;

/* Everything borrowed. */
Status predict_writer_create(const Predictor *predictor, const PredictWriteOptions *options, PredictWriter **out);
void predict_writer_destroy(PredictWriter *writer); /* accepts NULL */

/* A PredictSink. */
Status predict_writer_sink(void *writer, const PredictBlock *block);

/* The end of the text, and the files.  STATUS_FAILED: cannot write; also, all being written, when inputs could not be
 * read. */
Status predict_writer_finish(PredictWriter *writer);

#endif
