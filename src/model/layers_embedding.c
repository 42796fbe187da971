/* SPDX-License-Identifier: Apache-2.0
 *
 * Embedding: numbers of words (or bytes) to vectors. */
#include "model/layers.h"

static const LayerKey embedding_keys[] = {
    KEY_NEED("input_dim", KEY_COUNT),
    KEY_NEED("output_dim", KEY_COUNT),
    KEY_WEIGHT("embeddings", "random_uniform"),
    KEY_ONLY("mask_zero", KEY_BOOL, "false"), /* layers behind it would have to know masks */
    KEY_ONLY("activity_regularizer", KEY_ANY, "null"),
    KEY_ONLY("lora_rank", KEY_ANY, "null"),
    KEY_ONLY("lora_alpha", KEY_ANY, "null"),
    KEY_ONLY("weights", KEY_ANY, "null"),
    KEY_SKIP("input_length"), /* the input's extent, which is known */
    KEY_END,
};

static Status embedding_build(LayerBuild *b) {
    int embeddings;
    Shape rows = SHAPE(layer_count(b, "input_dim"), layer_count(b, "output_dim"));
    TRY(layer_weight(b, "embeddings", "embeddings", rows, &embeddings));
    return layer_op(b, &(OpDesc){.kind = OP_EMBEDDING}, 1, b->inputs, 1, &embeddings, &b->output);
}

const LayerClass layer_class_embedding = {"Embedding", embedding_keys, 1, 1, embedding_build};
