/* SPDX-License-Identifier: Apache-2.0
 *
 * Running what predict_open.c has opened. */
#include "train/predict.h"
#include "backend/log_sum_exp.h"
#include "base/memory.h"
#include "train/evaluate.h"
#include <math.h>
#include <string.h>

/* ---- rows -------------------------------------------------------------------------------------------------------- */

void predict_probabilities(const PredictOutput *o, const Real *values, double *p) {
    double log_sum = o->logits && o->kind == PREDICT_CLASSES ? log_sum_exp(values, o->width) : 0;
    for (size_t i = 0; i < o->width; i++) {
        double v = (double)values[i];
        p[i] = !o->logits ? v : o->kind == PREDICT_CLASSES ? exp(v - log_sum) : 1 / (1 + exp(-v));
    }
}

/* Network p, which may be one of several, on what it reads: *values[n][width], in the arena if there is one output. */
static void run_network(const Predictor *p, size_t n, const Real *x, Real *const labels[], Real *rows,
                        const Real **values) {
    const Real *inputs[SETUP_MAX_INPUTS];
    LoaderBatch batch = {.n = n, .x = x, .labels = labels};
    ExecutorRun run = {.inputs = inputs, .weights_version = 1};
    setup_inputs(&p->trained.setup, &batch, inputs);
    Plan *plan = replica_plan_part(p->trained.replica, PASS_PREDICT, n, predict_part(p));
    executor_forward(plan, &run);
    *values = p->output_count == 1 ? executor_value(plan, &run, p->outputs[0].node) : rows;
    for (size_t k = 0; p->output_count > 1 && k < p->output_count; k++) {
        const PredictOutput *o = &p->outputs[k];
        const Real *from = executor_value(plan, &run, o->node);
        for (size_t i = 0; i < n; i++)
            memcpy(rows + i * p->width + o->offset, from + i * o->width, o->width * sizeof *rows);
    }
}

/* View 0 is the example as it is. */
static Status read_view(const Predictor *first, const Predictor *p, size_t view, const PredictBlock *block, Real *x) {
    const Setup *setup = &p->trained.setup;
    AugmentPass pass = {.augment = &first->augment, .epoch = view - 1, .scratch = first->scratch};
    const AugmentPass *augment = view > 0 ? &pass : NULL;
    if (first->inputs)
        return inputs_read(first->inputs, block->rows, block->n, &setup->preprocess, augment, x, block->bad);
    return dataset_read_augmented(setup->data, first->trained.split, block->rows, block->n, &setup->preprocess, augment,
                                  x, block->labels);
}

/* Adds what network q says of one view. */
static Status add_view(Predictor *p, const Predictor *q, size_t view, const PredictBlock *block, Real *x) {
    const Real *values;
    double *probability = p->sum + EVALUATE_BLOCK * p->width; /* a row */
    TRY(read_view(p, q, view, block, x));
    run_network(q, block->n, x, block->labels, p->rows, &values);
    for (size_t i = 0; i < block->n; i++)
        for (size_t k = 0; k < p->output_count; k++) {
            PredictOutput o = q->outputs[k];
            double *sum = p->sum + i * p->width + o.offset;
            o.logits = o.of_network;
            predict_probabilities(&o, values + i * p->width + o.offset, probability);
            for (size_t c = 0; c < o.width; c++)
                sum[c] += probability[c];
        }
    return STATUS_OK;
}

