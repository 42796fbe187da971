/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/winograd/winograd.h"
#include "base/memory.h"

/* What is known of an operation once it is prepared. */
typedef struct State {
    ConvSizes sizes;
    bool relu;
    double relu_max;
} State;

static bool kernel_fits(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    bool fits = op->kind == OP_CONV2D && a->groups == 1;
    for (int axis = 0; axis < 2; axis++)
        fits = fits && a->kernel[axis] == 3 && a->stride[axis] == 1 && a->dilation[axis] == 1;
    return fits;
}

static bool supports(const OpDesc *op) {
    if (!op->winograd || !kernel_fits(op))
        return false;
    ConvSizes g = conv_sizes(op);
    return winograd_wins(&g);
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    State *s;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->sizes = conv_sizes(op);
    s->relu = op->relu;
    s->relu_max = op->relu_max;
    memory->work_bytes = winograd_forward_bytes(&s->sizes);
    if (op->training && memory->work_bytes < winograd_backward_bytes(&s->sizes))
        memory->work_bytes = winograd_backward_bytes(&s->sizes);
    *state = s;
    return STATUS_OK;
}

static void forward(void *state, const OpBuffers *b) {
    const State *s = state;
    Finish finish = {.bias = b->w[1], .relu = s->relu, .relu_max = (float)s->relu_max};
    winograd_forward(&s->sizes, b->x[0], b->w[0], &finish, b->y, b->work);
}

static void backward(void *state, const OpBuffers *b) {
    const State *s = state;
    const ConvSizes *g = &s->sizes;
    finish_rows_backward(b->y, s->relu, s->relu_max, b->dy, g->n * g->P * g->Q, g->K, b->dw_add[1], b->dw[1]);
    if (b->dw[0] || b->dx[0])
        winograd_backward(g, b->x[0], b->w[0], b->dy, b->dw_add[0], b->dw[0], b->dx_add[0], b->dx[0], b->work);
}

const Backend backend_winograd = {.name = "winograd",
                                  .supports = supports,
                                  .prepare = prepare,
                                  .forward = forward,
                                  .backward = backward,
                                  .release = memory_free};
