/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file_bytes.h"
#include "base/crash.h"
#include "base/memory.h"
#include "base/pulse.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if HAVE_ZLIB
#include <zlib.h>

/* Packed data cannot hold more than this many times their size: the limit of deflate, which is 1032.  zlib counts in
 * unsigned, so it works in pieces. */
enum { COMPRESSION_MAX = 1100, PIECE = 1 << 24, ROOM_LEAST = 1 << 16 };

/* zlib's stream over packed[size], members one after the other as gzip allows. */
static Status inflate_all(const char *path, const uint8_t *packed, size_t size, uint8_t **bytes, size_t room,
                          size_t *used, z_stream *stream) {
    size_t most = size < SIZE_MAX / COMPRESSION_MAX ? size * COMPRESSION_MAX : SIZE_MAX, taken = 0;
    for (bool more = true; more;) {
        if (*used == room && room < most) {
            size_t added = room < most - room ? room : most - room;
            TRY(memory_grow(bytes, room, added, "unpacked file"));
            room += added;
        }
        size_t give = size - taken < PIECE ? size - taken : PIECE, take = room - *used < PIECE ? room - *used : PIECE;
        stream->next_in = (uint8_t *)(uintptr_t)(packed + taken); /* only read */
        stream->avail_in = (unsigned)give;
        stream->next_out = *bytes + *used;
        stream->avail_out = (unsigned)take;
        int result = inflate(stream, Z_NO_FLUSH);
        taken += give - stream->avail_in;
        *used += take - stream->avail_out;
        if (result == Z_STREAM_END) {
            more = size - taken > 2 && packed[taken] == 0x1f && packed[taken + 1] == 0x8b; /* another member */
            if (more && inflateReset(stream) != Z_OK)
                return status_fail(STATUS_FAILED, "cannot unpack %s", path);
        } else if (result == Z_BUF_ERROR && taken == size) {
            return status_fail(STATUS_FAILED, "%s is cut off: its packed data end early. Fetch it again.", path);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return status_fail(STATUS_FAILED, "cannot unpack %s: %s", path,
                               stream->msg ? stream->msg : "its packed data are damaged");
        } else if (*used == most) {
            return status_fail(STATUS_FAILED, "cannot unpack %s: its packed data are damaged", path);
        }
        pulse();
    }
    return STATUS_OK;
}

static Status unpack(const char *path, const FileBytes *packed, FileBytes *out) {
    enum { WINDOW = 15 + 16 }; /* gzip's header, the largest window */
    const uint8_t *end = packed->at + packed->size;
    size_t room = ROOM_LEAST, used = 0;
    if (packed->size >= 18) { /* gzip's last four bytes: the size, modulo 2^32; believed if it can be */
        size_t says = (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
        if (says > room && says / COMPRESSION_MAX <= packed->size)
            room = says + 1;
    }
    z_stream stream = {0};
    uint8_t *bytes;
    TRY(memory_alloc(room, 1, "unpacked file", (void **)&bytes));
    Status status = inflateInit2(&stream, WINDOW) == Z_OK
                        ? STATUS_OK
                        : status_fail(STATUS_FAILED, "cannot unpack %s: no memory", path);
    if (status == STATUS_OK) {
        status = inflate_all(path, packed->at, packed->size, &bytes, room, &used, &stream);
        inflateEnd(&stream);
    }
    if (status == STATUS_OK)
        *out = (FileBytes){bytes, used, false};
    else
        memory_free(bytes);
    return status;
}
#else
static Status unpack(const char *path, const FileBytes *packed, FileBytes *out) {
    (void)packed, (void)out;
    return status_fail(STATUS_FAILED, "%s is packed, and this program was built without zlib. Unpack it: gzip -d %s",
                       path, path);
}
#endif

static Status map(const char *path, FileBytes *out) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    if (fd < 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    Status status = STATUS_OK;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        status = status_fail(STATUS_FAILED, "cannot open %s: it is not a file", path);
    } else if (about.st_size > 0) {
        void *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            status = status_fail(STATUS_FAILED, "cannot read %s: %s", path, strerror(errno));
        else {
            *out = (FileBytes){at, (size_t)about.st_size, true};
            crash_map(path, at, out->size);
        }
    }
    close(fd);
    return status;
}

Status file_bytes_open(const char *path, FileBytes *out) {
    FileBytes packed = {0};
    *out = (FileBytes){0};
    TRY(map(path, &packed));
    if (packed.size < 2 || packed.at[0] != 0x1f || packed.at[1] != 0x8b) {
        *out = packed;
        return STATUS_OK;
    }
    Status status = unpack(path, &packed, out);
    file_bytes_close(&packed);
    return status;
}

void file_bytes_close(FileBytes *bytes) {
    if (bytes->mapped) {
        crash_unmap(bytes->at);
        munmap((void *)(uintptr_t)bytes->at, bytes->size);
    } else {
        memory_free((void *)(uintptr_t)bytes->at);
    }
    *bytes = (FileBytes){0};
}
