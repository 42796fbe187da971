/* SPDX-License-Identifier: Apache-2.0
 *
 * JPEG by libjpeg-turbo: the only user of jpeglib.h. */
#include "io/image_internal.h"
#include <string.h>
#if HAVE_JPEG
#include <setjmp.h>
#include <stdio.h>
/* needs what stdio.h declares */
#include <jerror.h>
#include <jpeglib.h>

enum { SCANS_MAX = 500, EXIF = JPEG_APP0 + 1 };

typedef struct Decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX]; /* the first sign of damage; "": none */
    const ImageSource *source;
    int orientation;
    Image *out;
} Decoder;

/* ---- what libjpeg calls ---- */

static void fail(j_common_ptr jpeg) {
    Decoder *d = jpeg->client_data;
    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->jump, 1);
}

/* libjpeg goes on after damage and makes up what is missing: only these warnings leave the picture as it was meant. */
static bool is_harmless(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
           code == JWRN_TOO_MUCH_DATA;
}

static void warn(j_common_ptr jpeg, int level) {
    Decoder *d = jpeg->client_data;
    if (level < 0 && !is_harmless(jpeg->err->msg_code) && d->message[0] == '\0')
        jpeg->err->format_message(jpeg, d->message);
}

/* A small file of very many scans keeps a CPU busy for hours. */
static void limit_scans(j_common_ptr jpeg) {
    Decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number > SCANS_MAX) {
        snprintf(d->message, sizeof d->message, "it has more than %d scans", SCANS_MAX);
        longjmp(d->jump, 1);
    }
}

/* ---- steps, in which it may jump ---- */

static void read_header(Decoder *d) {
    jpeg_create_decompress(&d->jpeg);
    d->jpeg.progress = &d->progress;
    jpeg_save_markers(&d->jpeg, EXIF, 0xffff);
    jpeg_mem_src(&d->jpeg, d->source->bytes, d->source->size);
    jpeg_read_header(&d->jpeg, TRUE);
}

/* Only `width` columns from `left` on are decoded if no others are wanted.  Colours are smoothed over two pixels, so
 * some more on both sides are not to be used. */
static void choose_columns(Decoder *d, size_t *left, size_t *width) {
#ifdef LIBJPEG_TURBO_VERSION
    enum { SIDE = 32 }; /* two blocks of the largest kind */
    size_t low, high;
    JDIMENSION from, columns;
    if (d->source->target == NULL || d->orientation != 1)
        return;
    image__columns(d->source->target, d->out->height, d->out->width, &low, &high);
    low -= low < SIDE ? low : SIDE;
    high += *width - high < SIDE ? *width - high : SIDE;
    from = (JDIMENSION)low;
    columns = (JDIMENSION)(high - low);
    if (columns == *width)
        return;
    jpeg_crop_scanline(&d->jpeg, &from, &columns); /* makes them whole blocks */
    *left = from;
    *width = columns;
#else
    (void)d, (void)left, (void)width;
#endif
}

/* libjpeg-turbo writes a row that begins at a multiple of 16 past the caches, from which it would be read back next:
 * decoding such rows beside their place and copying them takes 3 microseconds less of 11 for 32 x 32 pixels, and 10 %
 * less for a photo. */
static void read_pixels(Decoder *d) {
    enum { PAST_CACHES = 16, BESIDE = 8 };
    size_t step = d->out->width * d->out->channels, left = 0, width = d->out->width;
    jpeg_start_decompress(&d->jpeg);
    choose_columns(d, &left, &width);
    JSAMPROW beside = d->jpeg.mem->alloc_large((j_common_ptr)&d->jpeg, JPOOL_IMAGE, BESIDE + step);
    beside += BESIDE;
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        JSAMPROW to = d->out->pixels + d->jpeg.output_scanline * step + left * d->out->channels;
        bool aligned = (uintptr_t)to % PAST_CACHES == 0;
        jpeg_read_scanlines(&d->jpeg, aligned ? &beside : &to, 1);
        if (aligned)
            memcpy(to, beside, width * d->out->channels);
    }
}

/* Whether the step came to its end without damage. */
static bool done(Decoder *d, void (*step)(Decoder *)) {
    if (setjmp(d->jump) == 0)
        step(d);
    return d->message[0] == '\0';
}

/* ---- the whole ---- */

static bool is_cmyk(const Decoder *d) {
    return d->jpeg.jpeg_color_space == JCS_CMYK || d->jpeg.jpeg_color_space == JCS_YCCK;
}

static void describe(const Decoder *d, ImageInfo *info) {
    info->height = d->jpeg.image_height;
    info->width = d->jpeg.image_width;
    info->channels = d->jpeg.num_components >= 3 ? 3 : 1;
    for (jpeg_saved_marker_ptr marker = d->jpeg.marker_list; marker; marker = marker->next)
        if (marker->data_length > 6 && memcmp(marker->data, "Exif\0\0", 6) == 0)
            info->orientation = image__orientation(marker->data + 6, marker->data_length - 6);
}

/* Photoshop stores CMYK inverted, and says so by a marker of its own. */
static void cmyk_to_rgb(Image *image, bool inverted) {
    const uint8_t *from = image->pixels;
    uint8_t *to = image->pixels;
    for (size_t i = 0; i < image->height * image->width; i++, from += 4, to += 3) {
        unsigned light = inverted ? from[3] : 255u - from[3];
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)(((inverted ? from[c] : 255u - from[c]) * light + 127) / 255);
    }
    image->channels = 3;
}

static Status decode(Decoder *d, size_t channels, ImageInfo *info) {
    const char *name = d->source->name;
    if (!done(d, read_header))
        return image__damaged(name, d->message);
    describe(d, info);
    d->orientation = info->orientation;
    if (d->out == NULL)
        return STATUS_OK;
    channels = channels ? channels : info->channels;
    d->jpeg.out_color_space = is_cmyk(d) ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    TRY(image__make_room(name, info->height, info->width, is_cmyk(d) ? 4 : channels, d->out));
    if (!done(d, read_pixels))
        return image__damaged(name, d->message);
    if (is_cmyk(d))
        cmyk_to_rgb(d->out, d->jpeg.saw_Adobe_marker);
    image__convert(d->out, channels);
    return STATUS_OK;
}

Status image__jpeg(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    Decoder d = {.source = source, .out = out};
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = fail;
    d.errors.emit_message = warn;
    d.progress.progress_monitor = limit_scans;
    d.jpeg.client_data = &d;
    Status status = decode(&d, channels, info);
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}

bool image_reads_jpeg(void) {
    return true;
}

#else

Status image__jpeg(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    (void)channels, (void)info, (void)out;
    return image__no_decoder(source->name, "JPEG", "libjpeg", "libjpeg-dev");
}

bool image_reads_jpeg(void) {
    return false;
}

#endif
