/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to a network that was read, for data other than those it was made for: another size of images, another head.
 *
 * The head of an output: the last layer in front of it whose "units" or "filters" are the numbers that come out (Dense,
 * or the 1x1 convolution of SqueezeNet and MobileNet), and the weights between it and the output, if there are any.
 * Only layers with one input may lie between. */
#ifndef MODEL_MODEL_EDIT_H
#define MODEL_MODEL_EDIT_H
#include "model/model.h"

typedef enum HeadKind {
    HEAD_CLASSES,  /* a head in front of a softmax or sigmoid, or a Dense layer without activation at the very end */
    HEAD_FEATURES, /* none: the network ends in features, as one saved without its top (include_top=False) */
    HEAD_UNKNOWN   /* a softmax or sigmoid, but what it reads is no single layer's (a sum, a concatenation) */
} HeadKind;

typedef struct ModelHead {
    HeadKind kind;
    size_t layer;   /* HEAD_CLASSES: the layer with the weights */
    size_t classes; /* HEAD_CLASSES: numbers that come out */
    bool sigmoid;   /* HEAD_CLASSES: they end in a sigmoid */
} ModelHead;

/* The head of output number `output`. */
ModelHead model_head(const Model *model, size_t output);

/* part[layer] = true for the layers from the head to output number `output`.  part: [layer_count]; HEAD_CLASSES
 * only. */
void model_head_layers(const Model *model, size_t output, bool *part);

/* Gives the head (HEAD_CLASSES) of output number `output` so many classes, in the layer and where a Reshape behind it
 * names their number.  Weights of the layers of model_head_layers then have other shapes. */
Status model_head_resize(Model *model, size_t output, size_t classes);

/* Puts a head behind output number `output`: global average pooling where its shape (of one example: `features`) has
 * two to four extents, Dropout where dropout > 0, and Dense with softmax, called "predictions" (or predictions_2, ...
 * where that is taken), which is the output from then on. */
Status model_head_add(Model *model, size_t output, const Shape *features, size_t classes, double dropout);

/* Replaces the softmax that output number `output` ends in by another activation: "sigmoid", "linear".  False: it ends
 * in none, or in a layer of class Softmax. */
bool model_replace_softmax(Model *model, size_t output, const char *activation);

/* Gives all Dropout layers this rate, but those that drop whole examples (stochastic depth).  Returns how many. */
size_t model_set_dropout(Model *model, double rate);

/* Gives all BatchNormalization layers this momentum: a step leaves so much of the moving statistics.  These begin at
 * mean 0 and variance 1, of which momentum^steps is left, and an evaluation is no good before that is little beside the
 * true variances: thousands of steps at Keras's 0.999.  Returns how many layers there are. */
size_t model_set_momentum(Model *model, double momentum);

/* The shape of an example of the first input; extents that it leaves open are 0. */
Shape model_input_shape(const Model *model);

/* Makes the only input of the network, an image whose last extent is that of `shape`, one of `shape`; else nothing.
 * True: it was another, *before.  Whether the layers can take it, model_build says. */
bool model_set_input(Model *model, const Shape *shape, Shape *before);

#endif
