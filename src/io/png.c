/* SPDX-License-Identifier: Apache-2.0 */
#include "io/png.h"
#include "base/memory.h"
#include "io/file.h"
#include <stdbool.h>
#if HAVE_PNG
#include <png.h>

Status png_write_rgb(const char *path, const uint8_t *rgb, size_t height, size_t width) {
    png_image image = {.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = 0;
    unsigned char *bytes = NULL;
    if (height < 1 || width < 1 || height > INT32_MAX / 3 / width)
        return status_fail(STATUS_FAILED, "cannot write %s: a picture of %zu x %zu pixels", path, height, width);
    image.height = (png_uint_32)height;
    image.width = (png_uint_32)width;
    /* The first call only counts the bytes. */
    Status status = STATUS_OK;
    bool made = png_image_write_to_memory(&image, NULL, &size, 0, rgb, 0, NULL);
    if (made)
        status = memory_alloc(size, 1, "picture", (void **)&bytes);
    if (made && status == STATUS_OK)
        made = png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL);
    if (!made)
        status = status_fail(STATUS_FAILED, "cannot write %s: libpng: %s", path, image.message);
    if (status == STATUS_OK)
        status = file_write(path, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    return status;
}

#else

Status png_write_rgb(const char *path, const uint8_t *rgb, size_t height, size_t width) {
    (void)rgb, (void)height, (void)width;
    return status_fail(STATUS_FAILED,
                       "cannot write %s: this program was built without libpng (Debian: libpng-dev); install it and "
                       "build again",
                       path);
}

#endif
