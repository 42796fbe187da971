/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading PNG by libpng (png.c writes it). */
#include "io/image_internal.h"
#include <string.h>
#if HAVE_PNG
#include <png.h>
#include <setjmp.h>
#include <stdio.h>

enum { CHUNK_BYTES_MAX = 16 << 20, CHUNKS_MAX = 256 };

typedef struct Decoder {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    char message[200]; /* why it stopped; "": it did not */
    const ImageSource *source;
    size_t at; /* bytes read */
    size_t channels;
    Image *out;
} Decoder;

/* ---- what libpng calls ---- */

static void fail(png_structp png, png_const_charp message) {
    Decoder *d = png_get_error_ptr(png);
    snprintf(d->message, sizeof d->message, "%s", message);
    longjmp(d->jump, 1);
}

static void warn(png_structp png, png_const_charp message) {
    (void)png, (void)message; /* chunks beside the pixels */
}

static void give_bytes(png_structp png, png_bytep to, size_t count) {
    Decoder *d = png_get_io_ptr(png);
    if (count > d->source->size - d->at)
        png_error(png, "it ends early");
    memcpy(to, d->source->bytes + d->at, count);
    d->at += count;
}

/* ---- steps, in which it may jump ---- */

static void read_header(Decoder *d) {
    png_set_user_limits(d->png, IMAGE_SIDE_MAX, IMAGE_SIDE_MAX);
    png_set_chunk_malloc_max(d->png, CHUNK_BYTES_MAX);
    png_set_chunk_cache_max(d->png, CHUNKS_MAX);
    png_set_read_fn(d->png, d, give_bytes);
    png_read_info(d->png, d->info);
}

/* To 8 bits and the samples that image__convert makes d->channels of: one or three, alpha behind them. */
static void set_transforms(Decoder *d) {
    bool colour = png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_COLOR;
    png_set_expand(d->png); /* palettes to colours, fewer bits than 8 to 8, a transparent colour to alpha */
    png_set_scale_16(d->png);
    if (!colour && d->channels == 3)
        png_set_gray_to_rgb(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

static void read_pixels(Decoder *d) {
    size_t step = d->out->width * d->out->channels;
    int passes = png_get_interlace_type(d->png, d->info) == PNG_INTERLACE_ADAM7 ? PNG_INTERLACE_ADAM7_PASSES : 1;
    CHECK(png_get_rowbytes(d->png, d->info) == step, "rows of %zu bytes", png_get_rowbytes(d->png, d->info));
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < d->out->height; y++)
            png_read_row(d->png, d->out->pixels + y * step, NULL);
}

/* Whether the step came to its end. */
static bool done(Decoder *d, void (*step)(Decoder *)) {
    if (setjmp(d->jump) == 0)
        step(d);
    return d->message[0] == '\0';
}

/* ---- the whole ---- */

static void describe(Decoder *d, ImageInfo *info) {
    info->height = png_get_image_height(d->png, d->info);
    info->width = png_get_image_width(d->png, d->info);
    info->channels = png_get_color_type(d->png, d->info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size;
    png_bytep exif;
    if (png_get_eXIf_1(d->png, d->info, &size, &exif) && exif)
        info->orientation = image__orientation(exif, size);
#endif
}

static Status decode(Decoder *d, size_t channels, ImageInfo *info) {
    const char *name = d->source->name;
    if (!done(d, read_header))
        return image__damaged(name, d->message);
    describe(d, info);
    if (d->out == NULL)
        return STATUS_OK;
    d->channels = channels ? channels : info->channels;
    if (!done(d, set_transforms))
        return image__damaged(name, d->message);
    TRY(image__make_room(name, info->height, info->width, png_get_channels(d->png, d->info), d->out));
    if (!done(d, read_pixels))
        return image__damaged(name, d->message);
    image__convert(d->out, d->channels);
    return STATUS_OK;
}

Status image__png(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    Decoder d = {.source = source, .out = out};
    Status status;
    d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, fail, warn);
    d.info = d.png ? png_create_info_struct(d.png) : NULL;
    if (d.info)
        status = decode(&d, channels, info);
    else
        status = status_fail(STATUS_FAILED, "out of memory: libpng, for %s", source->name);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    return status;
}

bool image_reads_png(void) {
    return true;
}

#else

Status image__png(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    (void)channels, (void)info, (void)out;
    return image__no_decoder(source->name, "PNG", "libpng", "libpng-dev");
}

bool image_reads_png(void) {
    return false;
}

#endif
