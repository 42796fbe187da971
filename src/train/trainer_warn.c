/* SPDX-License-Identifier: Apache-2.0
 *
 * What is allowed, but seldom meant: said before a run starts. */
#include "base/log.h"
#include "train/input_scale.h"
#include "train/trainer_internal.h"

/* Many take --batch-size for that of a rank. */
static void warn_of_idle_ranks(const Trainer *t) {
    size_t examples = sampler_batch(t->train.count, t->config->batch_size, 0), ranks = (size_t)dist_ranks(t->dist);
    size_t busy = 0;
    while (busy < ranks && sampler_share(t->config->micro_batches, ranks, busy).first < examples)
        busy++;
    if (busy < ranks)
        log_warn("a step has %zu example%s, as --batch-size is that of all ranks together: %zu of %zu ranks have "
                 "nothing to do",
                 examples, examples == 1 ? "" : "s", ranks - busy, ranks);
}

static void warn_of_whole_batch(const Trainer *t) {
    if (t->config->batch_size > t->train.count)
        log_warn("there are fewer training examples (%llu) than --batch-size %zu: an epoch is a single step, of all of "
                 "them. A smaller --batch-size learns more in an epoch.",
                 (unsigned long long)t->train.count, t->config->batch_size);
}

/* Of a single number batch normalization makes 0, whatever it is. */
static void warn_of_single_numbers(const Trainer *t) {
    const Graph *graph = t->setup.graph;
    size_t batch = sampler_batch(t->train.count, t->config->batch_size, 0);
    if (sampler_micro_batch(batch, t->config->micro_batches, 0).count > 1)
        return;
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        const Shape *x = &node->op.x[0];
        if (node->op.kind == OP_BATCH_NORM && node->in_training && !node->op.attr.norm.frozen &&
            shape_count(x) == x->dim[x->rank - 1]) {
            log_warn("micro-batches have one example each, and of one BatchNormalization (layer %s) makes nothing but "
                     "zeros: it will not learn. Give a larger --batch-size, or fewer ranks (--micro-batches).",
                     node->layer);
            return;
        }
    }
}

Status trainer__warn(const Trainer *t) {
    warn_of_idle_ranks(t);
    warn_of_whole_batch(t);
    warn_of_single_numbers(t);
    bool begins = !t->resuming && t->config->init_from[0] == '\0'; /* else weights may have been made for any scale */
    return begins && dist_rank(t->dist) == 0 ? input_scale_check(&t->setup) : STATUS_OK;
}
