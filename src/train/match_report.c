/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of each tensor of a file and of each parameter of the network. */
#include "base/log.h"
#include "base/memory.h"
#include "train/match.h"
#include <string.h>

enum { NAMED = 8 }; /* tensors that a line of the summary names */

static bool is_used(const Matches *matches, const CheckpointTensor *tensor) {
    for (size_t i = 0; i < matches->count; i++)
        if (matches->of[matches->order[i]].tensor == tensor)
            return true;
    return false;
}

/* A trainable weight that this run does not train, or a moving statistic that stands still. */
static bool is_frozen(const Param *param) {
    return param->spec.role == PARAM_FROZEN;
}

/* ---- the table, for verbose users -------------------------------------------------------------------------------- */

static void report_row(const char *layer, const char *name, const Shape *shape, const char *what, const char *more) {
    char tensor[160], text[SHAPE_TEXT];
    snprintf(tensor, sizeof tensor, "%s/%s", layer, name);
    log_verbose("  %-44s %-18s %-14s %s\n", tensor, shape_format(shape, text), what, more);
}

static void report_tensors(const Matches *matches) {
    static const char *const ways[MATCH_WAYS] = {"new", "by name", "by class path", "by order"};
    for (size_t i = 0; i < matches->count; i++) {
        const Param *param = &matches->graph->params[matches->order[i]];
        const Match *match = &matches->of[matches->order[i]];
        char more[240];
        snprintf(more, sizeof more, "%s%s%s%s", is_frozen(param) ? "frozen  " : "",
                 match->layer ? match->layer->name : "", match->layer ? "/" : "",
                 match->layer ? match->tensor->name : "");
        report_row(param->spec.layer, param->spec.name, &param->spec.shape, ways[match->way], more);
    }
    for (size_t l = 0; l < matches->checkpoint->layer_count; l++)
        for (size_t k = 0; k < matches->checkpoint->layers[l].count; k++) {
            const CheckpointTensor *tensor = &matches->checkpoint->layers[l].weights[k];
            if (!is_used(matches, tensor))
                report_row(matches->checkpoint->layers[l].name, tensor->name, &tensor->shape, "skipped", "");
        }
}

/* ---- the summary ------------------------------------------------------------------------------------------------- */

/* One more tensor of a line that names the first few. */
static void report_name(const char *what, size_t number, const char *layer, const char *name, const Shape *shape) {
    char text[SHAPE_TEXT];
    if (number < NAMED)
        log_info("%s%s%s/%s %s", number ? ", " : "  ", number ? "" : what, layer, name, shape_format(shape, text));
}

static void end_line(size_t count) {
    if (count > NAMED)
        log_info(" and %zu more (--verbose names all)", count - NAMED);
    if (count > 0)
        log_info("\n");
}

static void report_new(const Matches *matches) {
    size_t count = 0;
    for (size_t i = 0; i < matches->count; i++) {
        const ParamSpec *spec = &matches->graph->params[matches->order[i]].spec;
        if (matches->of[matches->order[i]].way == MATCH_NONE)
            report_name("new: ", count++, spec->layer, spec->name, &spec->shape);
    }
    end_line(count);
}

static void report_skipped(const Matches *matches) {
    size_t count = 0;
    for (size_t l = 0; l < matches->checkpoint->layer_count; l++)
        for (size_t k = 0; k < matches->checkpoint->layers[l].count; k++) {
            const CheckpointTensor *tensor = &matches->checkpoint->layers[l].weights[k];
            if (!is_used(matches, tensor))
                report_name("skipped: ", count++, matches->checkpoint->layers[l].name, tensor->name, &tensor->shape);
        }
    end_line(count);
}

/* The first and the last frozen layer, and how much of the network they are. */
static void report_frozen(const Matches *matches) {
    const char *first = NULL, *last = NULL;
    size_t layers = 0, numbers = 0, all = 0;
    for (size_t i = 0; i < matches->count; i++) {
        const Param *param = &matches->graph->params[matches->order[i]];
        all += param->count;
        if (!is_frozen(param))
            continue;
        numbers += param->count;
        layers += last == NULL || strcmp(last, param->spec.layer) != 0;
        last = param->spec.layer;
        first = first ? first : last;
    }
    if (layers == 1)
        log_info("  frozen: 1 layer with weights, %s: %zu of %zu parameters\n", first, numbers, all);
    else if (layers > 1)
        log_info("  frozen: %zu layers with weights, %s to %s: %zu of %zu parameters\n", layers, first, last, numbers,
                 all);
}

static void report_kept_heads(const Matches *matches, const MatchOptions *options, const Model *model) {
    for (size_t l = 0; options->parts && l < model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        size_t n = model_layer_params(model, l, matches->graph, params);
        if (options->parts[l] == MATCH_HEAD && n > 0 && matches->of[params[0]].way != MATCH_NONE)
            log_info("  head kept: %s\n", model->layers[l].name);
    }
}

void match_report(const Matches *matches, const MatchOptions *options, const Model *model, const char *origin) {
    static const char *const ways[MATCH_WAYS] = {" new", " by name", " by class path", " by order"};
    char text[200] = "";
    size_t frozen = 0;
    for (size_t i = 1; i <= MATCH_WAYS; i++) {
        size_t way = i % MATCH_WAYS; /* what is new comes last */
        if (matches->found[way] > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%zu%s", text[0] ? ", " : "",
                     matches->found[way], ways[way]);
    }
    if (matches->unused > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", %zu of the file skipped", matches->unused);
    for (size_t i = 0; i < matches->count; i++)
        frozen += is_frozen(&matches->graph->params[matches->order[i]]);
    if (frozen > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "; %zu frozen", frozen);
    log_info("weights: %zu tensors from %s: %s\n", matches->count - matches->found[MATCH_NONE], origin, text);
    report_new(matches);
    report_skipped(matches);
    report_frozen(matches);
    report_kept_heads(matches, options, model);
    if (log_level() == LOG_VERBOSE)
        report_tensors(matches);
}
