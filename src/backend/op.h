/* SPDX-License-Identifier: Apache-2.0
 *
 * What one operation is: its kind, the shapes of its tensors, its attributes; and the buffers that it works on.
 * graph/ops completes an OpDesc (shape rules), backends compute it.  All sizes in elements unless named bytes.
 *
 * Layout everywhere: activations NHWC (the batch size n is not part of a Shape), convolution weights RSCK (Keras's
 * HWIO), dense weights [in, out]. */
#ifndef BACKEND_OP_H
#define BACKEND_OP_H
#include "base/real.h"
#include "base/rng.h"
#include "base/shape.h"
#include <stdbool.h>

enum { OP_MAX_INPUTS = 32, OP_MAX_PARAMS = 4 };

/* The one list of operations: enum constant, name.  Inputs x0.., parameters w0.. of each:
 *   input           a tensor that the caller gives; never run
 *   conv2d          x0 [H,W,C]; w0 kernel [R,S,C/groups,K]; w1 bias [K] or absent.  attr.conv
 *                   Depthwise is groups = C: a Keras depthwise kernel [R,S,C,mult] is [R,S,1,C*mult] in memory
 *                   A kernel of one row may be given as [S,C/groups,K]; the shape rule makes it four extents
 *   conv2d_transpose x0 [P,Q,C]; w0 kernel [R,S,K,C]; w1 bias [K] or absent.  attr.conv
 *   conv3d          x0 [D,H,W,C]; w0 kernel [T,R,S,C/groups,K]; w1 bias [K] or absent.  attr.conv3d
 *   dense           x0 [..., I]; w0 [I,O]; w1 bias [O] or absent.  Acts on the last axis
 *   embedding       x0 [...] whole numbers v in 0 .. V-1; w0 [V,D]; y [...,D] = w0[v].  A number that is none of these
 *                   gives NaN.  The gradient by x0 is 0
 *   max_pool2d, average_pool2d        x0 [H,W,C].  attr.pool
 *   global_max_pool2d, global_average_pool2d   x0 [H,W,C] -> [C] or [1,1,C].  attr.pool.keepdims
 *   max_pool2d, average_pool2d, pad2d, crop2d, resize2d of [F,H,W,C] work on each of the F images
 *   reshape         y is x0's memory with another shape; never run (the plan makes them one buffer).  attr.reshape
 *   permute         attr.permute
 *   pad2d, crop2d   zero padding and cropping of [H,W,C].  attr.pad
 *   resize2d        x0 [H,W,C] -> [height,width,C]; also UpSampling2D.  attr.resize
 *   rescale         y = x0 * scale + offset.  attr.rescale
 *   normalize       y = (x0 - w0) / max(sqrt(w1), 1e-7), w0 mean [C], w1 variance [C], both never trained
 *   scale           y = x0 * w0 + w1 per channel, w0 [C], w1 [C] or absent (LayerScale)
 *   dropout         attr.dropout
 *   batch_norm      w0 gamma or absent, w1 beta or absent, w2 moving mean, w3 moving variance, all [C].  attr.norm.
 *                   In a plan x1 may be there: y = batch_norm(x0) + x1, of equal shapes (the end of a residual block)
 *   layer_norm, group_norm            w0 gamma or absent, w1 beta or absent.  attr.norm
 *   add, subtract, multiply, average, maximum  x0.. of shapes that broadcast (extents equal or 1); subtract has two
 *   concat          x0.. along attr.axis (of the Shape, without the batch)
 *   activation      elementwise.  attr.activation
 *   softmax         over the last axis
 *   prelu           y = x < 0 ? w0 * x : x, w0's extents equal x's or 1
 *   loss            x0 prediction, x1 label, x2 weights of the examples (a scalar each) or absent; y = the four sums of
 *                   LossSum.  attr.loss */
// clang-format off
#define OP_LIST(X) \
    X(INPUT, input) X(CONV2D, conv2d) X(CONV2D_TRANSPOSE, conv2d_transpose) X(CONV3D, conv3d) \
    X(DENSE, dense) X(EMBEDDING, embedding) X(MAX_POOL2D, max_pool2d) X(AVERAGE_POOL2D, average_pool2d) \
    X(GLOBAL_MAX_POOL2D, global_max_pool2d) X(GLOBAL_AVERAGE_POOL2D, global_average_pool2d) X(RESHAPE, reshape) \
    X(PERMUTE, permute) X(PAD2D, pad2d) X(CROP2D, crop2d) \
    X(RESIZE2D, resize2d) X(RESCALE, rescale) X(NORMALIZE, normalize) \
    X(SCALE, scale) X(DROPOUT, dropout) X(BATCH_NORM, batch_norm) X(LAYER_NORM, layer_norm) \
    X(GROUP_NORM, group_norm) X(ADD, add) X(SUBTRACT, subtract) \
    X(MULTIPLY, multiply) X(AVERAGE, average) X(MAXIMUM, maximum) \
    X(CONCAT, concat) X(ACTIVATION, activation) X(SOFTMAX, softmax) \
    X(PRELU, prelu) X(LOSS, loss)
