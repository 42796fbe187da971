/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of Keras: HDF5 of all kinds, and zip. */
#include "fuzz/fuzz.h"
#include "io/checkpoint.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Checkpoint *checkpoint;
    Model *model;
    if (checkpoint_read(fuzz_path(data, size), CHECKPOINT_ANY, &checkpoint) != STATUS_OK)
        return 0;
    if (checkpoint->model_config != NULL && model_parse(checkpoint->model_config, "fuzz.h5", &model) == STATUS_OK)
        model_destroy(model);
    checkpoint_destroy(checkpoint);
    return 0;
}
