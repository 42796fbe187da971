/* SPDX-License-Identifier: Apache-2.0
 *
 * WebP by libwebp: the only user of webp/decode.h. */
#include "io/image_internal.h"
#include <string.h>
#if HAVE_WEBP
#include <webp/decode.h>

/* The EXIF chunk of a RIFF file: name and length (little endian) stand before each chunk of an even number of bytes. */
static int find_orientation(const ImageSource *source) {
    const unsigned char *b = source->bytes;
    for (size_t at = 12; source->size >= 8 && at <= source->size - 8;) {
        size_t length = b[at + 4] | b[at + 5] << 8 | b[at + 6] << 16 | (size_t)b[at + 7] << 24;
        bool is_exif = memcmp(b + at, "EXIF", 4) == 0;
        at += 8;
        if (length > source->size - at)
            break;
        if (is_exif) /* some programs put JPEG's prefix before it */
            return length > 6 && memcmp(b + at, "Exif\0\0", 6) == 0 ? image__orientation(b + at + 6, length - 6)
                                                                    : image__orientation(b + at, length);
        at += length + length % 2;
    }
    return 1;
}

Status image__webp(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    WebPBitstreamFeatures about;
    if (WebPGetFeatures(source->bytes, source->size, &about) != VP8_STATUS_OK)
        return image__damaged(source->name, "its WebP header is wrong or cut off");
    if (about.has_animation)
        return status_fail(STATUS_FAILED, "%s is an animation; convert one of its pictures to JPEG or PNG",
                           source->name);
    info->height = (size_t)about.height;
    info->width = (size_t)about.width;
    info->channels = 3;
    info->orientation = find_orientation(source);
    if (out == NULL)
        return STATUS_OK;
    TRY(image__make_room(source->name, info->height, info->width, about.has_alpha ? 4 : 3, out));
    int step = (int)(out->width * out->channels);
    uint8_t *(*into)(const uint8_t *, size_t, uint8_t *, size_t, int) =
        about.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
    if (into(source->bytes, source->size, out->pixels, out->height * (size_t)step, step) == NULL)
        return image__damaged(source->name, "libwebp cannot decode it; it may be cut off");
    image__convert(out, channels ? channels : 3);
    return STATUS_OK;
}

bool image_reads_webp(void) {
    return true;
}

#else

Status image__webp(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    (void)channels, (void)info, (void)out;
    return image__no_decoder(source->name, "WebP", "libwebp", "libwebp-dev");
}

bool image_reads_webp(void) {
    return false;
}

#endif
