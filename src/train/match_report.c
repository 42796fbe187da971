/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of each tensor of a file and of each parameter of the network. */
#include "base/log.h"
#include "train/match.h"
#include <string.h>

static void report_tensors(const Matches *matches) {
    static const char *const ways[MATCH_WAYS] = {"new", "by name", "by class path", "by order"};
    char shape[SHAPE_TEXT];
    for (size_t i = 0; i < matches->count; i++) {
        const Param *param = &matches->graph->params[matches->order[i]];
        const Match *match = &matches->of[matches->order[i]];
        log_verbose("  %s/%s %s: %s%s%s%s%s\n", param->spec.layer, param->spec.name,
                    shape_format(&param->spec.shape, shape), ways[match->way], match->layer ? ": " : "",
                    match->layer ? match->layer->name : "", match->layer ? "/" : "",
                    match->layer ? match->tensor->name : "");
    }
    for (size_t l = 0; l < matches->checkpoint->layer_count; l++)
        for (size_t k = 0; k < matches->checkpoint->layers[l].count; k++) {
            const CheckpointTensor *tensor = &matches->checkpoint->layers[l].weights[k];
            bool used = false;
            for (size_t i = 0; i < matches->count && !used; i++)
                used = matches->of[matches->order[i]].tensor == tensor;
            if (!used)
                log_verbose("  skipped: %s/%s %s\n", matches->checkpoint->layers[l].name, tensor->name,
                            shape_format(&tensor->shape, shape));
        }
}

void match_report(const Matches *matches, const char *origin) {
    static const char *const ways[MATCH_WAYS] = {" new", " by name", " by class path", " by order"};
    char text[200] = "";
    for (size_t i = 1; i <= MATCH_WAYS; i++) {
        size_t way = i % MATCH_WAYS; /* what is new comes last */
        if (matches->found[way] > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%zu%s", text[0] ? ", " : "",
                     matches->found[way], ways[way]);
    }
    if (matches->unused > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", %zu of the file skipped", matches->unused);
    log_info("weights: %zu tensors from %s: %s\n", matches->count - matches->found[MATCH_NONE], origin, text);
    if (log_level() == LOG_VERBOSE)
        report_tensors(matches);
}
