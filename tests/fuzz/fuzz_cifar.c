/* SPDX-License-Identifier: Apache-2.0
 *
 * CIFAR's binary files. */
#include "base/memory.h"
#include "data/import.h"
#include "fuzz/fuzz.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static ImportOptions options;
    static uint8_t x[32 * 32 * 3];
    int64_t y;
    ImportSource source = {0};
    const ImportKind *kind = import_find(size % 3073 == 0 ? "cifar10" : "cifar100");
    char *path = (char *)(uintptr_t)fuzz_path(data, size);
    options.paths = &path;
    options.path_count = 1;
    if (kind->open(&options, NULL, 0, &source) == STATUS_OK)
        for (size_t i = 0; i < source.info.count[DATASET_TRAIN]; i++)
            (void)kind->read(&source, DATASET_TRAIN, i, x, (void *const[]){&y});
    kind->close(&source);
    return 0;
}
