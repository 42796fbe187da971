/* SPDX-License-Identifier: Apache-2.0 */
#include "train/metrics.h"
#include "base/memory.h"
#include "model/model.h"
#include "train/metrics_internal.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TEXT = 1024 };

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static unsigned family_of(const OpDesc *loss) {
    LossKind kind = loss->attr.loss.kind;
    if (loss_is_of_pairs(kind))
        return 0; /* its label is of the example, not of the prediction's numbers */
    if (!loss_is_crossentropy(kind))
        return OF_NUMBERS;
    return loss_is_of_axis(kind) ? OF_CLASSES : OF_YES_NO;
}

/* Kind and K of "f1", "top_5"; NULL: unknown. */
static const MetricKind *find_kind(const char *name, size_t *k) {
    char *end;
    size_t prefix = strlen(metric_kinds[0].name);
    *k = 0;
    for (const MetricKind *kind = metric_kinds + 1; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    if (strncmp(name, metric_kinds[0].name, prefix) != 0 || name[prefix] < '1' || name[prefix] > '9')
        return NULL;
    *k = strtoull(name + prefix, &end, 10);
    return *end == '\0' ? metric_kinds : NULL;
}

/* "accuracy, top_K, f1": the metrics for a loss. */
static const char *list_kinds(unsigned family, char *text, size_t size) {
    snprintf(text, size, "%s", family & (OF_CLASSES | OF_YES_NO) ? "accuracy" : "");
    for (const MetricKind *kind = metric_kinds; kind->name; kind++) {
        size_t used = strlen(text);
        if (kind->suits & family)
            snprintf(text + used, size - used, "%s%s%s", used ? ", " : "", kind->name, kind == metric_kinds ? "K" : "");
    }
    return text;
}

static Status add_metric(Metrics *metrics, const Graph *graph, size_t loss, const char *name) {
    const Node *node = &graph->nodes[graph->losses[loss]];
    const Shape *shape = &node->op.x[0];
    Metric metric = {.loss = loss, .op = node->op};
    char *column;
    metric.kind = find_kind(name, &metric.k);
    metric.columns = shape->rank ? shape->dim[shape->rank - 1] : 1;
    metric.rows_per_example = shape_count(shape) / metric.columns;
    if (metric.k > metric.columns)
        return status_fail(STATUS_USAGE, "--metrics %s: there are %zu classes", name, metric.columns);
    if (metrics->count == METRICS_MAX)
        return status_fail(STATUS_USAGE, "--metrics: more than %d", METRICS_MAX);
    if (graph->loss_count == 1)
        TRY(memory_strdup(name, &column));
    else
        TRY(memory_format(&column, "%s_%s", name, graph->outputs[loss].name));
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->items[i].name, column) == 0) { /* named twice */
            memory_free(column);
            return STATUS_OK;
        }
    metric.name = column;
    metrics->items[metrics->count++] = metric;
    return STATUS_OK;
}

/* One word of the list. */
static Status add_word(Metrics *metrics, const Graph *graph, char *word) {
    char *equals = strchr(word, '='), *name = equals ? equals + 1 : word, known[256];
    const char *output = equals ? word : NULL;
    size_t k, suiting = 0, outputs = 0;
    unsigned family = 0;
    if (equals)
        *equals = '\0';
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    const MetricKind *kind = find_kind(name, &k);
    bool accuracy = strcmp(name, "accuracy") == 0 || strcmp(name, "acc") == 0;
    if (!kind && !accuracy)
        return status_fail(STATUS_USAGE, "--metrics: unknown metric %.40s; known: %s", name,
                           list_kinds(OF_CLASSES | OF_YES_NO | OF_NUMBERS, known, sizeof known));
    unsigned suits = accuracy ? OF_CLASSES | OF_YES_NO : kind->suits;
    for (size_t i = 0; i < graph->loss_count; i++) {
        if (output && strcmp(graph->outputs[i].name, output) != 0)
            continue;
        unsigned here = family_of(&graph->nodes[graph->losses[i]].op);
        outputs++;
        family |= here;
        if (!(here & suits))
            continue;
        suiting++;
        if (kind)
            TRY(add_metric(metrics, graph, i, name));
    }
    if (outputs == 0)
        return status_fail(STATUS_USAGE, "--metrics: the network has no output %.40s; its first is %s", output,
                           graph->outputs[0].name);
    if (suiting == 0)
        return status_fail(STATUS_USAGE, "--metrics: %s does not suit the loss; with it go %s", name,
                           list_kinds(family, known, sizeof known));
    return STATUS_OK;
}

