/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking into a trained network: its filters, what its layers make of an example, where it looks (grad_cam.h).  Each
 * gives a sheet (io/picture.h).
 *
 *     look_open(dist, &arguments, &look);
 *     look_grad_cam(&look, style, &bytes, &size);
 *     look_close(&look); */
#ifndef TRAIN_LOOK_H
#define TRAIN_LOOK_H
#include "train/inputs.h"
#include "train/plot.h"
#include "train/trained.h"

/* What the command line says of it. */
typedef struct LookArguments {
    TrainedArguments trained;
    CliWords inputs;        /* pictures and the like, as inputs_open takes them; none: the data of `trained` */
    char layer[CLI_TEXT];   /* "": the function's own choice */
    size_t index;           /* of the example in its split or among the inputs, from 0 on */
    char classes[CLI_TEXT]; /* class of look_grad_cam, its name or number; "": the three that are likeliest */
} LookArguments;

typedef struct Look {
    const LookArguments *arguments; /* borrowed */
    Trained trained;
    int *layer_nodes;     /* owned */
    Inputs *inputs;       /* owned; NULL: the example is one of the data */
    Real *x;              /* owned: the example, as the network takes it */
    Real **labels;        /* owned, each of them, too: its other arrays; NULL: it is one of `inputs` */
    uint8_t *rgb;         /* owned [height][width][3]: as people see it, a photo in more pixels; NULL: it is no image */
    size_t height, width; /* of rgb */
    char name[CLI_TEXT];  /* "test example 5", "cat.jpg" */
    char label[CLI_TEXT]; /* "7", "cat"; "input" where nobody knows */
    const Real *output;   /* of the network, valid until the replica runs again */
} Look;

/* Opens network and data or inputs, and runs the example through it.  Collective, agreed; all ranks do the same.
 * look_close also after a failure.  STATUS_USAGE: no such example.  STATUS_FAILED: as trained_open, inputs_open,
 * inputs_fit. */
Status look_open(Dist *dist, const LookArguments *arguments, Look *out);
void look_close(Look *look);

/* *bytes = the maps of a layer, the first convolution unless another is asked for, each from its smallest value (black)
 * to its largest (white); the first 64.  STATUS_USAGE: no such layer, or one without maps. */
Status look_features(Look *look, PlotStyle style, unsigned char **bytes, size_t *size);

/* *bytes = Grad-CAM: for each class the example, the map (black to yellow), and both together.  STATUS_USAGE: as
 * grad_cam. */
Status look_grad_cam(Look *look, PlotStyle style, unsigned char **bytes, size_t *size);

/* *bytes = the filters of a convolution, the first one that sees more than one pixel unless another is asked for, of
 * the checkpoint or file of Keras `path`: 0 is grey, the largest weight of a filter by size black or white; in colour
 * where there are three input channels, else the mean over these; the first 256.  Needs no data.  Not collective.
 * STATUS_USAGE: no such layer, or none with such filters. */
Status look_filters(const char *path, const char *layer, PlotStyle style, unsigned char **bytes, size_t *size);

#endif
