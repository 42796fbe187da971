/* SPDX-License-Identifier: Apache-2.0
 *
 * An import by all ranks and threads (data/import_job.h), with its progress: on a terminal one line that is rewritten,
 *     12345 of 60000   20 %  3456/s  0:14 left
 * elsewhere such a line about every ten seconds; at the end what was made. */
#ifndef TRAIN_IMPORTER_H
#define TRAIN_IMPORTER_H
#include "data/import.h"
#include "dist/dist.h"

/* Collective, the same arguments on all ranks.  Failures have been agreed on. */
Status importer_run(Dist *dist, const ImportKind *kind, const ImportOptions *options);

#endif
