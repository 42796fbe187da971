/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound files, by way of libsndfile. */
#include "fuzz/fuzz.h"
#include "io/sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Sound sound;
    if (sound_read(fuzz_path(data, size), 0.1, &sound) == STATUS_OK)
        sound_free(&sound);
    return 0;
}
