/* SPDX-License-Identifier: Apache-2.0
 *
 * Between match.c, which knows what the network wants, and match_ways.c, which looks for it in the file. */
#ifndef TRAIN_MATCH_INTERNAL_H
#define TRAIN_MATCH_INTERNAL_H
#include "train/match.h"

/* Saved parameters whose weights a file has in one group. */
typedef struct Unit {
    const char *name;
    const int *params; /* [count] borrowed */
    size_t count;
    bool network; /* of several layers */
} Unit;

/* A parameter that starts anew.  The group that the file has in its place counts as taken: SEEN. */
typedef enum Fresh { NOT_FRESH, FRESH, FRESH_SEEN } Fresh;

typedef struct Matching {
    Matches *out;
    const Model *model;
    const char *origin;
    MatchOptions options;
    bool new_heads; /* MATCH_HEAD counts as MATCH_NEW */
    Fresh *fresh;   /* per parameter of the graph */
    Unit *units;
    size_t unit_count;
    bool *taken; /* of the file's layers */
} Matching;

/* Each gives weights to units and layers that have none.  Groups by their names; a network inside a network on one
 * side, flat on the other; layers by their paths; groups in their order.  STATUS_FAILED: found, but of other shapes. */
Status match__groups(Matching *m);
void match__layers(Matching *m);
Status match__paths(Matching *m);
Status match__order(Matching *m);

#endif
