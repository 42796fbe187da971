/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a network looks: Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
 * gradient-based localization", 2017).  With A[i][j][k] the maps of a layer, h x w places, and z[c] the score of class
 * c before softmax or sigmoid:
 *
 *     weight[k] = 1 / (h w) * sum over i, j of dz[c] / dA[i][j][k]
 *     map[i][j] = max(0, sum over k of weight[k] * A[i][j][k])
 *
 * Batch norms use their moving statistics and nothing is dropped, as in prediction.  Of a network that ends in one
 * number, a sigmoid, class 1 has the score z and class 0 the score -z.
 *
 * How: adding b[k] to all of A[.][.][k] changes z by sum over i, j of dz / dA[i][j][k] for each b[k], so that this sum
 * is the gradient of a parameter b that is 0.  The network is copied with all parameters frozen and such an operation
 * behind A; the loss is chosen so that its gradient is 1 for z[c] and 0 for all others. */
#ifndef TRAIN_GRAD_CAM_H
#define TRAIN_GRAD_CAM_H
#include "graph/plan.h"

typedef struct GradCam {
    size_t height, width;
    double *map;  /* owned [height][width], 0 or more */
    double score; /* z[c] */
} GradCam;

/* The node whose maps are looked at unless another is asked for: of those that lead to the first output, the last one
 * as high and wide as the output of the last convolution that has more than one place, so with the activation and the
 * additions behind it.  -1: there is none. */
int grad_cam_node(const Graph *graph);

/* The map of example x for class `class`.  graph: finished, one input, without losses; its first output is a vector or
 * a number.  weights: its slab.  `node`: of [height, width, channels].  options: as of a plan; NULL: the defaults.
 * Frees: memory_free(out->map).  STATUS_USAGE: no such class, a node without maps or one that does not lead to the
 * output, more than one input.  STATUS_FAILED: memory. */
Status grad_cam(const Graph *graph, const Real *weights, const Real *x, int node, size_t class,
                const PlanOptions *options, GradCam *out);

#endif
