/* SPDX-License-Identifier: Apache-2.0
 *
 * Running what predict_open.c has opened. */
#include "train/predict.h"
#include "backend/log_sum_exp.h"
#include "base/memory.h"
#include "train/evaluate.h"
#include <math.h>
#include <string.h>

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

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
static Status read_view(const Predictor *first, const Predictor *p, size_t view, const uint64_t rows[], size_t n,
                        Real *x, Real *const labels[]) {
    const Setup *setup = &p->trained.setup;
    AugmentPass pass = {.augment = &first->augment, .epoch = view - 1, .scratch = first->scratch};
    return dataset_read_augmented(setup->data, first->trained.split, rows, n, &setup->preprocess,
                                  view > 0 ? &pass : NULL, x, labels);
}

/* Adds what network q says of one view. */
static Status add_view(Predictor *p, const Predictor *q, size_t view, const uint64_t rows[], size_t n, Real *x,
                       Real *const labels[]) {
    const Real *values;
    double *probability = p->sum + EVALUATE_BLOCK * p->width; /* a row */
    TRY(read_view(p, q, view, rows, n, x, labels));
    run_network(q, n, x, labels, p->rows, &values);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < p->output_count; k++) {
            const PredictOutput *o = &q->outputs[k];
            double *sum = p->sum + i * p->width + o->offset;
            predict_probabilities(o, values + i * p->width + o->offset, probability);
            for (size_t c = 0; c < o->width; c++)
                sum[c] += probability[c];
        }
    return STATUS_OK;
}

Status predict_rows(Predictor *p, const uint64_t rows[], size_t n, Real *x, Real *const labels[], const Real **values) {
    if (p->sum == NULL) {
        TRY(read_view(p, p, 0, rows, n, x, labels));
        run_network(p, n, x, labels, p->rows, values);
        return STATUS_OK;
    }
    memset(p->sum, 0, n * p->width * sizeof *p->sum);
    for (size_t k = 0; k <= p->other_count; k++)
        for (size_t view = 0; view < p->views; view++)
            TRY(add_view(p, k ? &p->others[k - 1] : p, view, rows, n, x, labels));
    for (size_t i = 0; i < n * p->width; i++)
        p->rows[i] = (Real)(p->sum[i] / (double)(p->views * (p->other_count + 1)));
    *values = p->rows;
    return STATUS_OK;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

/* Memory of one block. */
typedef struct Block {
    size_t number, first, n; /* n == 0: none */
    Real *x, *values, **labels;
    const Real *result; /* after the run, until the next */
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
    block->first = (size_t)part.first;
    block->n = (size_t)part.count;
}

static void name_rows(const Predictor *p, const Block *block, uint64_t rows[EVALUATE_BLOCK]) {
    for (size_t i = 0; i < block->n; i++)
        rows[i] = sampler_row(&p->trained.view, block->first + i);
}

static Status run_block(Predictor *p, Block *block) {
    uint64_t rows[EVALUATE_BLOCK];
    name_rows(p, block, rows);
    return block->n > 0 ? predict_rows(p, rows, block->n, block->x, block->labels, &block->result) : STATUS_OK;
}

/* Of a block that another rank has run. */
static Status read_labels(const Predictor *p, const Block *block) {
    uint64_t rows[EVALUATE_BLOCK];
    name_rows(p, block, rows);
    return dataset_read(p->trained.setup.data, p->trained.split, rows, block->n, NULL, NULL, block->labels);
}

/* The blocks of one round, of all ranks, to the sink; `mine` is this rank's.  What fails on rank 0 is kept until all blocks
 * have been received. */
static Status deliver(const Predictor *p, Block *mine, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    size_t row = p->width * sizeof(Real);
    Status status = STATUS_OK;
    if (dist_rank(dist) > 0) {
        dist_hand_over(dist, dist_rank(dist), (Real *)mine->result, mine->n * row);
        return STATUS_OK;
    }
    if (mine->n)
        status = sink(user, mine->first, mine->n, mine->result, mine->labels);
    for (int r = 1; r < dist_ranks(dist); r++) {
        Block other = *mine;
        move_to(p, mine->number + (size_t)r, &other);
        dist_hand_over(dist, r, other.values, other.n * row);
        if (status == STATUS_OK && other.n)
            status = read_labels(p, &other);
        if (status == STATUS_OK && other.n)
            status = sink(user, other.first, other.n, other.values, other.labels);
    }
    return status;
}

Status predict_run(Predictor *p, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    Block mine = {0};
    size_t ranks = (size_t)dist_ranks(dist), rank = (size_t)dist_rank(dist);
    size_t blocks = (size_t)sampler_blocks(p->trained.view.count, EVALUATE_BLOCK);
    Status status = new_block(p, &mine);
    if (status == STATUS_OK)
        status = dataset_load(p->trained.setup.data, p->trained.split);
    status = dist_agree(dist, status);
    for (size_t first = 0; status == STATUS_OK && first < blocks; first += ranks) {
        move_to(p, first + rank, &mine);
        status = dist_agree(dist, run_block(p, &mine));
        if (status == STATUS_OK)
            status = dist_agree(dist, deliver(p, &mine, sink, user));
    }
    free_block(p, &mine);
    return status;
}
