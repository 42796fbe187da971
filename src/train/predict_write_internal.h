/* SPDX-License-Identifier: Apache-2.0
 *
 * Between predict_write.c, which takes the rows, predict_text.c, which makes text of them, and predict_sheet.c, which
 * draws. */
#ifndef TRAIN_PREDICT_WRITE_INTERNAL_H
#define TRAIN_PREDICT_WRITE_INTERNAL_H
#include "train/predict_write.h"

enum { PREDICT_NAME = 64 }; /* bytes of a class's number, or of an output's name */

/* Grows. */
typedef struct Text {
    char *bytes; /* owned */
    size_t used, room;
    Status status;
} Text;

typedef struct TopClass {
    size_t class;
    double p;
} TopClass;

/* An example and what the network makes of it. */
typedef struct Row {
    size_t example;    /* number, from 0 on */
    const char *input; /* path */
    bool has_row, bad;
    uint64_t row;       /* of a dataset's split */
    int64_t truth;      /* class; -1: unknown */
    const Real *values; /* [width] */
} Row;

struct PredictSheet;

struct PredictWriter {
    const Predictor *predictor;
    PredictWriteOptions options;
    int truth_label; /* of the dataset; -1: none */
    bool labelled;   /* there is a truth */
    Text text;
    TopClass *top;                            /* owned, [options.top], of the row at hand */
    double *p;                                /* owned, [width + 2] */
    size_t input_width, class_width, in_line; /* of the table; predictions in a line */
    size_t written, examples, judged, right, bad;
    struct PredictSheet *sheet; /* owned */
};

/* Name or number of a class. */
const char *predict__class(const Predictor *p, const PredictOutput *o, size_t class, char text[PREDICT_NAME]);

/* One class is right, of several or of two. */
bool predict__tells_classes(const PredictOutput *o);

/* w->top = the most probable classes of a row, of equal ones the first; what is no number is never chosen.  Returns how
 * many. */
size_t predict__top(PredictWriter *writer, const PredictOutput *o, const Real *values);

/* Into writer->text, which keeps a failure. */
void predict__text_begin(PredictWriter *writer);
void predict__text_add(PredictWriter *writer, const Row *row);
void predict__text_end(PredictWriter *writer);

Status predict__sheet_open(PredictWriter *writer);
void predict__sheet_close(PredictWriter *writer);
/* After the row's top classes have been chosen. */
Status predict__sheet_add(PredictWriter *writer, const Row *row);
Status predict__sheet_write(PredictWriter *writer);

#endif
