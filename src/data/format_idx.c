/* SPDX-License-Identifier: Apache-2.0 */
#include "data/format_idx.h"
#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#if HAVE_ZLIB
#include <zlib.h>
#endif

/* A packed file cannot hold more than this many times its size: the limit of deflate, which is 1032. */
enum { COMPRESSION_MAX = 1100, HEADER_MAX = 4 + 4 * 4 };

/* ---- bytes of a file, unpacked ---- */

typedef struct Stream {
    bool packed;
    uint64_t size; /* of the file as it is */
#if HAVE_ZLIB
    gzFile file; /* reads plain files, too */
#else
    FILE *file;
#endif
} Stream;

static Status open_stream(const char *path, Stream *stream) {
    unsigned char magic[2] = {0};
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        fclose(file);
        return status_fail(STATUS_FAILED, "cannot open %s: it is not a file", path);
    }
    stream->size = (uint64_t)about.st_size;
    stream->packed = fread(magic, 1, 2, file) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
#if HAVE_ZLIB
    fclose(file);
    stream->file = gzopen(path, "rb");
    if (stream->file == NULL)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, errno ? strerror(errno) : "out of memory");
#else
    if (stream->packed) {
        fclose(file);
        return status_fail(STATUS_FAILED,
                           "%s is packed, and this program was built without zlib. Unpack it: gzip -d %s", path, path);
    }
    rewind(file);
    stream->file = file;
#endif
    return STATUS_OK;
}

static void close_stream(Stream *stream) {
    if (stream->file == NULL)
        return;
#if HAVE_ZLIB
    gzclose(stream->file);
#else
    fclose(stream->file);
#endif
}

/* *got < size only at the end of the file. */
static Status read_stream(Stream *stream, const char *path, size_t size, void *out, size_t *got) {
    *got = 0;
    while (*got < size) {
        size_t ask = size - *got < 1u << 30 ? size - *got : 1u << 30; /* zlib counts in unsigned */
#if HAVE_ZLIB
        int error = Z_OK, result = gzread(stream->file, (char *)out + *got, (unsigned)ask);
        const char *reason = gzerror(stream->file, &error);
        if (error == Z_BUF_ERROR)
            return status_fail(STATUS_FAILED, "%s is cut off: its packed data end early. Fetch it again.", path);
        if (result < 0 || (error != Z_OK && error != Z_STREAM_END))
            return status_fail(STATUS_FAILED, "cannot unpack %s: %s", path,
                               error == Z_ERRNO ? strerror(errno) : reason);
        size_t part = (size_t)result;
#else
        size_t part = fread((char *)out + *got, 1, ask, stream->file);
        if (ferror(stream->file))
            return status_fail(STATUS_FAILED, "cannot read %s: %s", path, strerror(errno));
#endif
        if (part == 0)
            break;
        *got += part;
    }
    return STATUS_OK;
}

/* ---- one idx file ---- */

struct FormatIdx {
    char *path; /* owned */
    Stream stream;
    size_t count;
    Shape shape;
    size_t width; /* bytes of one entry */
    size_t read;  /* entries read so far */
};

static uint32_t big_endian(const uint8_t byte[4]) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static Status read_header(FormatIdx *file) {
    uint8_t header[HEADER_MAX];
    size_t got, bytes;
    TRY(read_stream(&file->stream, file->path, 4, header, &got));
    if (got < 4 || header[0] != 0 || header[1] != 0 || header[3] < 1)
        return status_fail(STATUS_FAILED, "%s is not an idx file: its magic number is wrong", file->path);
    if (header[2] != 8 || header[3] > 4)
        return status_fail(STATUS_FAILED,
                           "%s is an idx file of type 0x%02x with %d dimensions; only uint8 (0x08) with 1 to "
                           "4 dimensions can be read",
                           file->path, header[2], header[3]);
    size_t rank = header[3];
    TRY(read_stream(&file->stream, file->path, 4 * rank, header + 4, &got));
    if (got < 4 * rank)
        return status_fail(STATUS_FAILED, "%s is cut off: it ends in its header", file->path);
    file->count = big_endian(header + 4);
    file->shape.rank = rank - 1;
    file->width = 1;
    for (size_t i = 0; i + 1 < rank; i++) {
        file->shape.dim[i] = big_endian(header + 8 + 4 * i);
        if (!memory_multiply(file->width, file->shape.dim[i], &file->width))
            return status_fail(STATUS_FAILED, "%s is damaged: its extents are too large", file->path);
    }
    if (!memory_multiply(file->count, file->width, &bytes) || bytes > SIZE_MAX / 2)
        return status_fail(STATUS_FAILED, "%s is damaged: its extents are too large", file->path);
    if (bytes == 0)
        return status_fail(STATUS_FAILED, "%s holds no examples", file->path);
    uint64_t whole = bytes + 4 + 4 * rank;
    if (file->stream.packed ? whole / COMPRESSION_MAX > file->stream.size : whole != file->stream.size)
        return status_fail(STATUS_FAILED, "%s should be %llu bytes long by its header, and %s %llu. Fetch it again.",
                           file->path, (unsigned long long)whole, file->stream.packed ? "cannot be in" : "is",
                           (unsigned long long)file->stream.size);
    return STATUS_OK;
}

Status format_idx_open(const char *path, FormatIdx **out) {
    FormatIdx *file;
    *out = NULL;
    TRY(memory_new(&file, 1, "idx file"));
    Status status = memory_strdup(path, &file->path);
    if (status == STATUS_OK)
        status = open_stream(path, &file->stream);
    if (status == STATUS_OK)
        status = read_header(file);
    if (status == STATUS_OK)
        *out = file;
    else
        format_idx_close(file);
    return status;
}

void format_idx_close(FormatIdx *file) {
    if (file == NULL)
        return;
    close_stream(&file->stream);
    memory_free(file->path);
    memory_free(file);
}

size_t format_idx_count(const FormatIdx *file) {
    return file->count;
}

Shape format_idx_shape(const FormatIdx *file) {
    return file->shape;
}

Status format_idx_read(FormatIdx *file, size_t n, uint8_t *out) {
    size_t got;
    TRY(read_stream(&file->stream, file->path, n * file->width, out, &got));
    file->read += got / file->width;
    if (got < n * file->width)
        return status_fail(STATUS_FAILED, "%s is cut off: it ends after %zu of %zu examples", file->path, file->read,
                           file->count);
    return STATUS_OK;
}

Status format_idx_at_end(FormatIdx *file) {
    size_t got;
    char byte;
    TRY(read_stream(&file->stream, file->path, 1, &byte, &got));
    return got == 0 ? STATUS_OK
                    : status_fail(STATUS_FAILED, "%s goes on after its %zu examples: header and content disagree",
                                  file->path, file->count);
}