// clang-format on

#define OP_ENUM(constant, name) OP_##constant,
typedef enum OpKind { OP_LIST(OP_ENUM) OP_KINDS } OpKind;
#undef OP_ENUM

/* "conv2d" for OP_CONV2D. */
const char *op_name(OpKind kind);

typedef enum Padding { PADDING_VALID, PADDING_SAME, PADDING_EXPLICIT } Padding;

typedef struct ConvAttr {
    size_t kernel[2], stride[2], dilation[2]; /* height, width; at least 1 */
    size_t groups;                            /* divides C and K; 1 for conv2d_transpose */
    size_t filters;                           /* K */
    Padding padding;
    size_t pad[2][2];        /* [height, width][before, after]: set by the shape rule unless EXPLICIT */
    bool output_padding_set; /* conv2d_transpose only */
    size_t output_padding[2];
} ConvAttr;

typedef struct Conv3dAttr {
    size_t kernel[3], stride[3], dilation[3]; /* depth, height, width; at least 1 */
    size_t groups, filters;                   /* as in ConvAttr */
    Padding padding;                          /* VALID or SAME */
    size_t pad[3][2];                         /* [depth, height, width][before, after]: set by the shape rule */
} Conv3dAttr;

typedef enum Winograd {
    WINOGRAD_AUTO, /* where it is the faster, by rule */
    WINOGRAD_OFF
} Winograd;

typedef struct PoolAttr {
    size_t size[2], stride[2];
    Padding padding;
    size_t pad[2][2]; /* as in ConvAttr.  max: padding never wins; average: padding does not count */
    bool keepdims;    /* global pools */
} PoolAttr;

typedef struct ReshapeAttr {
    Shape shape;
} ReshapeAttr;

typedef struct PermuteAttr {
    size_t axis[SHAPE_MAX]; /* y.dim[i] = x.dim[axis[i]], from 0 */
} PermuteAttr;

typedef struct PadAttr {
    size_t amount[2][2]; /* [height, width][before, after] */
} PadAttr;

typedef enum Interpolation { INTERPOLATE_NEAREST, INTERPOLATE_BILINEAR } Interpolation;
typedef struct ResizeAttr {
    size_t height, width;
    Interpolation interpolation; /* half-pixel centres, edges clamped, no antialiasing */
} ResizeAttr;

typedef struct RescaleAttr {
    double scale, offset;
} RescaleAttr;

/* alpha = -1.7580993408473766, SELU's value at minus infinity; a, b so that mean 0 and variance 1 stay so (Klambauer et
 * al., "Self-normalizing neural networks", 2017). */
typedef enum DropoutKind {
    DROPOUT_ZERO,     /* y = x / (1 - rate), or 0 with probability `rate` */
    DROPOUT_ALPHA,    /* y = a x + b, where x is `alpha` with probability `rate` */
    DROPOUT_GAUSSIAN, /* y = x (1 + sqrt(rate / (1 - rate)) z), z standard normal */
    DROPOUT_NOISE     /* y = x + rate z: Keras's GaussianNoise, rate being its stddev */
} DropoutKind;

typedef struct DropoutAttr {
    DropoutKind kind;
    double rate;
    bool shared[SHAPE_MAX]; /* one decision for the whole of this axis (SpatialDropout2D: axes 0 and 1) */
    uint64_t stream;        /* which dropout of the network this is */
} DropoutAttr;

typedef struct NormAttr {
    double epsilon;
    double momentum; /* of the moving statistics; batch_norm */
    bool frozen;     /* batch_norm: uses the moving statistics in training too */
    size_t groups;   /* group_norm */
    size_t axes;     /* layer_norm: normalizes over the last `axes` axes */
} NormAttr;

typedef enum Activation {
    ACTIVATION_LINEAR,
    ACTIVATION_RELU, /* relu has all three parameters of Keras's ReLU layer; covers relu6, leaky_relu */
    ACTIVATION_ELU,
    ACTIVATION_CELU,
    ACTIVATION_SELU,
    ACTIVATION_SIGMOID,
    ACTIVATION_HARD_SIGMOID,
    ACTIVATION_TANH,
    ACTIVATION_SOFTPLUS,
    ACTIVATION_SOFTSIGN,
    ACTIVATION_SILU,
    ACTIVATION_HARD_SILU,
    ACTIVATION_GELU,
    ACTIVATION_MISH, /* x tanh(softplus(x)) */
    ACTIVATION_EXPONENTIAL,
    ACTIVATION_KINDS
} Activation;

