/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that options name and that decide results: the network's (--model net.json) and the class weights'
 * (--class-weights weights.json).  The checkpoint keeps the SHA-256 that they had when the run began, so that a resume
 * knows the same file under another name, and names one that has changed.  Not collective. */
#ifndef TRAIN_RECORD_FILES_H
#define TRAIN_RECORD_FILES_H
#include "train/config.h"

/* *json = {"model": "SHA-256", ...} of the files that the options of a new run name; {} for none.  The caller frees
 * with memory_free. */
Status record_files(const Config *config, char **json);

/* Compares them on a resume from `origin`; json: what its checkpoint says, NULL or "" in old ones.  An option of
 * `config` that names the same content at another place takes the place of saved's, so that config_resume sees no
 * difference.  STATUS_FAILED: a file that the run reads again, or that was given again, is not what it was; the message
 * names it. */
Status record_files_compare(const Config *config, Config *saved, const char *json, const char *origin);

#endif
