/* SPDX-License-Identifier: Apache-2.0
 *
 * The container of .keras files: every entry that is read of it, and what can be read is written and read again. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "io/keras_zip.h"
#include <string.h>

static void write_and_read(const KerasZipEntry *entry) {
    unsigned char *image, *again = NULL;
    size_t size, again_size = 0;
    if (keras_zip_image(1, entry, &image, &size) != STATUS_OK ||
        keras_zip_read("written", image, size, entry->name, SIZE_MAX, &again, &again_size) != STATUS_OK)
        fuzz_fail(status_message());
    if (again == NULL || again_size != entry->size || memcmp(again, entry->bytes, again_size) != 0)
        fuzz_fail("an entry changes when it is written and read");
    memory_free(again);
    memory_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"config.json", "metadata.json", "model.weights.h5"};
    for (size_t i = 0; keras_zip_is(data, size) && i < 3; i++) {
        KerasZipEntry entry = {.name = names[i]};
        unsigned char *bytes;
        if (keras_zip_read("fuzz.keras", data, size, names[i], 1 << 20, &bytes, &entry.size) != STATUS_OK || !bytes)
            continue;
        entry.bytes = bytes;
        write_and_read(&entry);
        memory_free(bytes);
    }
    return 0;
}
