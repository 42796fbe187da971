/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_train without its main(): sets a run up from its options, trains, evaluates, writes checkpoints. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H
#include "dist/dist.h"
#include "train/config.h"

/* Runs what `config` asks for, the same on all ranks (config_parse, broadcast).  Collective.
 * STATUS_STOPPED: stopped early on request, with a checkpoint.  Failures of a phase have been agreed on and printed by
 * the lowest failing rank. */
Status trainer_run(Dist *dist, Config *config);

#endif
