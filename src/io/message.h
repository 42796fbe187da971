/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol-buffer messages, written field by field: "Encoding", protobuf.dev/programming-guides/encoding.  A field is a
 * tag, number * 8 + wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes), then the value.
 *
 *     Message m = {0};
 *     message_integer(&m, 1, 7);
 *     size_t inner = message_begin(&m, 2);    a message within the message
 *     message_text(&m, 1, "x");
 *     message_end(&m, inner);
 *     if (m.status == STATUS_OK) ... m.bytes, m.size
 *     memory_free(m.bytes);
 *
 * A failure to allocate stays in `status`, and what is added after it is nothing: one look at the end is enough. */
#ifndef IO_MESSAGE_H
#define IO_MESSAGE_H
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct Message {
    unsigned char *bytes; /* owned */
    size_t size;
    Status status;
} Message;

/* int32, int64, uint64, bool, enum.  Negative ones as two's complement: ten bytes. */
void message_integer(Message *message, unsigned field, int64_t value);
void message_double(Message *message, unsigned field, double value);
void message_float(Message *message, unsigned field, float value);

/* bytes, string, a message that is ready; repeated numbers in the packed form. */
void message_bytes(Message *message, unsigned field, const void *bytes, size_t size);
void message_text(Message *message, unsigned field, const char *text);
void message_doubles(Message *message, unsigned field, const double *values, size_t count);

/* What is added between the two belongs to a message within, field `field`.  They nest. */
size_t message_begin(Message *message, unsigned field);
void message_end(Message *message, size_t begun);

/* Bytes as they are. */
void message_raw(Message *message, const void *bytes, size_t size);

/* ---- reading ---- */

typedef struct MessageField {
    unsigned field, wire;
    uint64_t number;            /* wire 0, 1, 5: the value, or its bits */
    const unsigned char *bytes; /* wire 2: borrowed from the message */
    size_t size;
} MessageField;

/* *out = the field at *at of `bytes`, and *at is moved behind it.  False: the end, or no field that is whole (then *at
 * is not `size`).  Checks every length: for files that nobody vouches for. */
int message_next(const unsigned char *bytes, size_t size, size_t *at, MessageField *out);

#endif
