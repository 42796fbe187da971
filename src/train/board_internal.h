/* SPDX-License-Identifier: Apache-2.0
 *
 * A board, between its files: board.c keeps the files, board_values.c makes histograms and images, board_graph.c the
 * graph. */
#ifndef TRAIN_BOARD_INTERNAL_H
#define TRAIN_BOARD_INTERNAL_H
#include "io/event_file.h"
#include "train/board.h"

enum { BOARD_TRAIN, BOARD_VALIDATION, BOARD_FILES };

typedef struct BoardFile {
    EventFile *file;
    Message pending; /* records that the file has not got yet */
    uint64_t epochs; /* whose scalars it has */
    bool graph;      /* it has one */
} BoardFile;

struct Board {
    BoardOptions options;
    BoardFile files[BOARD_FILES];
    double flushed; /* seconds, when the files were last brought up to date */
    bool failed;    /* the last write; said once */
};

/* Summary.Value of `tag` in an Event that is begun, to be followed by one value and message_end. */
size_t board__value(Message *records, const char *tag, size_t *summary);

/* Records of one value each.  Names are cut at 200 bytes. */
enum { BOARD_TAG = 256 };
void board__histogram(Message *records, uint64_t epoch, const char *group, const ParamSpec *of, const Real *values,
                      size_t count, double scale);
void board__filters(Message *records, uint64_t epoch, const Graph *graph, const Real *weights);

#endif