typedef struct ActivationAttr {
    Activation kind;
    double slope;     /* relu: y = x >= max_value: max_value; x >= threshold: x; else slope * (x - threshold) */
    double max_value; /* relu: INFINITY for none */
    double threshold; /* relu */
    /* elu: alpha * (exp(x) - 1);  celu: alpha * (exp(x / alpha) - 1), alpha > 0;  hard_sigmoid, hard_silu:
     * clip(alpha * x + 0.5, 0, 1). */
    double alpha;
} ActivationAttr;

typedef enum LossKind {
    LOSS_SPARSE_CROSSENTROPY, /* label: class number [positions], prediction [positions.., classes] */
    LOSS_CROSSENTROPY,        /* label: probabilities like the prediction */
    LOSS_BINARY_CROSSENTROPY,
    LOSS_MEAN_SQUARED_ERROR,
    LOSS_MEAN_ABSOLUTE_ERROR,
    LOSS_HUBER,
    LOSS_LOG_COSH,
    LOSS_MEAN_SQUARED_LOGARITHMIC_ERROR,
    LOSS_MEAN_ABSOLUTE_PERCENTAGE_ERROR,
    LOSS_POISSON,
    LOSS_HINGE, /* labels 0 and 1, or -1 and 1 */
    LOSS_SQUARED_HINGE,
    LOSS_BINARY_FOCAL,
    LOSS_CATEGORICAL_FOCAL, /* from here on over the last axis, like the categorical cross-entropy */
    LOSS_KL_DIVERGENCE,
    LOSS_COSINE_SIMILARITY,
    LOSS_CATEGORICAL_HINGE,
    LOSS_CONTRASTIVE, /* from here on of all pairs of a micro-batch: label class number [], prediction [embedding] */
    LOSS_TRIPLET,
    LOSS_TRIPLET_HARD,
    LOSS_KINDS
} LossKind;

/* The class that numbers of all classes name: the first of the largest; `count` where one is not a number, which is
 * none. */
size_t loss_class(const Real *x, size_t count);

/* A term of the loss is one of the last axis, else one of each element. */
static inline bool loss_is_of_axis(LossKind kind) {
    return kind <= LOSS_CROSSENTROPY || kind >= LOSS_CATEGORICAL_FOCAL;
}

/* The loss of an example depends on the others of the micro-batch, which is not sliced for it. */
static inline bool loss_is_of_pairs(LossKind kind) {
    return kind >= LOSS_CONTRASTIVE;
}

/* Has LossAttr.from_logits and label_smoothing. */
static inline bool loss_is_crossentropy(LossKind kind) {
    return kind <= LOSS_BINARY_CROSSENTROPY || kind == LOSS_BINARY_FOCAL || kind == LOSS_CATEGORICAL_FOCAL;
}

typedef struct LossAttr {
    LossKind kind;
    bool from_logits;       /* cross-entropies: the prediction is before softmax (binary: before sigmoid) */
    double label_smoothing; /* cross-entropies: y (1-a) + a/classes; binary: y (1-a) + a/2 */
    double delta;           /* Huber */
    double weight;          /* of this loss in the total: scales the gradient, not the sums */
    double gamma, alpha;    /* focal: exponent; weight (binary: of label 1, 1 - alpha of label 0; 0: all weigh 1) */
    double margin;          /* contrastive, triplet */
} LossAttr;

/* The output of a loss node: sums over the examples of one micro-batch.  The loss of an example is the mean over its
 * positions (and elements, for the elementwise losses), times its weight.  LOSS_SUM_WEIGHT counts examples, as Keras
 * divides by the batch size whatever the weights are.  A correct example or position counts 1/positions, whatever its
 * weight. */
typedef enum LossSum { LOSS_SUM_LOSS, LOSS_SUM_WEIGHT, LOSS_SUM_CORRECT, LOSS_SUM_COUNTED, LOSS_SUMS } LossSum;

typedef union OpAttr {
    ConvAttr conv;
    Conv3dAttr conv3d;
    PoolAttr pool;
    ReshapeAttr reshape;
    PermuteAttr permute;
    PadAttr pad;
    ResizeAttr resize;
    RescaleAttr rescale;
    DropoutAttr dropout;
    NormAttr norm;
    ActivationAttr activation;
    LossAttr loss;
    size_t axis; /* concat */
} OpAttr;

