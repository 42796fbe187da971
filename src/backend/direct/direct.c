/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/direct/direct.h"
#include "base/memory.h"

typedef struct State {
    OpKind kind;
    union {
        Conv conv;
        Dense dense;
    };
} State;

/* Each row of the output passes over all weights once: they must stay in the cache.  1x1 convolutions and dense layers
 * of several examples are matrix products already, which libraries do well. */
enum { WEIGHT_BYTES = 5 << 19 };

static bool supports(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    if (op->kind == OP_DENSE)
        return op->n * shape_count(&op->x[0]) == op->w[0].dim[0];
    return op->kind == OP_CONV2D && a->groups == 1 && a->dilation[0] == 1 && a->dilation[1] == 1 &&
           a->kernel[0] * a->kernel[1] > 1 && shape_count(&op->w[0]) * sizeof(float) <= WEIGHT_BYTES;
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    State *s;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->kind = op->kind;
    if (op->kind == OP_DENSE) {
        s->dense = direct_dense(op);
        direct_dense_memory(&s->dense, memory);
    } else {
        s->conv = direct_conv(op);
        direct_conv_memory(&s->conv, memory);
    }
    *state = s;
    return STATUS_OK;
}

static void forward(void *state, const OpBuffers *b) {
    const State *s = state;
    if (s->kind == OP_DENSE)
        direct_dense_forward(&s->dense, b);
    else
        direct_conv_forward(&s->conv, b);
}

static void backward(void *state, const OpBuffers *b) {
    const State *s = state;
    if (s->kind == OP_DENSE)
        direct_dense_backward(&s->dense, b);
    else
        direct_conv_backward(&s->conv, b);
}

const Backend backend_direct = {.name = "direct",
                                .supports = supports,
                                .prepare = prepare,
                                .forward = forward,
                                .backward = backward,
                                .release = memory_free};
