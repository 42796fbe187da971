/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of events, which TensorBoard reads.  A file is a sequence of records (TensorFlow, tsl/lib/io/record_writer.h):
 *
 *     uint64 length, uint32 masked CRC-32C of these 8 bytes, `length` bytes, uint32 masked CRC-32C of those
 *
 * little endian; masked(c) = (c >> 15 | c << 17) + 0xa282ead8 (tsl/lib/hash/crc32c.h); the polynomial is
 * Castagnoli's (RFC 3720, B.4).  A record's bytes are a message Event (tensorflow/core/util/event.proto):
 *
 *     double wall_time = 1, int64 step = 2, and one of: string file_version = 3, bytes graph_def = 4,
 *     Summary summary = 5, SessionLog session_log = 7
 *
 * io/message.h makes these.  A folder holds one file, events.out.tfevents.NNNNNN, whose number rises whenever it is
 * opened again (and an empty one of the number before): a TensorBoard that has read the old one takes the new one in
 * its place, from the beginning.  Not collective. */
#ifndef IO_EVENT_FILE_H
#define IO_EVENT_FILE_H
#include "io/message.h"
#include <stdbool.h>

enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_GRAPH = 4, EVENT_SUMMARY = 5, EVENT_SESSION = 7 };

/* Of Summary (tensorflow/core/framework/summary.proto): repeated Value value = 1; of Value: string tag = 1, and one of
 * float simple_value = 2, Image image = 4, HistogramProto histo = 5. */
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SCALAR = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5 };

typedef struct EventFile EventFile;

/* What a record says of itself: its step, and the tag of its first value ("" where it has none), not ended by '\0'. */
typedef struct EventHead {
    int64_t step;
    bool graph; /* it is a graph */
    const char *tag;
    size_t tag_size;
} EventHead;

/* Shall this record stay?  The first one that shall not goes, and all behind it. */
typedef bool EventKeep(void *user, const EventHead *head);

/* Opens the events of `folder`, which is made if need be.  Those that are there are cut at the first record that is
 * torn or that `keep` refuses (NULL: all stay); without any the file is begun.  The folder is held by this process
 * alone (io/run.h). */
Status event_file_open(const char *folder, EventKeep *keep, void *user, EventFile **out);
void event_file_close(EventFile *file); /* accepts NULL */

/* A record for `file`, at the end of `records`: message_begin of an Event of this step and of now, then what the caller
 * adds, then the end, which puts length and checksums around it. */
size_t event_begin(Message *records, int64_t step);
void event_end(Message *records, size_t begun);

/* Appends the records to the file; not synchronised.  When it fails the file is cut back to what it was, so that a
 * later call may go on. */
Status event_file_append(EventFile *file, const Message *records);

/* Walks the records of a file's bytes as far as they are whole and `keep` (NULL: all) takes them; returns where it
 * ended: `size` if that is all. */
size_t event_walk(const unsigned char *bytes, size_t size, EventKeep *keep, void *user);

/* Removes the events of `folder`, and it if nothing else is in it.  A folder that is not there is no failure. */
Status event_file_remove(const char *folder);

/* *path = the file of events in `folder`, freed with memory_free; NULL: there is none. */
Status event_file_find(const char *folder, char **path);

/* CRC-32C, masked. */
uint32_t event_checksum(const void *bytes, size_t size);

#endif
