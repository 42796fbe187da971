/* SPDX-License-Identifier: Apache-2.0 */
#include "io/npy.h"
#include "base/memory.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 1 << 16 };

/* ---- the header: a Python dictionary with three known keys ---- */

typedef struct Reader {
    const char *at;
    bool failed;
} Reader;

static void skip_blanks(Reader *r) {
    while (isspace((unsigned char)*r->at))
        r->at++;
}

/* Takes `text`; false: something else stands there. */
static bool take(Reader *r, const char *text) {
    skip_blanks(r);
    if (strncmp(r->at, text, strlen(text)) != 0)
        return false;
    r->at += strlen(text);
    return true;
}

static void need(Reader *r, const char *text) {
    r->failed |= !take(r, text);
}

static void read_text(Reader *r, char *out, size_t room) {
    skip_blanks(r);
    char quote = *r->at;
    size_t length = quote == '\'' || quote == '"' ? strcspn(r->at + 1, quote == '"' ? "\"" : "'") : room;
    r->failed |= length >= room || r->at[length + 1] != quote;
    if (r->failed)
        return;
    memcpy(out, r->at + 1, length);
    out[length] = '\0';
    r->at += length + 2;
}

static void read_shape(Reader *r, Npy *out) {
    need(r, "(");
    while (!r->failed && !take(r, ")")) {
        char *end;
        skip_blanks(r);
        unsigned long long extent = strtoull(r->at, &end, 10);
        if (!isdigit((unsigned char)*r->at) || out->rank == NPY_RANK_MAX || extent > SIZE_MAX / 2) {
            r->failed = true;
            return;
        }
        out->dim[out->rank++] = (size_t)extent;
        r->at = end;
        if (!take(r, ",")) {
            need(r, ")");
            return;
        }
    }
}

static void read_header(Reader *r, Npy *out, char type[32], bool *fortran) {
    int seen = 0;
    need(r, "{");
    while (!r->failed && !take(r, "}")) {
        char key[32] = "";
        read_text(r, key, sizeof key);
        need(r, ":");
        if (r->failed)
            return;
        if (strcmp(key, "descr") == 0) {
            read_text(r, type, 32);
            seen |= 1;
        } else if (strcmp(key, "fortran_order") == 0) {
            *fortran = take(r, "True");
            r->failed |= !*fortran && !take(r, "False");
            seen |= 2;
        } else if (strcmp(key, "shape") == 0 && !(seen & 4)) {
            read_shape(r, out);
            seen |= 4;
        } else {
            r->failed = true;
        }
        take(r, ",");
    }
    r->failed |= seen != 7;
}

/* "<f4": byte order, kind, bytes. */
static Status understand_type(const char *name, const char *type, Npy *out) {
    const char *order = strchr("<>=|", type[0]), *kind = type + (order != NULL && type[0] != '\0');
    const bool little = *(const char *)&(int){1} == 1;
    if (*kind == 'O')
        return status_fail(STATUS_FAILED,
                           "%s holds Python objects, which only Python can read (it would run code in "
                           "them). Save a plain array: numpy.save(file, array.astype(\"float32\"))",
                           name);
    out->kind = *kind;
    out->size = *kind != '\0' && kind[1] >= '1' && kind[1] <= '8' && kind[2] == '\0' ? (size_t)(kind[1] - '0') : 0;
    bool whole = strchr("iu", *kind) && (out->size == 1 || out->size == 2 || out->size == 4 || out->size == 8);
    bool real = *kind == 'f' && (out->size == 2 || out->size == 4 || out->size == 8);
    if (*kind == '\0' || !(whole || real || (*kind == 'b' && out->size == 1)))
        return status_fail(STATUS_FAILED,
                           "%s holds numbers of the type \"%s\"; whole numbers, truth values and floats "
                           "of 2, 4 and 8 bytes can be read",
                           name, type);
    out->swapped = out->size > 1 && ((type[0] == '>' && little) || (type[0] == '<' && !little));
    return STATUS_OK;
}

/* Strides, and whether all is there. */
static Status lay_out(const char *name, size_t have, bool fortran, Npy *out) {
    size_t bytes = out->size;
    for (size_t n = 0; n < out->rank; n++) {
        size_t i = fortran ? n : out->rank - 1 - n;
        out->stride[i] = bytes;
        if (!memory_multiply(bytes, out->dim[i], &bytes))
            return status_fail(STATUS_FAILED, "%s is damaged: its extents are too large", name);
    }
    if (bytes != have)
        return status_fail(STATUS_FAILED, "%s should hold %zu bytes of numbers by its header, and holds %zu", name,
                           bytes, have);
    return STATUS_OK;
}

Status npy_open(const char *name, const uint8_t *bytes, size_t size, Npy *out) {
    char *text, type[32] = "";
    bool fortran = false;
    *out = (Npy){0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return status_fail(STATUS_FAILED, "%s is no array of NumPy (.npy), or of a version that is not known", name);
    size_t begin = bytes[6] == 1 ? 10 : 12, length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > HEADER_MOST || begin + length > size)
        return status_fail(STATUS_FAILED, "%s is damaged: it ends in its header", name);
    TRY(memory_alloc(length + 1, 1, "header", (void **)&text));
    memcpy(text, bytes + begin, length);
    Reader reader = {.at = text};
    read_header(&reader, out, type, &fortran);
    memory_free(text);
    TRY(understand_type(name, type, out));
    if (reader.failed)
        return status_fail(STATUS_FAILED, "%s is damaged: its header cannot be understood", name);
    out->data = bytes + begin + length;
    return lay_out(name, size - begin - length, fortran, out);
}

/* ---- numbers ---- */

/* IEEE 754 binary16. */
static double half_of(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -value : value;
}

static double number_at(const Npy *array, const uint8_t *at) {
    union {
        uint8_t bytes[8];
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
        uint16_t u2;
        uint32_t u4;
        uint64_t u8;
        float f4;
        double f8;
    } v = {0};
    for (size_t i = 0; i < array->size; i++)
        v.bytes[i] = at[array->swapped ? array->size - 1 - i : i];
    switch (array->kind) {
    case 'f':
        return array->size == 2 ? half_of(v.u2) : array->size == 4 ? (double)v.f4 : v.f8;
    case 'i':
        return array->size == 1 ? v.i1 : array->size == 2 ? v.i2 : array->size == 4 ? v.i4 : (double)v.i8;
    case 'b':
        return v.bytes[0] != 0;
    default:
        return array->size == 1 ? v.bytes[0] : array->size == 2 ? v.u2 : array->size == 4 ? v.u4 : (double)v.u8;
    }
}

void npy_row(const Npy *array, size_t i, double *values) {
    size_t index[NPY_RANK_MAX] = {0}, count = 1;
    const uint8_t *at = array->data + i * array->stride[0];
    for (size_t d = 1; d < array->rank; d++)
        count *= array->dim[d];
    for (size_t n = 0; n < count; n++) {
        values[n] = number_at(array, at);
        for (size_t d = array->rank - 1; d >= 1; d--) { /* the next index, as an odometer counts */
            at += array->stride[d];
            if (++index[d] < array->dim[d])
                break;
            at -= array->stride[d] * array->dim[d];
            index[d] = 0;
        }
    }
}
