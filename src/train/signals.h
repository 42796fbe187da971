/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to stop from outside.  A signal only sets a flag; ranks agree on it in the exchange of the next step, or,
 * where they validate or compute features, leave that at the next block and agree at its end. */
#ifndef TRAIN_SIGNALS_H
#define TRAIN_SIGNALS_H
#include <stdbool.h>

/* SIGINT, SIGTERM, SIGUSR1, SIGUSR2 ask to save and stop.  A second one of SIGINT and SIGTERM ends the process at
 * once. */
void signals_catch(void);

/* Has this rank been asked? */
bool signals_stop_requested(void);

#endif
