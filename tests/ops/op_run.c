/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <string.h>

size_t op_y_count(const OpDesc *op) {
    return (op->kind == OP_LOSS ? 1 : op->n) * shape_count(&op->y);
}

/* Uniform in [-1, 1), rounded to float so that both precisions start from the same numbers. */
static void fill_uniform(Real *a, size_t count, uint64_t stream) {
    RngKey key = rng_key(1, RNG_TEST, stream, 0);
    for (size_t i = 0; i < count; i++)
        a[i] = (Real)(float)(2 * rng_uniform(key, i, 0) - 1);
}

/* All bits set: NaN in both precisions, so that an element that was not written shows. */
static void fill_nan(Real *a, size_t count) {
    if (a)
        memset(a, 0xff, count * sizeof *a);
}

static Status create_tensors(OpRun *run, const OpCase *c) {
    OpDesc *op = &run->op;
    for (size_t i = 0; i < op->inputs; i++) {
        size_t count = op->n * shape_count(&op->x[i]);
        TRY(memory_new(&run->x[i], count, "x"));
        fill_uniform(run->x[i], count, 10 + i);
        if (op->want_dx[i])
            TRY(memory_new(&run->dx[i], count, "dx"));
    }
    for (size_t i = 0; i < op->params; i++) {
        size_t count = shape_count(&op->w[i]);
        if (!op->has_w[i])
            continue;
        TRY(memory_new(&run->w[i], count, "w"));
        fill_uniform(run->w[i], count, 100 + i);
        if (op->want_dw[i] || c->forward_w >> i & 1)
            TRY(memory_new(&run->dw[i], count, "dw"));
    }
    if (c->fill)
        c->fill(op, run->x, run->w);
    TRY(memory_new(&run->y, op_y_count(op), "y"));
    TRY(memory_new(&run->dy, op_y_count(op), "dy"));
    fill_uniform(run->dy, op_y_count(op), 1);
    if (op->kind == OP_LOSS) { /* its dy is 1, for the loss alone */
        memset(run->dy, 0, op_y_count(op) * sizeof *run->dy);
        run->dy[LOSS_SUM_LOSS] = (Real)op->attr.loss.weight;
    }
    return STATUS_OK;
}

Status op_run_create(OpRun *run, const OpCase *c, const Backend *backend, bool training, unsigned want_x,
                     unsigned want_w) {
    memset(run, 0, sizeof *run);
    run->op = c->op;
    run->backend = backend;
    run->context = (OpContext){.seed = 7, .step = 3, .first_example = 5};
    TRY(op_shape(&run->op));
    run->op.training = training;
    run->op.batch = run->op.n;
    for (size_t i = 0; i < run->op.inputs; i++)
        run->op.want_dx[i] = training && (want_x & ~c->fixed_x) >> i & 1;
    for (size_t i = 0; i < run->op.params; i++)
        run->op.want_dw[i] = training && run->op.has_w[i] && (want_w & ~c->fixed_w & ~c->forward_w) >> i & 1;
    TRY(create_tensors(run, c));
    TRY(backend->prepare(&run->op, &run->state, &run->memory));
    TRY(memory_alloc(run->memory.saved_bytes, 1, "saved", &run->saved));
    TRY(memory_alloc(run->memory.totals_bytes, 1, "totals", &run->totals));
    TRY(memory_alloc(run->memory.packed_bytes, 1, "packed", &run->packed));
    TRY(memory_alloc(run->memory.work_bytes, 1, "work", &run->work));
    return STATUS_OK;
}

void op_run_destroy(OpRun *run) {
    for (size_t i = 0; i < OP_MAX_INPUTS; i++) {
        memory_free(run->x[i]);
        memory_free(run->dx[i]);
    }
    for (size_t i = 0; i < OP_MAX_PARAMS; i++) {
        memory_free(run->w[i]);
        memory_free(run->dw[i]);
    }
    memory_free(run->y);
    memory_free(run->dy);
    memory_free(run->saved);
    memory_free(run->totals);
    memory_free(run->packed);
    memory_free(run->work);
    if (run->backend)
        run->backend->release(run->state);
}

/* What forward and backward are both given. */
static OpBuffers common_buffers(OpRun *run) {
    OpBuffers b = {.y = run->y,
                   .first = true,
                   .last = true,
                   .pack = true,
                   .saved = run->saved,
                   .totals = run->totals,
                   .packed = run->packed,
                   .work = run->work,
                   .context = &run->context};
    for (size_t i = 0; i < run->op.inputs; i++)
        b.x[i] = run->x[i];
    for (size_t i = 0; i < run->op.params; i++)
        b.w[i] = run->w[i];
    memset(run->work, 0xff, run->memory.work_bytes);
    return b;
}

void op_run_forward(OpRun *run) {
    OpBuffers b = common_buffers(run);
    if (run->y != run->x[0])
        fill_nan(run->y, op_y_count(&run->op));
    for (size_t i = 0; i < run->op.params; i++)
        if (!run->op.want_dw[i] && run->op.training) { /* the statistics of batch_norm; a gradient stays as it is */
            fill_nan(run->dw[i], shape_count(&run->op.w[i]));
            b.dw[i] = run->dw[i];
        }
    if (op_collects(&run->op))
        run->backend->collect(run->state, &b);
    run->backend->forward(run->state, &b);
}

void op_run_backward(OpRun *run, bool add) {
    OpDesc *op = &run->op;
    OpBuffers b = common_buffers(run);
    b.dy = op->kind == OP_LOSS ? NULL : run->dy;
    if (!op->keeps_y)
        b.y = NULL;
    for (size_t i = 0; i < op->inputs; i++) {
        if (!op->keeps_x)
            b.x[i] = NULL;
        if (!op->want_dx[i])
            continue;
        b.dx[i] = run->dx[i];
        b.dx_add[i] = add || (i > 0 && run->dx[i] == run->dx[0]);
        if (!b.dx_add[i] && run->dx[i] != run->dy)
            fill_nan(run->dx[i], op->n * shape_count(&op->x[i]));
    }
    for (size_t i = 0; i < op->params; i++) {
        if (!op->want_dw[i])
            continue;
        b.dw[i] = run->dw[i];
        b.dw_add[i] = add;
        if (!add)
            fill_nan(run->dw[i], shape_count(&op->w[i]));
    }
    if (op_collects(op))
        run->backend->collect_backward(run->state, &b);
    run->backend->backward(run->state, &b);
}
