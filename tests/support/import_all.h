/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_IMPORT_ALL_H
#define TESTS_IMPORT_ALL_H
#include "data/import_job.h"

/* Options with an output and these paths after the kind; the rest as on a command line that says nothing. */
ImportOptions import_options(const char *output, size_t count, const char *const paths[]);

/* The whole import, by so many processes in turn, which are this one; a failed one is given up. */
Status import_all(const char *kind, const ImportOptions *options, size_t ranks, size_t *skipped);

#endif
