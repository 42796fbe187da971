/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets in HDF5. */
#include "data/dataset.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Dataset *dataset;
    if (dataset_open(fuzz_path(data, size), &dataset) == STATUS_OK)
        dataset_close(dataset);
    return 0;
}
