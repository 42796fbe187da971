/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that add noise in training: dropout in its variants. */
#include "base/rng.h"
#include "model/layers.h"

/* The stream of random numbers is a function of the layer's name and call, so that it does not change when the network
 * around it does. */
static Status drop(LayerBuild *b, const char *key, DropoutAttr attr) {
    attr.rate = layer_number(b, key);
    attr.stream = rng_hash(b->layer->name) + b->call;
    if (!(attr.rate >= 0 && (attr.rate <= 1 || attr.kind == DROPOUT_NOISE)))
        return layer_fail(b, "%s %g is not between 0 and 1", key, attr.rate);
    return layer_op1(b, &(OpDesc){.kind = OP_DROPOUT, .attr.dropout = attr}, b->inputs[0], &b->output);
}

static const LayerKey dropout_keys[] = {
    KEY_NEED("rate", KEY_NUMBER),
    KEY_USE("noise_shape", KEY_EXTENTS_OR_NULL, "null"),
    KEY_SKIP("seed"), /* the run's seed decides */
    KEY_END,
};

/* noise_shape: extent 1 is one decision for the whole axis; null or the input's extent, one per element. */
static Status drop_by_shape(LayerBuild *b, DropoutKind kind) {
    const json_t *noise = layer_list(b, "noise_shape");
    Shape x = layer_shape(b, 0);
    DropoutAttr attr = {.kind = kind};
    for (size_t i = 0; !json_is_null(noise) && i <= x.rank; i++) {
        const json_t *extent = json_array_get(noise, i);
        size_t n = (size_t)json_integer_value(extent);
        bool fits = json_is_null(extent) || (i > 0 && (n == 1 || n == x.dim[i - 1]));
        if (!fits || json_array_size(noise) != x.rank + 1)
            return layer_fail(b, "noise_shape must be null for the batch, then null, 1 or the input's extent");
        if (i > 0)
            attr.shared[i - 1] = n == 1;
    }
    return drop(b, "rate", attr);
}

static Status dropout_build(LayerBuild *b) {
    return drop_by_shape(b, DROPOUT_ZERO);
}

const LayerClass layer_class_dropout = {"Dropout", dropout_keys, 1, 1, dropout_build};

static Status alpha_dropout_build(LayerBuild *b) {
    return drop_by_shape(b, DROPOUT_ALPHA);
}

const LayerClass layer_class_alpha_dropout = {"AlphaDropout", dropout_keys, 1, 1, alpha_dropout_build};

static const LayerKey gaussian_dropout_keys[] = {
    KEY_NEED("rate", KEY_NUMBER),
    KEY_SKIP("seed"), /* the run's seed decides */
    KEY_END,
};

static Status gaussian_dropout_build(LayerBuild *b) {
    return drop(b, "rate", (DropoutAttr){.kind = DROPOUT_GAUSSIAN});
}

const LayerClass layer_class_gaussian_dropout = {"GaussianDropout", gaussian_dropout_keys, 1, 1,
                                                 gaussian_dropout_build};

static const LayerKey gaussian_noise_keys[] = {
    KEY_NEED("stddev", KEY_NUMBER),
    KEY_SKIP("seed"), /* the run's seed decides */
    KEY_END,
};

static Status gaussian_noise_build(LayerBuild *b) {
    return drop(b, "stddev", (DropoutAttr){.kind = DROPOUT_NOISE});
}

const LayerClass layer_class_gaussian_noise = {"GaussianNoise", gaussian_noise_keys, 1, 1, gaussian_noise_build};

static const LayerKey spatial_dropout2d_keys[] = {
    KEY_NEED("rate", KEY_NUMBER),
    KEY_SKIP("seed"), /* the run's seed decides */
    KEY_CHANNELS_LAST,
    KEY_SKIP("noise_shape"), /* always [batch, 1, .., channels] */
    KEY_END,
};

static Status spatial_dropout2d_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 3));
    return drop(b, "rate", (DropoutAttr){.shared = {true, true}});
}

const LayerClass layer_class_spatial_dropout2d = {"SpatialDropout2D", spatial_dropout2d_keys, 1, 1,
                                                  spatial_dropout2d_build};

static const LayerKey spatial_dropout1d_keys[] = {
    KEY_NEED("rate", KEY_NUMBER),
    KEY_SKIP("seed"),        /* the run's seed decides */
    KEY_SKIP("noise_shape"), /* always [batch, 1, channels] */
    KEY_END,
};

static Status spatial_dropout1d_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 2));
    return drop(b, "rate", (DropoutAttr){.shared = {true}});
}

const LayerClass layer_class_spatial_dropout1d = {"SpatialDropout1D", spatial_dropout1d_keys, 1, 1,
                                                  spatial_dropout1d_build};

static Status spatial_dropout3d_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 4));
    return drop(b, "rate", (DropoutAttr){.shared = {true, true, true}});
}

const LayerClass layer_class_spatial_dropout3d = {"SpatialDropout3D", spatial_dropout2d_keys, 1, 1,
                                                  spatial_dropout3d_build};

/* StochasticDepth of ConvNeXt drops whole examples: G. Huang et al., "Deep networks with stochastic depth", 2016. */
static const LayerKey stochastic_depth_keys[] = {KEY_NEED("drop_path_rate", KEY_NUMBER), KEY_END};

static Status stochastic_depth_build(LayerBuild *b) {
    DropoutAttr attr = {0};
    for (size_t i = 0; i < SHAPE_MAX; i++)
        attr.shared[i] = true;
    return drop(b, "drop_path_rate", attr);
}

const LayerClass layer_class_stochastic_depth = {"StochasticDepth", stochastic_depth_keys, 1, 1,
                                                 stochastic_depth_build};
