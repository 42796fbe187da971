/* SPDX-License-Identifier: Apache-2.0
 *
 * Between image.c, which knows the rules, and the decoders, one file for each library. */
#ifndef IO_IMAGE_INTERNAL_H
#define IO_IMAGE_INTERNAL_H
#include "io/image.h"

typedef struct ImageSource {
    const unsigned char *bytes;
    size_t size;
    const char *name;          /* for messages */
    const ImageTarget *target; /* all that will be read of the pixels; NULL: they all may be */
} ImageSource;

/* The columns low .. high-1 of height x width pixels are all that image_resize to `target` reads. */
void image__columns(const ImageTarget *target, size_t height, size_t width, size_t *low, size_t *high);

/* A decoder: fills *info from the header (sizes as stored, not yet upright), and unless `out` is NULL decodes to
 * `channels` (0: info->channels), as stored. */
typedef Status ImageDecoder(const ImageSource *source, size_t channels, ImageInfo *info, Image *out);
ImageDecoder image__jpeg, image__png, image__webp;

/* Room for a picture with `channels` samples per pixel, 1 .. 4, if its size is within the limits. */
Status image__make_room(const char *name, size_t height, size_t width, size_t channels, Image *out);

/* Samples of a pixel become 1 or 3, in place: of 4 and 2 the last one is alpha. */
void image__convert(Image *image, size_t channels);

/* The orientation (1 .. 8) that a block of EXIF data, a TIFF header and what follows, gives; 1 if it gives none. */
int image__orientation(const unsigned char *exif, size_t size);

/* "NAME is damaged: WHY" */
Status image__damaged(const char *name, const char *why);

/* "NAME is a FORMAT picture, and this program was built without LIBRARY ..." */
Status image__no_decoder(const char *name, const char *format, const char *library, const char *package);

#endif
