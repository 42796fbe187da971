/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of photographs' formats to pixels: JPEG (also grey, CMYK, YCCK, progressive), PNG (all kinds) and WebP (no
 * animations), told apart by their bytes, not by their names; and the one rule by which import, training and prediction
 * bring a picture to the size of a network.
 *
 *     Image photo = {0}, small = {0};
 *     for (each file) {
 *         TRY_GOTO(image_decode_file(path, 3, &photo), done);
 *         TRY_GOTO(image_resize(&photo, 224, 224, IMAGE_CROP, &small), done);
 *         ... small.pixels[224][224][3] ...
 *     }
 * done:
 *     image_free(&photo);
 *     image_free(&small);
 *
 * Pictures are upright (EXIF orientation is applied), transparent ones lie on white, samples of 16 bits become the
 * nearest of 8, CMYK becomes RGB without colour profiles: R = (255-C)(255-K)/255.  Grey of colours is ITU-R BT.601's
 * 0.299 R + 0.587 G + 0.114 B; of a JPEG it is the Y that is stored.  The same bytes give the same pixels on every CPU.
 *
 * Files are not trusted: a damaged or cut file is a failure, not half a picture, and sizes are checked before anything
 * is allocated by them.  Thread-safe; not collective.  STATUS_FAILED messages name the file and say what it is
 * instead. */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_SIDE_MAX = 65535, IMAGE_PIXELS_MAX = 100 * 1000 * 1000 };

/* {0} to begin with; filled again and again, it keeps its memory if that is enough.  After a failure the pixels are
 * undefined. */
typedef struct Image {
    size_t height, width, channels; /* channels: 1 or 3 */
    uint8_t *pixels;                /* owned, [height][width][channels] from the top left one on */
    size_t room;                    /* bytes of `pixels` */
} Image;

void image_free(Image *image);

typedef struct ImageInfo {
    const char *format;   /* "JPEG", "PNG", "WebP" */
    size_t height, width; /* as decoded: upright */
    size_t channels;      /* 1: grey, 3: colour */
    int orientation;      /* EXIF's, 1 .. 8; 1: stored upright */
} ImageInfo;

/* What the header of a picture of `size` bytes says; they need not be all of it.  name: the file, for messages. */
Status image_info(const void *bytes, size_t size, const char *name, ImageInfo *out);
Status image_info_file(const char *path, ImageInfo *out);

/* channels: 1 grey, 3 RGB, 0 as in the file. */
Status image_decode(const void *bytes, size_t size, const char *name, size_t channels, Image *out);
Status image_decode_file(const char *path, size_t channels, Image *out);

/* Colours become grey; grey stays. */
void image_make_grey(Image *image);

/* How a picture comes to a size of other proportions. */
typedef enum ImageFit {
    IMAGE_CROP,   /* the largest part in the middle that has them (Pillow's ImageOps.fit) */
    IMAGE_PAD,    /* all of it, in the middle of black (ImageOps.pad) */
    IMAGE_SQUASH, /* all of it, distorted (Image.resize) */
    IMAGE_FITS
} ImageFit;

/* What a picture is to become. */
typedef struct ImageTarget {
    size_t height, width;
    ImageFit fit;
} ImageTarget;

/* image_decode for image_resize to `target`: pixels that this does not read may be undefined, which saves a part of the
 * time.  Damage is found all the same. */
Status image_decode_for(const ImageTarget *target, const void *bytes, size_t size, const char *name, size_t channels,
                        Image *out);

/* "crop", "pad", "squash"; NULL at IMAGE_FITS, so that the table serves as a list of choices. */
extern const char *const image_fits[IMAGE_FITS + 1];

/* *out = `image` at height x width, resampled by a triangle as wide as an output pixel, at least two input pixels:
 * bilinear where it grows, an average where it shrinks, as Pillow's BILINEAR.  At scale s >= 1 (input pixels per output
 * pixel, of one axis) output pixel i has its centre at c = (i + 1/2) s, and input pixel j, with its centre at j + 1/2,
 * the weight max(0, 1 - |j + 1/2 - c| / s), divided by the sum of all.  Between the axes rounded to 1/256 of a unit;
 * Pillow, which rounds to whole ones there, differs by at most 1.  `out` is another image than `image`. */
Status image_resize(const Image *image, size_t height, size_t width, ImageFit fit, Image *out);

/* Is there a decoder for this kind in this program? */
bool image_reads_jpeg(void);
bool image_reads_png(void);
bool image_reads_webp(void);

#endif
