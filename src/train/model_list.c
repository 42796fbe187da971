/* SPDX-License-Identifier: Apache-2.0 */
#include "train/model_list.h"
#include "model/zoo/zoo.h"
#include "train/cli.h"
#include <string.h>

/* The forward FLOP of one example at the network's usual size. */
static Status count_flops(const ZooEntry *entry, double *flops) {
    Model *model;
    Graph *graph = NULL;
    *flops = 0;
    TRY(zoo_create(entry->name, entry->input, entry->classes, &model));
    Status status = graph_create(&graph);
    if (status == STATUS_OK)
        status = model_build(model, &(ModelBuild){0}, graph);
    for (size_t i = 0; status == STATUS_OK && i < graph->node_count; i++)
        *flops += op_flops(&graph->nodes[i].op);
    graph_destroy(graph);
    model_destroy(model);
    return status;
}

/* Appends " --NAME=VALUE" to `text`, unless the value is 0. */
static void add_option(char text[CLI_TEXT], const char *name, double value) {
    size_t used = strlen(text);
    char number[CLI_NUMBER];
    if (value != 0)
        snprintf(text + used, CLI_TEXT - used, " --%s=%s", name, cli_number(value, number));
}

static void format_recipe(const ZooRecipe *r, char text[CLI_TEXT]) {
    snprintf(text, CLI_TEXT, "--optimizer=%s --schedule=%s", r->optimizer, r->schedule);
    add_option(text, "lr", r->lr);
    add_option(text, "momentum", r->momentum);
    add_option(text, "weight-decay", r->weight_decay);
    add_option(text, "decay-epochs", r->decay_epochs);
    add_option(text, "decay-rate", r->decay_rate);
    add_option(text, "warmup", r->warmup);
    add_option(text, "label-smoothing", r->label_smoothing);
    add_option(text, "batch-size", (double)r->batch_size);
    add_option(text, "epochs", (double)r->epochs);
    if (r->loss_weights) {
        size_t used = strlen(text);
        snprintf(text + used, CLI_TEXT - used, " --loss-weights=%s", r->loss_weights);
    }
}

Status model_list_print(FILE *stream) {
    for (size_t i = 0; i < zoo_count; i++) {
        const ZooEntry *entry = &zoo_entries[i];
        char shape[SHAPE_TEXT], recipe[CLI_TEXT];
        double flops;
        TRY(count_flops(entry, &flops));
        bool many = flops >= 1e9;
        fprintf(stream, "%-18s %9zu parameters %7.4g %cFLOP  %s, %zu classes\n    ", entry->name, entry->parameters,
                flops / (many ? 1e9 : 1e6), many ? 'G' : 'M', shape_format(&entry->input, shape), entry->classes);
        cli_wrapped(stream, entry->source, 4, 4);
        fputs("    ", stream);
        format_recipe(entry->recipe, recipe);
        cli_wrapped(stream, recipe, 4, 4);
    }
    return STATUS_OK;
}
