/* SPDX-License-Identifier: Apache-2.0
 *
 * A trained network and the examples to try it on, as cnn_evaluate and cnn_predict open them.
 *
 *     trained_open(dist, &arguments, &trained);     file, data, network, preprocessing, which examples
 *     ... trained.setup.graph, trained.replica with its plans ...
 *     trained_load(&trained);                       the weights, on all ranks
 *     trained_close(&trained); */
#ifndef TRAIN_TRAINED_H
#define TRAIN_TRAINED_H
#include "io/checkpoint.h"
#include "train/cli.h"
#include "train/replica.h"
#include "train/setup.h"

/* What the command line says of it. */
typedef struct TrainedArguments {
    char run[CLI_TEXT];        /* run folder, checkpoint or file of Keras */
    char checkpoint[CLI_TEXT]; /* of a run folder: "best" */
    char data[CLI_TEXT];       /* "": the run's own */
    char preprocess[CLI_TEXT]; /* "": the run's own */
    char backend[CLI_TEXT];
    int split; /* DatasetSplit */
} TrainedArguments;

/* Its rows of a program's table of options (train/cli.h); `member` is the TrainedArguments in the struct `of`. */
/* clang-format off */
#define TRAINED_TEXT(of, field, shown) .type = OPTION_TEXT, .offset = offsetof(of, field), .argument = shown
#define TRAINED_OPTIONS(of, member)                                                                                    \
    {.name = "run", TRAINED_TEXT(of, member.run, "RUN"), .positional = true, .required = true,                         \
     .help = "run folder, checkpoint, or Keras .h5 or .keras file"},                                                   \
    {.name = "data", .key = 'd', TRAINED_TEXT(of, member.data, "FILE"), .values = "*.h5 *.hdf5",                       \
     .help = "dataset, or a folder of pictures; the run's own when not given"},                                        \
    {.name = "split", .key = 's', .type = OPTION_CHOICE, .offset = offsetof(of, member.split), .argument = "SPLIT",    \
     .choices = dataset_split_names, .fallback = "test",                                                               \
     .help = "which examples; val is also what --validation-split held out"},                                          \
    {.name = "checkpoint", .key = 'c', TRAINED_TEXT(of, member.checkpoint, "WHICH"), .fallback = "best",               \
     .values = "best final last",                                                                                      \
     .help = "of a run folder: best, final, last or a step number"},                                                   \
    {.name = "preprocess", TRAINED_TEXT(of, member.preprocess, "KIND"), .choices = preprocess_names,                   \
     .help = "as in cnn_train; the run's own when not given"},                                                         \
    {.name = "backend", TRAINED_TEXT(of, member.backend, "NAME"), .fallback = "auto", .help = "which library computes"}
/* clang-format on */

typedef struct Trained {
    Setup setup;
    Config config;          /* the run's options, defaults where it says nothing */
    char *path;             /* of the file with the weights; rank 0 */
    Checkpoint *checkpoint; /* its contents; rank 0, until trained_load */
    char **class_names;     /* that the network was trained to tell apart; NULL: not known.  One block */
    size_t class_count;
    DatasetSplit asked; /* --split */
    DatasetSplit split; /* that the examples are read from: of a run's held-out part, train */
    SamplerView view;   /* the examples; at least one */
    PlanOptions plan;   /* for the replica */
    Replica *replica;   /* the caller creates it from setup.graph */
    DatasetInfo bare;   /* setup.info where there is no dataset: what the network takes.  Owns nothing */
} Trained;

/* All but graph, replica and weights.  A file that does not say how pixels go in (one of Keras) gets the default, and a
 * warning says which.  `--split val` of data without one is the part that the run held out of these data.  Collective,
 * agreed.  STATUS_FAILED: cannot be read, holds no network, or an empty split.  trained_close also after a failure. */
Status trained_open(Dist *dist, const TrainedArguments *arguments, Trained *out);

/* The same without a dataset, to predict `count` examples of the shape that the network takes: the recorded one, or
 * what its input says, 224 and 3 channels where that is open.  arguments->data and ->split are not looked at. */
Status trained_open_bare(Dist *dist, const TrainedArguments *arguments, uint64_t count, Trained *out);

/* The file's weights on all ranks, in a replica that is ready.  Collective, agreed. */
Status trained_load(Trained *trained);

/* After trained_load: the weights become the means of these and of those of the files `runs` (rank 0's, as
 * arguments->run), which must hold the same network; also moving statistics.  Collective, agreed. */
Status trained_average(Trained *trained, const TrainedArguments *arguments, const CliWords *runs);

/* Name of class `number`: the network's, else the data's; NULL: there is none. */
const char *trained_class_name(const Trained *trained, size_t number);

void trained_close(Trained *trained);

#endif