Status predict_rows(Predictor *p, Real *x, PredictBlock *block) {
    if (p->sum == NULL) {
        TRY(read_view(p, p, 0, block, x));
        run_network(p, block->n, x, block->labels, p->rows, &block->values);
        return STATUS_OK;
    }
    memset(p->sum, 0, block->n * p->width * sizeof *p->sum);
    for (size_t k = 0; k <= p->other_count; k++)
        for (size_t view = 0; view < p->views; view++)
            TRY(add_view(p, k ? &p->others[k - 1] : p, view, block, x));
    for (size_t i = 0; i < block->n * p->width; i++)
        p->rows[i] = (Real)(p->sum[i] / (double)(p->views * (p->other_count + 1)));
    block->values = p->rows;
    return STATUS_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* Memory of one block: this rank's, and on rank 0 those of others. */
typedef struct Block {
    PredictBlock of;
    size_t number;
    uint64_t rows[EVALUATE_BLOCK];
    bool bad[EVALUATE_BLOCK];
    Real *x, *values, **labels; /* owned */
} Block;

static void free_block(const Predictor *p, Block *block) {
    for (size_t i = 0; block->labels && i < p->trained.setup.info->label_count; i++)
        memory_free(block->labels[i]);
    memory_free(block->labels);
    memory_free(block->values);
    memory_free(block->x);
}

static Status new_block(const Predictor *p, Block *block) {
    const DatasetInfo *info = p->trained.setup.info;
    size_t x, values;
    if (!memory_multiply(shape_count(&info->shape), EVALUATE_BLOCK, &x) ||
        !memory_multiply(p->width, EVALUATE_BLOCK, &values))
        x = values = SIZE_MAX;
    TRY(memory_new(&block->x, x, "examples of a block"));
    TRY(memory_new(&block->values, values, "results of a block"));
    TRY(memory_new(&block->labels, info->label_count, "labels of a block"));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(memory_new(&block->labels[i], shape_count(&info->labels[i].shape) * EVALUATE_BLOCK, "labels of a block"));
    return STATUS_OK;
}

static void move_to(const Predictor *p, size_t number, Block *block) {
    SamplerPart part = {0};
    uint64_t count = p->trained.view.count;
    if (number < sampler_blocks(count, EVALUATE_BLOCK))
        part = sampler_block(count, EVALUATE_BLOCK, number);
    block->number = number;
    block->of = (PredictBlock){.rows = block->rows,
                               .first = (size_t)part.first,
                               .n = (size_t)part.count,
                               .labels = block->labels,
                               .bad = block->bad};
    memset(block->bad, 0, sizeof block->bad);
    for (size_t i = 0; i < part.count; i++)
        block->rows[i] = sampler_row(&p->trained.view, part.first + i);
}

/* A block that rank r has run, to the sink of rank 0.  Its labels are read here. */
static Status receive(const Predictor *p, int r, Block *block, Status status, PredictSink *sink, void *user) {
    PredictBlock *of = &block->of;
    dist_hand_over(p->trained.setup.dist, r, block->values, of->n * p->width * sizeof(Real));
    dist_hand_over(p->trained.setup.dist, r, block->bad, of->n * sizeof *block->bad);
    of->values = block->values;
    if (status == STATUS_OK && of->n && p->inputs == NULL)
        status = dataset_read(p->trained.setup.data, p->trained.split, of->rows, of->n, NULL, NULL, of->labels);
    return status == STATUS_OK && of->n ? sink(user, of) : status;
}

/* The blocks of one round, of all ranks, to the sink; `mine` is this rank's.  What fails on rank 0 is kept until all
 * blocks have been received. */
static Status deliver(const Predictor *p, Block *mine, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    size_t number = mine->number;
    Status status = STATUS_OK;
    if (dist_rank(dist) > 0) {
        dist_hand_over(dist, dist_rank(dist), (Real *)mine->of.values, mine->of.n * p->width * sizeof(Real));
        dist_hand_over(dist, dist_rank(dist), mine->bad, mine->of.n * sizeof *mine->bad);
        return STATUS_OK;
    }
    if (mine->of.n)
        status = sink(user, &mine->of);
    for (int r = 1; r < dist_ranks(dist); r++) {
        move_to(p, number + (size_t)r, mine);
        status = receive(p, r, mine, status, sink, user);
    }
    return status;
}

Status predict_run(Predictor *p, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    Block mine = {0};
    size_t ranks = (size_t)dist_ranks(dist), rank = (size_t)dist_rank(dist);
    size_t blocks = (size_t)sampler_blocks(p->trained.view.count, EVALUATE_BLOCK);
    Status status = new_block(p, &mine);
    if (status == STATUS_OK && p->inputs == NULL)
        status = dataset_load(p->trained.setup.data, p->trained.split);
    status = dist_agree(dist, status);
    for (size_t first = 0; status == STATUS_OK && first < blocks; first += ranks) {
        move_to(p, first + rank, &mine);
        status = dist_agree(dist, mine.of.n > 0 ? predict_rows(p, mine.x, &mine.of) : STATUS_OK);
        if (status == STATUS_OK)
            status = dist_agree(dist, deliver(p, &mine, sink, user));
    }
    free_block(p, &mine);
    return status;
}
