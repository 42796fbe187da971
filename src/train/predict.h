/* SPDX-License-Identifier: Apache-2.0
 *
 * What a trained network makes of examples: its outputs, or that of any layer (features, embeddings), one row for each
 * example, in order, each exactly once, the same bits on any number of ranks.
 *
 *     predict_open(dist, &options, &predictor);
 *     predict_run(&predictor, sink, user);       rank 0's sink gets all rows, block by block
 *     predict_close(&predictor);
 *
 * A row may be the mean of several networks' outputs (an ensemble) and of several views of the example (test-time
 * augmentation): of probabilities, where the outputs are or stand for some, else of the numbers. */
#ifndef TRAIN_PREDICT_H
#define TRAIN_PREDICT_H
#include "train/inputs.h"
#include "train/trained.h"

/* What several files are averaged by: what they say, or what they are. */
typedef enum PredictAverage { PREDICT_AVERAGE_OUTPUTS, PREDICT_AVERAGE_WEIGHTS } PredictAverage;
extern const char *const predict_averages[]; /* "outputs", "weights"; NULL at the end */

/* What the command line says of means. */
typedef struct MeanArguments {
    int average;            /* PredictAverage */
    char tta[CLI_TEXT];     /* "": none; "flip": also mirrored; N: the example and N - 1 random changes of it */
    char augment[CLI_TEXT]; /* the changes of N; "": those of the (first) run's training */
} MeanArguments;

/* Their rows of a program's table of options; `member` is the MeanArguments in the struct `of`. */
/* clang-format off */
#define MEAN_OPTIONS(of, member)                                                                                       \
    {.name = "average", .type = OPTION_CHOICE, .offset = offsetof(of, member.average), .argument = "WHAT",             \
     .choices = predict_averages, .fallback = "outputs",                                                               \
     .help = "of several runs: the mean of their outputs, or one network with the mean of their weights"},             \
    {.name = "tta", .type = OPTION_TEXT, .offset = offsetof(of, member.tta), .argument = "VIEWS", .values = "flip",    \
     .help = "test-time augmentation, the mean over views of each example: flip (as it is, and mirrored), or N (as it "\
             "is, and changed N-1 times)"},                                                                            \
    {.name = "augment", .type = OPTION_TEXT, .offset = offsetof(of, member.augment), .argument = "LIST",               \
     .repeated = true, .help = "--tta N: the changes, as in cnn_train; the run's own when not given"}
/* clang-format on */

typedef struct PredictOptions {
    const TrainedArguments *trained;
    const char *layer;         /* "": the network's output */
    bool embedding;            /* layer "": predict_embedding_node instead */
    bool all_outputs;          /* layer "": of several outputs all, not a failure */
    const MeanArguments *mean; /* NULL: none */
    const CliWords *runs;      /* further networks, rank 0's; NULL: none */
    Inputs *inputs;            /* borrowed; NULL: the run's own data, or trained->data */
} PredictOptions;

/* What the numbers of an output say. */
typedef enum PredictKind {
    PREDICT_CLASSES, /* one of several classes: ends in softmax, or in logits */
    PREDICT_LABELS,  /* yes or no for each: ends in sigmoid, or in logits */
    PREDICT_NUMBERS
} PredictKind;

typedef struct PredictOutput {
    const char *name; /* borrowed from the graph */
    int node;
    Shape shape;
    size_t offset, width; /* its numbers in a row */
    PredictKind kind;
    bool logits;     /* a row's numbers are not yet probabilities */
    bool of_network; /* logits, of what the network itself gives: those of means are probabilities */
} PredictOutput;

typedef struct Predictor {
    Trained trained;
    Inputs *inputs; /* borrowed; NULL: examples are those of trained.view */
    PredictOutput outputs[STATE_MAX_LOSSES];
    size_t output_count;
    size_t width; /* numbers of a row */
    /* means */
    struct Predictor *others; /* owned [other_count] */
    size_t other_count;
    Augment augment; /* of views from the second on */
    size_t views;    /* 1: the examples as they are */
    void *scratch;   /* owned, of augment */
    double
        *sum;   /* owned, [EVALUATE_BLOCK + 1][width]: of the rows, and a row of one view; NULL: there are no means, and
                        values are as the network gives them, else probabilities where there are such */
    Real *rows; /* owned, [EVALUATE_BLOCK][width]: of means, or of several outputs */
} Predictor;

/* Network, weights, data and plans.  Prints nothing but warnings and failures.  Collective, agreed.  STATUS_USAGE: no
 * such layer (the message lists the nearest), several outputs and none chosen, runs that do not fit together, views
 * that do not fit the data.  predict_close also after a failure. */
Status predict_open(Dist *dist, const PredictOptions *options, Predictor *out);
void predict_close(Predictor *predictor);

/* Of the network that is run: to the only output, or all. */
PlanPart predict_part(const Predictor *predictor);

/* The node in front of the classifier: what the last layer with weights reads, if the network ends in a softmax or a
 * sigmoid; else the output itself. */
int predict_embedding_node(const Graph *graph);

/* p[width] = what the output's numbers `values` say: probabilities of classes and labels, else the numbers. */
void predict_probabilities(const PredictOutput *output, const Real *values, double *p);

/* A block of examples that is run, or has been. */
typedef struct PredictBlock {
    const uint64_t *rows; /* [n] of the split, or of inputs */
    size_t first, n;      /* n <= EVALUATE_BLOCK from number `first` of the view on */
    Real *const *labels;  /* as dataset_read gives them; NULL: not wanted, or there are none */
    bool *bad;            /* [n] of inputs: could not be read (inputs_read) */
    const Real *values;   /* [n][width] */
} PredictBlock;

/* block->values = what the network makes of its rows, valid until the next call; also labels and bad.  x[n][shape] is
 * scratch.  Not collective. */
Status predict_rows(Predictor *predictor, Real *x, PredictBlock *block);

typedef Status PredictSink(void *user, const PredictBlock *block);

/* Runs all examples of the view; blocks of EVALUATE_BLOCK, dealt to ranks in turn.  Collective, agreed; `sink` is
 * called on rank 0 alone. */
Status predict_run(Predictor *predictor, PredictSink *sink, void *user);

/* "mean of the outputs of a.h5, b.h5; 2 views of each example", for people; "": there is no mean.  The caller frees
 * with memory_free. */
Status predict_describe(const Predictor *predictor, const PredictOptions *options, char **text);

#endif
