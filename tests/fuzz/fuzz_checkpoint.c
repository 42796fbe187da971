/* SPDX-License-Identifier: Apache-2.0
 *
 * Our checkpoints, whose checksum is right and whose content is not: each input gets its trailer. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "io/checkpoint.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Checkpoint *checkpoint;
    uint8_t *sealed;
    unsigned char trailer[CHECKPOINT_TRAILER];
    if (memory_new(&sealed, size + CHECKPOINT_TRAILER, "image") != STATUS_OK)
        return 0;
    memcpy(sealed, data, size);
    if (checkpoint_seal(data, size, trailer) == STATUS_OK) {
        memcpy(sealed + size, trailer, sizeof trailer);
        if (checkpoint_read(fuzz_path(sealed, size + sizeof trailer), CHECKPOINT_OURS, &checkpoint) == STATUS_OK)
            checkpoint_destroy(checkpoint);
    }
    memory_free(sealed);
    return 0;
}
