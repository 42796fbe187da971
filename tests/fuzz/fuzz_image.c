/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures: JPEG, PNG, WebP; and resizing what comes of them. */
#include "fuzz/fuzz.h"
#include "io/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Image image = {0}, small = {0};
    ImageInfo info;
    size_t channels = size % 2 ? 3 : 0;
    bool known = image_info(data, size, "input", &info) == STATUS_OK;
    if (known && info.height * info.width > 1 << 20) /* time, not a limit of the decoders */
        return 0;
    if (image_decode(data, size, "input", channels, &image) == STATUS_OK) {
        if (!known || image.height != info.height || image.width != info.width)
            fuzz_fail("header and picture are of different sizes");
        if (image_resize(&image, 5, 9, (ImageFit)(size % IMAGE_FITS), &small) != STATUS_OK)
            fuzz_fail("a picture cannot be resized");
    }
    image_free(&image);
    image_free(&small);
    return 0;
}
