/* SPDX-License-Identifier: Apache-2.0 */
#include "train/program.h"
#include "backend/select.h"
#include "base/log.h"

int program_run(const char *name, ProgramWork *work, int argc, char **argv) {
    Dist *dist;
    backend_fix_cpu(argv);
    log_set_program(name);
    Status status = dist_init(&argc, &argv, &dist);
    if (status != STATUS_OK) {
        log_error("%s", status_message());
        return (int)status;
    }
    status = work(dist, argc, argv);
    dist_finish(dist);
    return (int)status;
}
