/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG files, read back by libpng alone; for builds with HAVE_PNG. */
#ifndef SUPPORT_PICTURE_H
#define SUPPORT_PICTURE_H
#include "support/assert_status.h"
#include <png.h>
#include <stdlib.h>

/* The picture's pixels [height][width][channels], 3 or with alpha 4; the caller frees.  Fails the test when it is no
 * such picture. */
static inline uint8_t *picture_read_as(const char *path, size_t height, size_t width, size_t channels) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.height, height);
    assert_int_equal(image.width, width);
    assert_true(channels == 3 || (image.format & PNG_FORMAT_FLAG_ALPHA) != 0);
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
    uint8_t *rgb = malloc(height * width * channels);
    assert_non_null(rgb);
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    return rgb;
}

static inline uint8_t *picture_read(const char *path, size_t height, size_t width) {
    return picture_read_as(path, height, width, 3);
}

#endif
