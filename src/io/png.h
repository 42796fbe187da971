/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing pictures as PNG files, by libpng (image_png.c reads them); a build without libpng has the function, which
 * fails. */
#ifndef IO_PNG_H
#define IO_PNG_H
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Replaces `path` by a picture of height x width pixels, rgb[height][width][3] from the top left one on: atomically and
 * durably, as io/file.h says.  Not collective.
 * STATUS_FAILED: cannot write, out of memory, built without libpng, or more than 2^31 bytes of pixels. */
Status png_write_rgb(const char *path, const uint8_t *rgb, size_t height, size_t width);

#endif
