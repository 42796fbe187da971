/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that help with a list of pieces of work, such as decoding the pictures of a batch.
 *
 *     TRY(crew_create(3, "decodes pictures", &crew));
 *     TRY(crew_run(crew, n, decode_one, &batch));     // decode_one(&batch, 0 .. n-1), by this thread and the three
 *     crew_destroy(crew); */
#ifndef BASE_CREW_H
#define BASE_CREW_H
#include "base/status.h"
#include <stddef.h>

typedef struct Crew Crew;
typedef Status CrewWork(void *context, size_t piece);

/* Starts `helpers` threads, 0 or more, that sleep until there is work; `does` is for messages.  STATUS_FAILED: no
 * memory, no room for a thread. */
Status crew_create(size_t helpers, const char *does, Crew **out);
void crew_destroy(Crew *crew); /* nobody may be in crew_run; accepts NULL */

/* Calls work(context, i) for i = 0 .. count-1, each once, in any order and by several threads at once, and returns when
 * all have come back.  After a failure no more pieces are begun; returns that of the lowest piece that failed.  crew
 * NULL: this thread alone.  One caller at a time. */
Status crew_run(Crew *crew, size_t count, CrewWork *work, void *context);

#endif
