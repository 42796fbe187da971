/* SPDX-License-Identifier: Apache-2.0
 *
 * idx files, plain and packed by gzip. */
#include "data/format_idx.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FormatIdx file;
    if (format_idx_open(fuzz_path(data, size), &file) != STATUS_OK)
        return 0;
    uint8_t sum = 0;
    for (size_t i = 0; i < file.count * file.width; i++)
        sum = (uint8_t)(sum + file.first[i]);
    __asm__ volatile("" : : "r"(sum)); /* read, whatever the compiler thinks of it */
    format_idx_close(&file);
    return 0;
}
