/* SPDX-License-Identifier: Apache-2.0
 *
 * How like two names are: for "did you mean" in messages. */
#ifndef BASE_EDIT_DISTANCE_H
#define BASE_EDIT_DISTANCE_H
#include <stddef.h>

/* Edit distance with transposition of neighbours (optimal string alignment); 40 for texts longer than that. */
size_t edit_distance(const char *a, const char *b);

#endif
