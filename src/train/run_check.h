/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the files of a run folder are whole and belong together: cnn_inspect RUN --verify.  Not collective. */
#ifndef TRAIN_RUN_CHECK_H
#define TRAIN_RUN_CHECK_H
#include "base/status.h"

/* Reads every file of the run and prints a line of each to stdout:
 *
 *     ok        a checkpoint whose checksum and state are right and whose name is that of its step; config.json that
 *               can be read; metrics.csv that begins with the rows of the newest checkpoint's history; files of events
 *     damaged   any that is not, or is missing; the line says why
 *     torn      a file of events that ends in half a record: a resume cuts it
 *     old       set aside by a resume; leftover: of a process that was killed, removed by the next one
 *
 * STATUS_FAILED: one is damaged, and the message says how many and which checkpoint a resume takes; or there is no
 * checkpoint. */
Status run_check(const char *folder);

#endif
