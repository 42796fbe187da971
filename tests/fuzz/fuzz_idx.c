/* SPDX-License-Identifier: Apache-2.0
 *
 * idx files, plain and packed by gzip. */
#include "data/format_idx.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FormatIdx *file;
    if (format_idx_open(fuzz_path(data, size), &file) != STATUS_OK)
        return 0;
    uint8_t row[4096];
    Shape shape = format_idx_shape(file);
    size_t row_size = 1, rows = shape.dim[0];
    for (size_t i = 1; i < shape.rank; i++)
        row_size *= shape.dim[i];
    if (row_size <= sizeof row)
        while (rows > 0 && format_idx_read(file, 1, row) == STATUS_OK)
            rows--;
    if (rows == 0)
        (void)format_idx_at_end(file);
    format_idx_close(file);
    return 0;
}
