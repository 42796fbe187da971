/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_train: trains, resumes, fine-tunes a network on the ranks that mpirun or srun starts. */
#include "base/log.h"
#include "train/model_list.h"
#include "train/program.h"
#include "train/signals.h"
#include "train/trainer.h"
#include <stdio.h>

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
    if (exit_now)
        return STATUS_OK;
    if (config.list_models)
        return dist_agree(dist, dist_rank(dist) == 0 ? model_list_print(stdout) : STATUS_OK);
    return trainer_run(dist, &config);
}

int main(int argc, char **argv) {
    signals_catch(); /* before MPI_Init takes its time: a warning in a job's first seconds must not end it */
    return program_run(config_program(), run, argc, argv);
}
