/* SPDX-License-Identifier: Apache-2.0 */
#include "support/import_all.h"
#include <stdio.h>

ImportOptions import_options(const char *output, size_t count, const char *const paths[]) {
    ImportOptions options = {.window = 25, .hop = 10, .seconds = 1, .bands = 40};
    snprintf(options.output, sizeof options.output, "%s", output);
    options.paths = (char *const *)paths; /* only read */
    options.path_count = count;
    return options;
}

static Status work(ImportJob *job, size_t ranks, size_t *skipped) {
    size_t done;
    TRY(import_job_begin(job, &done));
    TRY(import_job_join(job));
    for (size_t rank = 0; rank < ranks; rank++)
        TRY(import_job_work(job, rank, ranks, 2, NULL, NULL));
    return import_job_finish(job, skipped);
}

Status import_all(const char *kind, const ImportOptions *options, size_t ranks, size_t *skipped) {
    ImportJob *job;
    size_t left_out;
    TRY(import_job_create(import_find(kind), options, &job));
    Status status = work(job, ranks, skipped ? skipped : &left_out);
    if (status != STATUS_OK)
        import_job_give_up(job);
    import_job_destroy(job);
    return status;
}
