/* SPDX-License-Identifier: Apache-2.0
 *
 * What the trainer shows on its board (board.h). */
#include "train/trainer_internal.h"

void trainer__open_board(Trainer *t) {
    const Config *c = t->config;
    if (!c->tensorboard)
        return;
    BoardOptions options = {.steps = c->tensorboard_steps, .histograms = c->tensorboard_histograms};
    t->board = board_open(run_folder(t->run), &options, &t->state);
    board_graph(t->board, t->setup.graph);
}

/* The epoch's first ones; not what a frozen front has made of them (features.h). */
void trainer__show_inputs(Trainer *t, const LoaderBatch *batch) {
    const Shape *shape = &t->setup.info->shape;
    if (t->board && batch->unit == 0 && batch->step == 0 &&
        dataset_width(t->setup.data, DATASET_TRAIN) == shape_count(shape))
        board_inputs(t->board, t->state.epoch + 1, shape, batch->x, batch->n);
}

void trainer__show_gradients(Trainer *t, const Real *slab, double weight) {
    if (t->board && t->state.batch + 1 == t->steps_per_epoch)
        board_gradients(t->board, t->state.epoch + 1, t->setup.graph, slab, weight);
}

void trainer__show_loss(Trainer *t, const Real *losses, double examples, double penalty) {
    Totals one = {0};
    size_t count = t->setup.graph->loss_count;
    if (!board_wants_step(t->board, t->state.step))
        return;
    totals_add(&one, losses, count, examples, penalty);
    board_step(t->board, t->state.step, totals_loss(&one, t->setup.loss_weights, count));
}
