/* SPDX-License-Identifier: Apache-2.0 */
#include "data/format_idx.h"
#include "base/memory.h"

static uint32_t big_endian(const uint8_t byte[4]) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static Status read_header(const char *path, FormatIdx *file) {
    const uint8_t *header = file->bytes.at;
    size_t size = file->bytes.size, bytes;
    if (size < 4 || header[0] != 0 || header[1] != 0 || header[3] < 1)
        return status_fail(STATUS_FAILED, "%s is not an idx file: its magic number is wrong", path);
    size_t rank = header[3], begin = 4 + 4 * rank;
    if (header[2] != 8 || rank > 4)
        return status_fail(STATUS_FAILED,
                           "%s is an idx file of type 0x%02x with %zu dimensions; only uint8 (0x08) with 1 to "
                           "4 dimensions can be read",
                           path, header[2], rank);
    if (size < begin)
        return status_fail(STATUS_FAILED, "%s is cut off: it ends in its header", path);
    file->count = big_endian(header + 4);
    file->shape.rank = rank - 1;
    file->width = 1;
    for (size_t i = 0; i + 1 < rank; i++) {
        file->shape.dim[i] = big_endian(header + 8 + 4 * i);
        if (!memory_multiply(file->width, file->shape.dim[i], &file->width))
            return status_fail(STATUS_FAILED, "%s is damaged: its extents are too large", path);
    }
    if (!memory_multiply(file->count, file->width, &bytes) || bytes > SIZE_MAX / 2)
        return status_fail(STATUS_FAILED, "%s is damaged: its extents are too large", path);
    if (bytes == 0)
        return status_fail(STATUS_FAILED, "%s holds no examples", path);
    if (size != begin + bytes)
        return status_fail(STATUS_FAILED, "%s should be %zu bytes long by its header, and is %zu%s. Fetch it again.",
                           path, begin + bytes, size, file->bytes.mapped ? "" : " unpacked");
    file->first = header + begin;
    return STATUS_OK;
}

Status format_idx_open(const char *path, FormatIdx *file) {
    *file = (FormatIdx){0};
    TRY(file_bytes_open(path, &file->bytes));
    Status status = read_header(path, file);
    if (status != STATUS_OK)
        format_idx_close(file);
    return status;
}

void format_idx_close(FormatIdx *file) {
    file_bytes_close(&file->bytes);
    *file = (FormatIdx){0};
}
