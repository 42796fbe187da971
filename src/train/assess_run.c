/* SPDX-License-Identifier: Apache-2.0 */
#include "train/assess_run.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "train/assess_write.h"
#include "train/evaluate.h"
#include "train/program.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Assessor {
    Dist *dist;
    const AssessOptions *options;
    Trained trained; /* with losses */
    Evaluation *evaluation;
    Assessment *assessment;
    Totals totals;
    /* of a mean: the network's part before the loss is run by the predictor */
    bool is_mean;
    PredictOptions wanted;
    Predictor predictor;
    Real *values, *x; /* owned, of a block */
    char *described;  /* owned, rank 0's */
} Assessor;

/* ---- means ------------------------------------------------------------------------------------------------------- */

/* The loss reads logits where it can: log p has softmax p, and log(p / (1 - p)) sigmoid p. */
static Real logit(const LossAttr *loss, double p) {
    p = p > FLT_MIN ? p : FLT_MIN;
    if (loss_is_of_axis(loss->kind))
        return (Real)log(p);
    return (Real)(log(p) - log(1 - p > DBL_EPSILON ? 1 - p : DBL_EPSILON));
}

/* EvaluateValues: what the loss reads of the mean. */
static Status mean_values(void *user, const LoaderBatch *batch, const Real **values) {
    Assessor *a = user;
    const Graph *graph = a->trained.setup.graph;
    const LossAttr *loss = &graph->nodes[graph->losses[0]].op.attr.loss;
    uint64_t rows[EVALUATE_BLOCK];
    for (size_t i = 0; i < batch->n; i++)
        rows[i] = sampler_row(&a->trained.view, batch->first + i);
    PredictBlock block = {.rows = rows, .n = batch->n, .labels = batch->labels};
    TRY(predict_rows(&a->predictor, a->x, &block));
    for (size_t i = 0; i < batch->n * a->predictor.width; i++)
        a->values[i] = loss->from_logits ? logit(loss, (double)block.values[i]) : block.values[i];
    *values = a->values;
    return STATUS_OK;
}

/* Can what the loss reads be made of means? */
static Status check_loss(const Assessor *a) {
    const Graph *graph = a->trained.setup.graph;
    LossKind kind = graph->nodes[graph->losses[0]].op.attr.loss.kind;
    if (graph->loss_count != 1 || graph->output_count != 1)
        return status_fail(STATUS_USAGE, "means of several outputs cannot be evaluated: network %s has %zu",
                           a->trained.setup.model->name, graph->output_count);
    return loss_is_of_pairs(kind)
               ? status_fail(STATUS_USAGE, "means cannot be evaluated by the loss %s", model_loss_name(kind))
               : STATUS_OK;
}

/* ... of the predictor's: not where the loss reads logits that the predictor takes for numbers, as those of pictures of
 * labels. */
static Status check_values(const Assessor *a) {
    const Graph *graph = a->trained.setup.graph;
    const OpDesc *op = &graph->nodes[graph->losses[0]].op;
    const PredictOutput *o = &a->predictor.outputs[0];
    CHECK(o->width == shape_count(&op->x[0]), "%zu numbers for a loss of %zu", o->width, shape_count(&op->x[0]));
    return op->attr.loss.from_logits && o->kind == PREDICT_NUMBERS
               ? status_fail(STATUS_USAGE, "means of outputs of network %s cannot be evaluated by the loss %s",
                             a->trained.setup.model->name, model_loss_name(op->attr.loss.kind))
               : STATUS_OK;
}

