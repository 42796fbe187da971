/* SPDX-License-Identifier: Apache-2.0
 *
 * What cnn_evaluate does: loss, accuracy, metrics and assessment (train/assess.h) of a trained network, or of the mean
 * of several networks or views (train/predict.h), on a split of a dataset. */
#ifndef TRAIN_ASSESS_RUN_H
#define TRAIN_ASSESS_RUN_H
#include "train/predict.h"

typedef struct AssessOptions {
    const TrainedArguments *trained;
    const MeanArguments *mean;
    const CliWords *runs;             /* further networks, rank 0's */
    const char *loss, *metrics;       /* "": the run's own */
    bool json;                        /* on stdout, in place of text */
    const char *out;                  /* JSON file */
    const char *confusion, *mistakes; /* pictures; "": none */
    bool dark;                        /* the confusions on dark paper */
    bool silent;                      /* pictures and files alone */
} AssessOptions;

/* Collective, agreed; prints.  The same on any number of ranks. */
Status assess_run(Dist *dist, const AssessOptions *options);

#endif
