/* SPDX-License-Identifier: Apache-2.0
 *
 * A micro-batch in slices, as an executor runs it. */
#include "base/memory.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <stdio.h>
#include <string.h>

enum { MOST_SLICES = 3 };

/* Slices of the run's examples: the first `larger` have one example more than the others and are run by state 0. */
typedef struct Slices {
    OpRun *run; /* tensors of all examples; its own state is not used */
    size_t count, larger;
    void *state[2];
    OpMemory memory[2];
    void *saved[MOST_SLICES], *packed[2], *totals, *work;
    bool packs[2][2]; /* by state and pass: the weights have not been packed yet */
} Slices;

static size_t larger_n(const Slices *s) {
    return (s->run->op.n + s->count - 1) / s->count;
}

static size_t state_of(const Slices *s, size_t slice) {
    return slice < s->larger ? 0 : 1;
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

static Status create(Slices *s, OpRun *run, size_t count) {
    *s = (Slices){.run = run, .count = count, .packs = {{true, true}, {true, true}}};
    s->larger = run->op.n % count ? run->op.n % count : count;
    for (size_t i = 0; i < 2; i++) {
        OpDesc op = run->op;
        op.n = larger_n(s) - i;
        if (op.n == 0 || s->larger + i > count)
            continue; /* all slices are of one size */
        TRY(run->backend->prepare(&op, &s->state[i], &s->memory[i]));
        TRY(memory_alloc(s->memory[i].packed_bytes, 1, "packed", &s->packed[i]));
    }
    for (size_t i = 0; i < count; i++)
        TRY(memory_alloc(s->memory[state_of(s, i)].saved_bytes, 1, "saved", &s->saved[i]));
    TRY(memory_alloc(most(s->memory[0].totals_bytes, s->memory[1].totals_bytes), 1, "totals", &s->totals));
    return memory_alloc(most(s->memory[0].work_bytes, s->memory[1].work_bytes), 1, "work", &s->work);
}

static void destroy(Slices *s) {
    for (size_t i = 0; i < 2; i++) {
        s->run->backend->release(s->state[i]);
        memory_free(s->packed[i]);
    }
    for (size_t i = 0; i < s->count; i++)
        memory_free(s->saved[i]);
    memory_free(s->totals);
    memory_free(s->work);
}

/* Calls `run` for each slice.  A sum over slices is added to from the second slice on, but not by the collecting
 * passes, which write theirs once, at the end. */
static void for_each(Slices *s, void (*run)(void *, const OpBuffers *), bool backward, bool collects) {
    const OpDesc *op = &s->run->op;
    for (size_t i = 0, start = 0; i < s->count; i++) {
        size_t which = state_of(s, i);
        OpContext context = s->run->context;
        context.first_example += start;
        OpBuffers b = {.first = i == 0,
                       .last = i + 1 == s->count,
                       .saved = s->saved[i],
                       .totals = s->totals,
                       .packed = s->packed[which],
                       .work = s->work,
                       .pack = s->packs[which][backward],
                       .context = &context};
        size_t y_start = op->kind == OP_LOSS ? 0 : start * shape_count(&op->y);
        b.y = !backward || op->keeps_y ? s->run->y + y_start : NULL;
        b.dy = backward && op->kind != OP_LOSS ? s->run->dy + y_start : NULL;
        for (size_t k = 0; k < op->inputs; k++) {
            size_t x_start = start * shape_count(&op->x[k]);
            b.x[k] = !backward || op->keeps_x ? s->run->x[k] + x_start : NULL;
            b.dx[k] = backward && op->want_dx[k] ? s->run->dx[k] + x_start : NULL;
        }
        for (size_t k = 0; k < op->params; k++) {
            b.w[k] = s->run->w[k];
            b.dw[k] = op->training && backward == op->want_dw[k] ? s->run->dw[k] : NULL;
            b.dw_add[k] = i > 0 && !collects;
        }
        memset(s->work, 0xff, most(s->memory[0].work_bytes, s->memory[1].work_bytes));
        run(s->state[which], &b);
        s->packs[which][backward] = s->packs[which][backward] && collects;
        start += larger_n(s) - which;
    }
}

static bool same_gradients(const OpCase *c, const OpRun *run, const OpRun *whole, char *text) {
    for (size_t i = 0; i < run->op.inputs; i++)
        if (run->op.want_dx[i] &&
            !op_near(c, "dx", i, run->dx[i], whole->dx[i], NULL, run->op.n * shape_count(&run->op.x[i]), text))
            return false;
    for (size_t i = 0; i < run->op.params; i++)
        if (run->op.want_dw[i] &&
            !op_near(c, "dw", i, run->dw[i], whole->dw[i], NULL, shape_count(&run->op.w[i]), text))
            return false;
    return true;
}

static bool check(const OpCase *c, Slices *s, OpRun *whole, char *text) {
    const Backend *backend = s->run->backend;
    const OpDesc *op = &s->run->op;
    op_run_forward(whole);
    if (op_collects(op))
        for_each(s, backend->collect, false, true);
    for_each(s, backend->forward, false, false);
    for (size_t i = 0; i < op->params; i++)
        if (op->training && c->forward_w >> i & 1 &&
            !op_near(c, "forward dw", i, s->run->dw[i], whole->dw[i], NULL, shape_count(&op->w[i]), text))
            return false;
    if (!op_near(c, "y", 0, s->run->y, whole->y, NULL, op_y_count(op), text))
        return false;
    if (!op->training)
        return true;
    op_run_backward(whole, false);
    if (op_collects(op))
        for_each(s, backend->collect_backward, true, true);
    for_each(s, backend->backward, true, false);
    return same_gradients(c, s->run, whole, text);
}

static bool check_count(const OpCase *c, const Backend *backend, size_t count, bool training, char *text) {
    OpRun whole = {0}, run = {0};
    Slices s = {.run = &run};
    bool good = true;
    if (op_run_create(&whole, c, backend, training, ~0u, ~0u) != STATUS_OK ||
        op_run_create(&run, c, backend, training, ~0u, ~0u) != STATUS_OK || create(&s, &run, count) != STATUS_OK) {
        snprintf(text, OP_CHECK_TEXT, "%s %s: %s", op_name(c->op.kind), c->name, status_message());
        good = false;
    } else {
        good = check(c, &s, &whole, text);
    }
    if (run.backend)
        destroy(&s);
    op_run_destroy(&whole);
    op_run_destroy(&run);
    if (!good) {
        size_t used = strlen(text);
        snprintf(text + used, OP_CHECK_TEXT - used, " (%zu slices)", count);
    }
    return good;
}

bool op_check_slices(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]) {
    if (c->op.kind == OP_LOSS && loss_is_of_pairs(c->op.attr.loss.kind))
        return true; /* the plan never slices it */
    for (size_t count = 2; count <= MOST_SLICES && count <= c->op.n; count++)
        for (int training = 0; training < 2; training++) {
            OpDesc op = c->op;
            if (op_shape(&op) != STATUS_OK)
                return true; /* the other checks say so */
            op.training = training;
            op.batch = c->op.n;
            op.n = (c->op.n + count - 1) / count;
            if (backend->supports(&op) && !check_count(c, backend, count, training, text))
                return false;
        }
    return true;
}
