/* SPDX-License-Identifier: Apache-2.0
 *
 * One import, by any number of processes that see the same folder:
 *
 *     all     import_job_create, which opens the sources
 *     one     import_job_begin: makes OUTPUT.part, or finds one that a killed import of the same left, and goes on with
 *             it
 *     all     import_job_join, then import_job_work(job, rank, ranks)
 *     one     import_job_finish: makes OUTPUT of it; or import_job_give_up
 *     all     import_job_destroy
 *
 * OUTPUT.part is an HDF5 file with all arrays in place, of full size, flat: an example's bytes are written where they
 * belong, without HDF5, in any order, so the file's bytes do not depend on who wrote which.  OUTPUT.part.journal says
 * which examples are there, a byte each; it is told so when they are on the disk, every some seconds.  So a process may
 * be killed, or its computer fail, at any moment.  At the end the file is verified as a dataset and renamed.  If
 * examples had to be left out, it is first copied without their rows, and the attribute `skipped` lists them, and files
 * that the kind left out (ImportSource). */
#ifndef DATA_IMPORT_JOB_H
#define DATA_IMPORT_JOB_H
#include "data/import.h"

typedef struct ImportJob ImportJob;

/* Opens the sources and settles what goes where.  `options` is borrowed.  STATUS_USAGE, STATUS_FAILED: as the kind's
 * open; contradictory options; output exists without force. */
Status import_job_create(const ImportKind *kind, const ImportOptions *options, ImportJob **out);
void import_job_destroy(ImportJob *job); /* accepts NULL */

/* *done = examples that are there already (0: it begins anew).  A .part of another import is replaced; when it held
 * anything, a warning says so.  STATUS_FAILED: cannot be written, no room on the disk, another process imports to this
 * output. */
Status import_job_begin(ImportJob *job, size_t *done);

/* STATUS_FAILED: the file that `begin` made cannot be seen here. */
Status import_job_join(ImportJob *job);

/* Examples of all splits; how many this process has to do, and has done by now. */
size_t import_job_count(const ImportJob *job);
size_t import_job_done(const ImportJob *job);

typedef void ImportProgress(void *context, const ImportJob *job);

/* Reads and writes what is missing of every ranks-th block of examples from block `rank` on, by so many threads; calls
 * `progress` (NULL: nobody) in this thread now and then.
 * STATUS_FAILED: an example cannot be read and skip was not asked for; cannot write.  The other processes then stop,
 * too, and return STATUS_OK; what is done stays. */
Status import_job_work(ImportJob *job, size_t rank, size_t ranks, size_t threads, ImportProgress *progress,
                       void *context);

/* When all have worked: OUTPUT, in place; *skipped = how many were left out, each told by a warning.
 * STATUS_FAILED: nothing is left, the dataset is not right, cannot be written; .part stays unless give_up. */
Status import_job_finish(ImportJob *job, size_t *skipped);

/* Removes OUTPUT.part and its journal. */
void import_job_give_up(ImportJob *job);

#endif
