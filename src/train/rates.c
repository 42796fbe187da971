/* SPDX-License-Identifier: Apache-2.0 */
#include "train/rates.h"
#include "base/edit_distance.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/cli.h"
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has_kernel(const Graph *graph, const Node *node) {
    for (size_t k = 0; k < node->op.params; k++) {
        const Param *param = node->params[k] >= 0 ? &graph->params[node->params[k]] : NULL;
        if (param && param->spec.role != PARAM_CONSTANT && param->spec.shape.rank >= 2)
            return true;
    }
    return false;
}

/* Multiplies by decay^depth.  A parameter of several layers has the largest depth. */
static Status apply_layer_decay(const Graph *graph, double decay, double *multipliers) {
    size_t *above; /* kernels after the node, then after the parameter */
    TRY(memory_new(&above, graph->node_count + graph->param_count, "learning rates"));
    size_t *of_param = above + graph->node_count;
    for (size_t n = graph->node_count; n-- > 0;) {
        const Node *node = &graph->nodes[n];
        size_t here = above[n] + has_kernel(graph, node);
        for (size_t i = 0; i < node->op.inputs; i++)
            if (above[node->inputs[i]] < here)
                above[node->inputs[i]] = here;
        for (size_t k = 0; k < node->op.params; k++)
            if (node->params[k] >= 0 && of_param[node->params[k]] < above[n])
                of_param[node->params[k]] = above[n];
    }
    for (size_t p = 0; p < graph->param_count; p++)
        multipliers[p] *= pow(decay, (double)of_param[p]);
    memory_free(above);
    return STATUS_OK;
}

/* thaws: frozen ones may train later (--unfreeze). */
static bool trains(const ParamSpec *spec, bool thaws) {
    return spec->role == PARAM_TRAINED || (thaws && spec->role == PARAM_FROZEN);
}

static Status unknown(const Graph *graph, const char *pattern, bool thaws) {
    const char *nearest = NULL;
    for (size_t p = 0; p < graph->param_count; p++) {
        const ParamSpec *spec = &graph->params[p].spec;
        if (trains(spec, thaws) && (!nearest || edit_distance(pattern, spec->layer) < edit_distance(pattern, nearest)))
            nearest = spec->layer;
    }
    return status_fail(STATUS_USAGE, "--lr-multiplier %s: no layer of that name is trained. Near: %s", pattern,
                       nearest ? nearest : "none");
}

/* Marks in `values` the layers that the rule "PATTERN=X" matches. */
static Status apply_rule(const Graph *graph, char *rule, bool thaws, double *values) {
    char *equals = strrchr(rule, '='), *end = NULL;
    double value = equals ? strtod(equals + 1, &end) : NAN;
    if (equals == NULL || equals == rule || end == equals + 1 || *end || !(value >= 0) || isinf(value))
        return status_fail(STATUS_USAGE, "--lr-multiplier %s: must be PATTERN=X, X a number that is at least 0", rule);
    bool found = false;
    *equals = '\0';
    for (size_t p = 0; p < graph->param_count; p++) {
        const ParamSpec *spec = &graph->params[p].spec;
        if (!trains(spec, thaws) || fnmatch(rule, spec->layer, 0) != 0)
            continue;
        found = true;
        values[p] = value;
    }
    return found ? STATUS_OK : unknown(graph, rule, thaws);
}

static Status apply_rules(const Graph *graph, const char *rules, bool thaws, double *multipliers) {
    char text[CLI_TEXT], *rest = text;
    double *values;
    Status status = STATUS_OK;
    TRY(memory_new(&values, graph->param_count, "learning rates"));
    for (size_t p = 0; p < graph->param_count; p++)
        values[p] = 1;
    snprintf(text, sizeof text, "%s", rules);
    for (char *rule; rest && status == STATUS_OK && (rule = strsep(&rest, ","));)
        status = apply_rule(graph, rule, thaws, values);
    for (size_t p = 0; p < graph->param_count; p++)
        multipliers[p] *= values[p];
    memory_free(values);
    return status;
}

/* A line for each layer. */
static void show(const Graph *graph, const double *multipliers) {
    const char *last = "";
    for (size_t p = 0; p < graph->param_count; p++) {
        const ParamSpec *spec = &graph->params[p].spec;
        if (spec->role == PARAM_TRAINED && strcmp(spec->layer, last) != 0)
            log_verbose("  learning rate of %-28s * %g\n", spec->layer, multipliers[p]);
        last = spec->role == PARAM_TRAINED ? spec->layer : last;
    }
}

Status rates_multipliers(const Config *config, const Graph *graph, double **out) {
    *out = NULL;
    if (config->layer_decay == 0 && config->lr_multiplier[0] == '\0')
        return STATUS_OK;
    TRY(memory_new(out, graph->param_count, "learning rates"));
    for (size_t p = 0; p < graph->param_count; p++)
        (*out)[p] = 1;
    Status status = config->layer_decay > 0 ? apply_layer_decay(graph, config->layer_decay, *out) : STATUS_OK;
    if (status == STATUS_OK && config->lr_multiplier[0])
        status = apply_rules(graph, config->lr_multiplier, config->unfreeze[0] != '\0', *out);
    if (status == STATUS_OK) {
        show(graph, *out);
        return STATUS_OK;
    }
    memory_free(*out);
    *out = NULL;
    return status;
}
