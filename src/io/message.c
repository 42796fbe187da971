/* SPDX-License-Identifier: Apache-2.0 */
#include "io/message.h"
#include "base/memory.h"
#include <string.h>

enum { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5, VARINT_MOST = 10 };

/* ---- writing ---- */

/* Room for `size` more bytes, of which the first is returned; NULL after a failure. */
static unsigned char *grow(Message *m, size_t size) {
    if (m->status == STATUS_OK)
        m->status = memory_grow(&m->bytes, m->size, size, "message");
    if (m->status != STATUS_OK)
        return NULL;
    m->size += size;
    return m->bytes + m->size - size;
}

void message_raw(Message *m, const void *bytes, size_t size) {
    unsigned char *to = grow(m, size);
    if (to && size > 0)
        memcpy(to, bytes, size);
}

/* Seven bits a byte, the lowest first; returns how many bytes. */
static size_t put_varint(unsigned char text[VARINT_MOST], uint64_t value) {
    size_t n = 0;
    for (; value >= 128; value >>= 7)
        text[n++] = (unsigned char)(value | 128);
    text[n++] = (unsigned char)value;
    return n;
}

static void varint(Message *m, uint64_t value) {
    unsigned char text[VARINT_MOST];
    message_raw(m, text, put_varint(text, value));
}

static void tag(Message *m, unsigned field, unsigned wire) {
    varint(m, (uint64_t)field * 8 + wire);
}

/* The lowest `size` bytes of `bits`, the lowest first. */
static void fixed(Message *m, uint64_t bits, size_t size) {
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    message_raw(m, bytes, size);
}

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void message_integer(Message *m, unsigned field, int64_t value) {
    tag(m, field, VARINT);
    varint(m, (uint64_t)value);
}

void message_double(Message *m, unsigned field, double value) {
    tag(m, field, EIGHT_BYTES);
    fixed(m, double_bits(value), 8);
}

void message_float(Message *m, unsigned field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    tag(m, field, FOUR_BYTES);
    fixed(m, bits, 4);
}

void message_bytes(Message *m, unsigned field, const void *bytes, size_t size) {
    tag(m, field, LENGTH);
    varint(m, size);
    message_raw(m, bytes, size);
}

void message_text(Message *m, unsigned field, const char *text) {
    message_bytes(m, field, text, strlen(text));
}

void message_doubles(Message *m, unsigned field, const double *values, size_t count) {
    size_t begun = message_begin(m, field);
    for (size_t i = 0; i < count; i++)
        fixed(m, double_bits(values[i]), 8);
    message_end(m, begun);
}

size_t message_begin(Message *m, unsigned field) {
    tag(m, field, LENGTH);
    return m->size;
}

/* The length is known only now: what stands behind its place moves on. */
void message_end(Message *m, size_t begun) {
    unsigned char text[VARINT_MOST];
    if (m->status != STATUS_OK)
        return;
    size_t size = m->size - begun, n = put_varint(text, size);
    if (grow(m, n) == NULL)
        return;
    memmove(m->bytes + begun + n, m->bytes + begun, size);
    memcpy(m->bytes + begun, text, n);
}

/* ---- reading ---- */

static int get_varint(const unsigned char *bytes, size_t size, size_t *at, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < VARINT_MOST && *at < size; i++) {
        unsigned char byte = bytes[(*at)++];
        *value |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128)
            return 1;
    }
    return 0;
}

static int get_fixed(const unsigned char *bytes, size_t size, size_t *at, size_t count, uint64_t *value) {
    *value = 0;
    if (size - *at < count)
        return 0;
    for (size_t i = 0; i < count; i++)
        *value |= (uint64_t)bytes[(*at)++] << 8 * i;
    return 1;
}

int message_next(const unsigned char *bytes, size_t size, size_t *at, MessageField *out) {
    uint64_t key, length;
    size_t next = *at;
    *out = (MessageField){0};
    if (next >= size || !get_varint(bytes, size, &next, &key))
        return 0;
    out->field = (unsigned)(key >> 3);
    out->wire = (unsigned)(key & 7);
    int whole = 0;
    if (out->wire == VARINT) {
        whole = get_varint(bytes, size, &next, &out->number);
    } else if (out->wire == EIGHT_BYTES || out->wire == FOUR_BYTES) {
        whole = get_fixed(bytes, size, &next, out->wire == EIGHT_BYTES ? 8 : 4, &out->number);
    } else if (out->wire == LENGTH && get_varint(bytes, size, &next, &length) && length <= size - next) {
        out->bytes = bytes + next;
        out->size = (size_t)length;
        next += out->size;
        whole = 1;
    }
    if (whole)
        *at = next;
    return whole;
}
