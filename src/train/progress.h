/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person sees while an epoch runs.  On a terminal one line that is rewritten:
 *     epoch 3/9 [=====       ]  47%  loss 0.2134  acc 0.9361  12345/s  0:14 left
 * elsewhere (a file, a batch job) a plain line about every ten seconds.  At the end of each epoch, in both cases, one
 * line
 *     epoch 3/9  loss 0.21340  acc 0.9361  val_loss 0.071204  val_acc 0.9783  lr 0.01  1234/s  4.9 s (data 0.3 s)  best
 * (images a second; how long the rank that waited longest waited for data, when it is worth a word; the best epoch so
 * far; a terminal that is too narrow for it gets less: first the data's time goes, then the rate, the speed, the time)
 * and, with --metrics, indented lines of at most 100 columns, or the terminal's:
 *     f1 0.93614  val_f1 0.97771
 * Nothing with --quiet or on ranks above 0 (log_info decides).  Colour only on a terminal, and not with NO_COLOR. */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H
#include <stdbool.h>
#include <stddef.h>

enum { PROGRESS_TEXT = 512, PROGRESS_METRICS = 100 };

typedef struct Progress {
    bool terminal, colour; /* found out by progress_create */
    size_t width;          /* of the terminal; 0 elsewhere.  Looked at anew for each epoch */
    size_t epoch, epochs;  /* epoch from 1 */
    size_t examples;       /* of the epoch */
    size_t first_done;     /* examples done when this process began the epoch */
    double started, shown; /* seconds on the caller's clock */
    bool open;             /* the bar's line has no end yet */
} Progress;

/* Looks at stdout and the environment. */
Progress progress_create(void);

/* An epoch begins, or goes on at `done` of `examples`.  epoch from 1.  now: seconds of any steady clock. */
void progress_begin(Progress *progress, size_t epoch, size_t epochs, size_t examples, size_t done, double now);

/* `done` examples of the epoch are done.  loss and accuracy are the epoch's so far; NAN: none.  Cheap when nothing is
 * due: at most ten prints a second on a terminal, one in ten seconds elsewhere.  *_due: for callers for whom the
 * numbers cost. */
bool progress_due(const Progress *progress, double now);
void progress_update(Progress *progress, size_t done, double loss, double accuracy, double now);

typedef struct EpochResult {
    double loss, accuracy, val_loss, val_accuracy, images_per_s; /* NAN: none */
    double lr, seconds, data_seconds;                            /* data_seconds: of `seconds`, waiting for data */
    bool best;                                                   /* so far */
    size_t metric_count;                                         /* of --metrics: their lines follow */
    const double *metrics;
    const char *const *metric_names;
} EpochResult;

/* The epoch is over: replaces the bar by the epoch's line. */
void progress_end(Progress *progress, const EpochResult *result);

/* Ends the bar's line, before other text is printed in the middle of an epoch. */
void progress_break(Progress *progress);

/* The texts, without line end, at most `size` bytes; width: of the terminal, 0 elsewhere. */
void progress_format_bar(const Progress *progress, size_t done, double loss, double accuracy, double now, char *text,
                         size_t size);
void progress_format_epoch(size_t epoch, size_t epochs, const EpochResult *result, size_t width, char *text,
                           size_t size);

#endif