static Status read_list(Metrics *metrics, const char *list, const Graph *graph) {
    char text[LIST_TEXT], *rest = text;
    if (snprintf(text, sizeof text, "%s", list) >= LIST_TEXT)
        return status_fail(STATUS_USAGE, "--metrics: longer than %d bytes", LIST_TEXT - 1);
    for (char *word; (word = strsep(&rest, ","));)
        TRY(add_word(metrics, graph, word));
    return STATUS_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static bool keeps_scores(const Metric *m) {
    return m->kind->add == metrics__auc_add;
}

static Status place_counts(Metrics *metrics, bool evaluation, uint64_t examples) {
    for (size_t i = 0; i < metrics->count; i++) {
        Metric *m = &metrics->items[i];
        size_t scores;
        if (keeps_scores(m) && evaluation) {
            m->room = (size_t)(examples ? examples : 1) * m->rows_per_example; /* a rank without counts alike */
            if (!memory_multiply(m->room, m->columns, &scores))
                return status_fail(STATUS_FAILED, "too many scores for %s", m->name);
            TRY(memory_new(&m->scores, scores, "scores of the auc"));
        }
        m->width = m->kind->width(m);
        m->offset = metrics->width;
        metrics->width += m->width;
    }
    return memory_new(&metrics->counts, metrics->width, "metrics");
}

Status metrics_create(const char *list, const Graph *graph, bool evaluation, uint64_t examples, Metrics **out) {
    *out = NULL;
    if (list[0] == '\0')
        return STATUS_OK;
    TRY(memory_new(out, 1, "metrics"));
    Status status = read_list(*out, list, graph);
    if (status == STATUS_OK)
        status = place_counts(*out, evaluation, examples);
    if (status != STATUS_OK || (*out)->count == 0) {
        metrics_destroy(*out);
        *out = NULL;
    }
    return status;
}

size_t metrics_bytes(const Metrics *metrics, uint64_t examples, uint64_t all) {
    size_t bytes = 0;
    for (size_t i = 0; metrics && i < metrics->count; i++) {
        const Metric *m = &metrics->items[i];
        if (keeps_scores(m))
            bytes += ((size_t)examples * m->columns + (size_t)all) * m->rows_per_example * sizeof *m->scores;
    }
    return bytes;
}

void metrics_destroy(Metrics *metrics) {
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->count; i++) {
        memory_free(metrics->items[i].name);
        memory_free(metrics->items[i].scores);
    }
    memory_free(metrics->counts);
    memory_free(metrics);
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

void metrics_observe(void *user, size_t loss, const OpDesc *op, size_t n, const Real *prediction, const Real *label) {
    Metrics *metrics = user;
    for (size_t i = 0; i < metrics->count; i++) {
        Metric *m = &metrics->items[i];
        size_t rows = n * m->rows_per_example;
        size_t label_width = shape_count(&op->x[1]) / m->rows_per_example;
        for (size_t r = 0; m->loss == loss && r < rows; r++)
            m->kind->add(m, metrics->counts + m->offset, prediction + r * m->columns, label + r * label_width);
    }
}

void metrics_collect(Metrics *metrics, Dist *dist) {
    if (metrics == NULL)
        return;
    dist_sum(dist, metrics->counts, metrics->width);
    if (dist_rank(dist) != 0)
        memset(metrics->counts, 0, metrics->width * sizeof *metrics->counts);
}

Status metrics_values(Metrics *metrics, Dist *dist, double *values) {
    for (size_t i = 0; i < metrics->count; i++)
        if (metrics->items[i].scores)
            TRY(metrics__count_auc(&metrics->items[i], dist, metrics->counts + metrics->items[i].offset));
    dist_sum(dist, metrics->counts, metrics->width);
    for (size_t i = 0; i < metrics->count; i++)
        values[i] = metrics->items[i].kind->value(&metrics->items[i], metrics->counts + metrics->items[i].offset);
    memset(metrics->counts, 0, metrics->width * sizeof *metrics->counts);
    return STATUS_OK;
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

Status metrics_to_json(const Metrics *metrics, char **out) {
    json_t *root = json_object();
    for (size_t i = 0; i < metrics->count; i++) {
        const Metric *m = &metrics->items[i];
        json_t *pairs = json_array();
        for (size_t k = 0; k < m->width; k++)
            if (metrics->counts[m->offset + k]) { /* most are 0 */
                json_array_append_new(pairs, json_integer((json_int_t)k));
                json_array_append_new(pairs, json_integer((json_int_t)metrics->counts[m->offset + k]));
            }
        json_object_set_new(root, m->name, pairs);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    Status status = text ? memory_strdup(text, out) : status_fail(STATUS_FAILED, "out of memory: metrics");
    free(text);
    return status;
}

Status metrics_from_json(Metrics *metrics, const char *text, const char *origin) {
    json_t *root = json_loads(text, 0, NULL);
    bool good = json_is_object(root);
    for (size_t i = 0; good && i < metrics->count; i++) {
        const Metric *m = &metrics->items[i];
        const json_t *pairs = json_object_get(root, m->name);
        for (size_t k = 0; good && k + 1 < json_array_size(pairs); k += 2) {
            json_int_t place = json_integer_value(json_array_get(pairs, k));
            good = place >= 0 && (uint64_t)place < m->width;
            if (good)
                metrics->counts[m->offset + (size_t)place] = (uint64_t)json_integer_value(json_array_get(pairs, k + 1));
        }
    }
    json_decref(root);
    return good ? STATUS_OK : status_fail(STATUS_FAILED, "%s: the counts of metrics are broken", origin);
}