typedef struct OpDesc {
    OpKind kind;
    size_t n;     /* examples of one call; 0 in the graph, set by the plan */
    size_t batch; /* examples of the micro-batch, which is run in slices of about n; set by the plan */
    size_t inputs;
    Shape x[OP_MAX_INPUTS];
    size_t params; /* slots used, absent ones included */
    bool has_w[OP_MAX_PARAMS];
    Shape w[OP_MAX_PARAMS];
    OpAttr attr;

    /* set by the shape rule (graph/ops) */
    Shape y;
    bool keeps_x, keeps_y; /* backward reads x; y */
    bool in_place;         /* y may lie on x0, and dx0 on dy (then backward must not read x, and with several inputs
                              dx0 is dy, which the other inputs read) */

    /* set by the plan */
    bool training;       /* batch statistics, dropout; what backward needs is saved */
    bool relu;           /* y = min(max(y, 0), relu_max) at the end: conv2d, conv2d_transpose, dense, batch_norm,
                                    add; then keeps_y */
    double relu_max;     /* INFINITY: plain ReLU */
    bool winograd;       /* conv2d, conv3d: may be computed by Winograd's method */
    const char *backend; /* conv3d: as in backend_select, for the operations that it is made of; NULL: auto */
    bool want_dx[OP_MAX_INPUTS]; /* backward is asked for it */
    bool want_dw[OP_MAX_PARAMS];
} OpDesc;

/* Whether an example's result depends on the other examples: the whole micro-batch is looked at (collected) before any
 * slice of it is run. */
static inline bool op_collects(const OpDesc *op) {
    return op->kind == OP_BATCH_NORM && op->training && !op->attr.norm.frozen;
}

/* Whether an example's result in training is another one in each step, from the same inputs and weights. */
static inline bool op_is_random(const OpDesc *op) {
    return op->kind == OP_DROPOUT && op->attr.dropout.rate > 0;
}

/* Is it an operation on images that works on each image of a video here? */
static inline bool op_is_of_frames(const OpDesc *op) {
    bool may = op->kind == OP_MAX_POOL2D || op->kind == OP_AVERAGE_POOL2D || op->kind == OP_PAD2D ||
               op->kind == OP_CROP2D || op->kind == OP_RESIZE2D;
    return may && op->x[0].rank == 4;
}

/* An operation of frames becomes the same on n F images [H,W,C]; any other stays. */
void op_frames_to_images(OpDesc *op);

/* What randomness is a function of, beside seed and stream. */
typedef struct OpContext {
    uint64_t seed, step;
    uint64_t first_example; /* position in the global batch of example 0 of this call */
} OpContext;

/* The tensors of one call.  A micro-batch is run in slices of a few examples, which stay in the cache from one
 * operation to the next: x, y, dx, dy, saved are those of the slice, all else is of the whole micro-batch. */
typedef struct OpBuffers {
    const Real *x[OP_MAX_INPUTS]; /* forward; in backward not to be read unless keeps_x */
    Real *y;                      /* forward: written; backward: not to be read unless keeps_y.  A loss adds to it
                                     unless this is the first slice */
    const Real *w[OP_MAX_PARAMS]; /* NULL where absent */
    Real *dy;                     /* backward; NULL for a loss, whose dy is 1.  Only read, but with op->relu it may be
                                     overwritten by its product with the ReLU's derivative */
    Real *dx[OP_MAX_INPUTS];      /* backward; NULL: not wanted */
    bool dx_add[OP_MAX_INPUTS];   /* add to dx instead of overwriting it (fan-out); dx[i] may be the dx of an input
                                     before it, of one tensor that is read twice, and is then added to that.
                                     batch_norm: dx[1] may be dy */
    Real *dw[OP_MAX_PARAMS];      /* backward; NULL: not wanted.  Sums over the micro-batch, not means.
                                     batch_norm w2, w3 in training: COLLECT writes `batch` times the batch mean and the
                                     biased batch variance here; the trainer averages them over micro-batches */
    bool dw_add[OP_MAX_PARAMS]; /* add (shared layers, slices after the first; what is collected is given with the last
                                     slice, and dw_add is of that) */
    bool first, last;           /* slice of the micro-batch */
    void *saved, *totals, *packed, *work; /* as prepare asked for (OpMemory); 64-byte aligned */
    bool pack; /* the weights have changed since forward (since backward) last wrote its part of
                                     `packed`, or it was lost */
    const OpContext *context;
} OpBuffers;

#endif
