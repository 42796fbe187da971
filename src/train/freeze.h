/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layers a run trains (--freeze, --freeze-until, --unfreeze): Keras's `trainable` of each layer, which
 * model_build turns into parameters that have a gradient or not, and batch norms that stand still or not.
 *
 * A layer goes by its name, and by the outermost network that it was read from ("resnet50": all layers of it); patterns
 * also by its path in a .weights.h5 file where it lies in a network inside ("functional/layers/conv2d_3").  Patterns
 * are those of the shell (fnmatch): "conv[1-4]_*".  Lists have commas. */
#ifndef TRAIN_FREEZE_H
#define TRAIN_FREEZE_H
#include "model/model.h"

/* Freezes the layers that one of `patterns` names, and all that come before layer `until` in the order in which the
 * layers are computed ("": no such).  STATUS_USAGE: a name that no layer has; the message lists the nearest ones. */
Status freeze_layers(Model *model, const char *patterns, const char *until);

/* Lets train what `unfreeze`, a list of NAME@EPOCH, names for epochs up to `epoch` (from 1): a layer and all that come
 * after it, or the layers of a pattern (a name with one of *?[).  *changed: a layer trains that did not.  STATUS_USAGE:
 * not of this form, or a name that no layer has. */
Status freeze_thaw(Model *model, const char *unfreeze, size_t epoch, bool *changed);

/* Warns of each NAME@EPOCH of the list that lets nothing train, of the network as it is, or only after `epochs`. */
Status freeze_check(Model *model, const char *unfreeze, size_t epochs);

/* The first epoch after `epoch` that the list names; 0: none. */
size_t freeze_next(const char *unfreeze, size_t epoch);

/* STATUS_USAGE: --OPTION NAME names no layer of the network; the message lists the nearest ones. */
Status freeze_unknown(const Model *model, const char *option, const char *name);

#endif
