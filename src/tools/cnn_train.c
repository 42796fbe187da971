/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_train: trains, resumes, fine-tunes a network on the ranks that mpirun or srun starts. */
#include "base/log.h"
#include "model/zoo/zoo.h"
#include "train/program.h"
#include "train/trainer.h"
#include <stdio.h>

static void list_models(void) {
    for (size_t i = 0; i < zoo_count; i++) {
        const ZooEntry *entry = &zoo_entries[i];
        char shape[SHAPE_TEXT];
        const ZooRecipe *r = entry->recipe;
        printf("%s\n    %s\n    %zu parameters at %s, %zu classes\n", entry->name, entry->source, entry->parameters,
               shape_format(&entry->input, shape), entry->classes);
        printf("    --optimizer %s --lr %g --momentum %g --weight-decay %g --schedule %s", r->optimizer, r->lr,
               r->momentum, r->weight_decay, r->schedule);
        if (r->decay_epochs > 0)
            printf(" --decay-epochs %g", r->decay_epochs);
        printf("\n    --label-smoothing %g --batch-size %zu --epochs %zu\n", r->label_smoothing, r->batch_size,
               r->epochs);
    }
}

/* The command line, on rank 0; then the same on all. */
static Status get_config(Dist *dist, int argc, char **argv, Config *config, bool *exit_now) {
    Status status = STATUS_OK;
    if (dist_rank(dist) == 0)
        status = config_parse(argc, argv, config, exit_now);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, exit_now, sizeof *exit_now);
    dist_broadcast(dist, config, sizeof *config);
    return STATUS_OK;
}

static Status run(Dist *dist, int argc, char **argv) {
    static Config config;
    bool exit_now = false;
    TRY(get_config(dist, argc, argv, &config, &exit_now));
    log_set_level(config.quiet ? LOG_QUIET : config.verbose ? LOG_VERBOSE : LOG_NORMAL);
    if (config.list_models && dist_rank(dist) == 0)
        list_models();
    if (exit_now || config.list_models)
        return STATUS_OK;
    return trainer_run(dist, &config);
}

int main(int argc, char **argv) {
    return program_run("cnn_train", run, argc, argv);
}