/* The predictor, and the evaluation of what it gives. */
static Status open_mean(Assessor *a) {
    const AssessOptions *options = a->options;
    a->wanted =
        (PredictOptions){.trained = options->trained, .layer = "", .mean = options->mean, .runs = options->runs};
    TRY(dist_agree(a->dist, check_loss(a)));
    TRY(predict_open(a->dist, &a->wanted, &a->predictor));
    Status status = check_values(a);
    if (status == STATUS_OK)
        status = memory_new(&a->values, EVALUATE_BLOCK * a->predictor.width, "means");
    if (status == STATUS_OK)
        status = memory_new(&a->x, EVALUATE_BLOCK * shape_count(&a->trained.setup.info->shape), "examples of a block");
    if (status == STATUS_OK && dist_rank(a->dist) == 0)
        status = predict_describe(&a->predictor, &a->wanted, &a->described);
    return dist_agree(a->dist, status);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static Status prepare(Assessor *a) {
    Trained *t = &a->trained;
    PlanPart part = {0};
    if (a->is_mean)
        part.from = t->setup.graph->nodes[t->setup.graph->losses[0]].inputs[0];
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(evaluate_prepare_part(t->replica, PASS_EVALUATE, t->view.count, part));
    TRY(replica_ready(t->replica));
    TRY(evaluate_create(&t->setup, t->split, t->view, &a->evaluation));
    LoaderOptions share = evaluate_loader_options(&t->setup, t->split, t->view);
    uint64_t first = share.first_unit * EVALUATE_BLOCK, end = first + share.units * EVALUATE_BLOCK;
    end = end < t->view.count ? end : t->view.count;
    TRY(assess_create(t->setup.graph, first, end > first ? end - first : 0, t->view.count, &a->assessment));
    a->evaluation->part = part;
    a->evaluation->assessment = a->assessment;
    if (a->is_mean) {
        a->evaluation->values_of = mean_values;
        a->evaluation->values_user = a;
    }
    return STATUS_OK;
}

/* A class of the data that the network knows under another number would be counted as a mistake. */
static Status check_classes(const Trained *t) {
    const DatasetInfo *info = t->setup.info;
    if (info->label_count == 0 || info->labels[0].kind != LABEL_CLASS)
        return STATUS_OK;
    for (size_t c = 0; c < info->class_name_count; c++)
        for (size_t k = 0; k < t->class_count; k++)
            if (k != c && strcmp(info->class_names[c], t->class_names[k]) == 0)
                return status_fail(
                    STATUS_FAILED,
                    "%s numbers its classes otherwise than the network: %s is %zu there, %zu here. Import "
                    "the data with the network's order of classes.",
                    info->path, info->class_names[c], c, k);
    return STATUS_OK;
}

static Status evaluate(Assessor *a) {
    Trained *t = &a->trained;
    const AssessOptions *options = a->options;
    TRY(trained_open(a->dist, options->trained, t));
    TRY(dist_agree(a->dist, check_classes(t)));
    if (options->loss[0])
        snprintf(t->config.loss, CLI_TEXT, "%s", options->loss);
    if (options->metrics[0])
        snprintf(t->config.metrics, CLI_TEXT, "%s", options->metrics);
    TRY(setup_graph(&t->setup, &t->config));
    if (a->is_mean)
        TRY(open_mean(a));
    TRY(dist_agree(a->dist, prepare(a)));
    TRY(trained_load(t));
    TRY(evaluate_run(a->evaluation, t->replica, &a->totals));
    return assess_collect(a->assessment, a->dist);
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static AssessNames names_of(const Trained *t) {
    return t->class_names ? (AssessNames){t->class_names, t->class_count}
                          : (AssessNames){t->setup.info->class_names, t->setup.info->class_name_count};
}

static json_t *to_json(const Assessor *a) {
    const Trained *t = &a->trained;
    const Evaluation *e = a->evaluation;
    json_t *json =
        json_pack("{s:o, s:o, s:s, s:f, s:o, s:I}", "checkpoint", program_json_text(t->path), "data",
                  program_json_text(t->setup.info->path), "split", dataset_split_names[t->asked], "loss",
                  totals_loss(&a->totals, t->setup.loss_weights, t->setup.graph->loss_count), "accuracy",
                  number_or_null(totals_accuracy(&a->totals, 0)), "examples", (json_int_t)a->totals.examples);
    for (size_t i = 0; json && e->metrics && i < e->metrics->count; i++)
        json_object_set_new(json, e->metrics->items[i].name, number_or_null(e->values[i]));
    if (json && a->described && a->described[0])
        json_object_set_new(json, "mean", program_json_text(a->described));
    if (json)
        json_object_set_new(json, "outputs", assess_json(a->assessment, names_of(t)));
    return json;
}

static Status write_json(const Assessor *a) {
    json_t *json = to_json(a);
    char *text = json ? json_dumps(json, JSON_PRESERVE_ORDER | JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (text == NULL)
        return status_fail(STATUS_FAILED, "the loss is not a number");
    Status status = file_write(a->options->out, 2, (FilePart[]){{text, strlen(text)}, {"\n", 1}});
    free(text);
    return status;
}

/* "Worst mistakes in 359 test examples: run1/best.h5" */
static Status make_title(const Assessor *a, const char *what, char **title) {
    return memory_format(title, "%s %zu %s examples: %s", what, (size_t)a->totals.examples,
                         dataset_split_names[a->trained.asked], a->trained.path);
}

static Status draw(const Assessor *a) {
    const AssessOptions *options = a->options;
    const Trained *t = &a->trained;
    AssessSource source = {t->setup.data, t->split, &t->view};
    char *title = NULL;
    Status status = STATUS_OK;
    if (options->confusion[0]) {
        status = make_title(a, "Confusions of", &title);
        if (status == STATUS_OK)
            status = assess_draw_confusion(a->assessment, names_of(t), title, options->dark, options->confusion);
        memory_free(title);
    }
    if (status != STATUS_OK || !options->mistakes[0])
        return status;
    TRY(make_title(a, "Worst mistakes in", &title));
    status = assess_draw_mistakes(a->assessment, names_of(t), &source, title, options->mistakes);
    memory_free(title);
    return status;
}

static Status tell(const Assessor *a) {
    const AssessOptions *options = a->options;
    if (options->json) {
        TRY(program_print_json(to_json(a), "the loss is not a number"));
    } else if (!options->silent) {
        if (a->described && a->described[0])
            log_info("%s\n", a->described);
        evaluate_print(a->evaluation, dataset_split_names[a->trained.asked], &a->totals);
        assess_print(a->assessment, names_of(&a->trained));
        TRY(log_check_output());
    }
    if (options->out[0])
        TRY(write_json(a));
    return draw(a);
}

Status assess_run(Dist *dist, const AssessOptions *options) {
    Assessor *a;
    uint64_t runs = dist_rank(dist) == 0 ? options->runs->count : 0;
    dist_broadcast(dist, &runs, sizeof runs);
    TRY(dist_agree(dist, memory_new(&a, 1, "evaluation")));
    a->dist = dist;
    a->options = options;
    a->is_mean = runs > 0 || options->mean->tta[0] || options->mean->augment[0];
    Status status = evaluate(a);
    if (status == STATUS_OK)
        status = dist_agree(dist, dist_rank(dist) == 0 ? tell(a) : STATUS_OK);
    assess_destroy(a->assessment);
    evaluate_destroy(a->evaluation);
    predict_close(&a->predictor);
    trained_close(&a->trained);
    memory_free(a->values);
    memory_free(a->x);
    memory_free(a->described);
    memory_free(a);
    return status;
}
