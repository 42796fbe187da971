/* SPDX-License-Identifier: Apache-2.0 */
#include "io/image.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/image_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_BYTES = 1 << 16 };

void image_free(Image *image) {
    memory_free(image->pixels);
    *image = (Image){0};
}

/* ---- for the decoders ---- */

Status image__make_room(const char *name, size_t height, size_t width, size_t channels, Image *out) {
    if (height < 1 || width < 1)
        return image__damaged(name, "it has no pixels");
    if (height > IMAGE_SIDE_MAX || width > IMAGE_SIDE_MAX || height * width > IMAGE_PIXELS_MAX)
        return status_fail(STATUS_FAILED, "%s has %zu x %zu pixels: more than %d million, or a side of more than %d",
                           name, height, width, IMAGE_PIXELS_MAX / 1000000, IMAGE_SIDE_MAX);
    size_t bytes = height * width * channels;
    if (bytes > out->room) {
        memory_free(out->pixels);
        *out = (Image){0};
        TRY(memory_alloc(bytes, 1, "picture", (void **)&out->pixels));
        out->room = bytes;
    }
    out->height = height, out->width = width, out->channels = channels;
    return STATUS_OK;
}

/* 0.299 R + 0.587 G + 0.114 B, rounded */
static unsigned grey(const unsigned rgb[3]) {
    return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16;
}

void image__convert(Image *image, size_t channels) {
    size_t from = image->channels, colours = from >= 3 ? 3 : 1, count = image->height * image->width;
    const uint8_t *pixel = image->pixels;
    uint8_t *to = image->pixels; /* never ahead of `pixel`: samples only become fewer */
    CHECK(channels <= colours, "%zu samples of %zu", channels, from);
    for (size_t i = 0; from != channels && i < count; i++, pixel += from, to += channels) {
        unsigned v[3], alpha = from % 2 == 0 ? pixel[from - 1] : 255;
        for (size_t c = 0; c < colours; c++)
            v[c] = (pixel[c] * alpha + 255 * (255 - alpha) + 127) / 255;
        if (channels < colours)
            v[0] = grey(v);
        for (size_t c = 0; c < channels; c++)
            to[c] = (uint8_t)v[c];
    }
    image->channels = channels;
}

void image_make_grey(Image *image) {
    image__convert(image, 1);
}

int image__orientation(const unsigned char *exif, size_t size) {
    enum { ENTRY = 12, TAG = 0x0112, SHORT = 3 };
    if (size < 8 || (memcmp(exif, "II*\0", 4) != 0 && memcmp(exif, "MM\0*", 4) != 0))
        return 1;
    bool little = exif[0] == 'I';
#define TWO(at) (little ? exif[at] | exif[(at) + 1] << 8 : exif[at] << 8 | exif[(at) + 1])
    size_t at = little ? (size_t)TWO(6) << 16 | (size_t)TWO(4) : (size_t)TWO(4) << 16 | (size_t)TWO(6);
    if (at > size - 2)
        return 1;
    int entries = TWO(at), found = 1;
    for (at += 2; entries > 0 && size - at >= ENTRY; at += ENTRY, entries--)
        if (TWO(at) == TAG && TWO(at + 2) == SHORT)
            found = TWO(at + 8);
#undef TWO
    return found >= 1 && found <= 8 ? found : 1;
}

Status image__damaged(const char *name, const char *why) {
    return status_fail(STATUS_FAILED, "%s is damaged: %s", name, why);
}

Status image__no_decoder(const char *name, const char *format, const char *library, const char *package) {
    return status_fail(
        STATUS_FAILED,
        "%s is a %s picture, and this program was built without %s (Debian: %s); install it and build again", name,
        format, library, package);
}

/* ---- kinds of files ---- */

/* A file that has these bytes at this place. */
typedef struct Kind {
    size_t at;
    const char *magic;
    size_t length;
    const char *name;      /* "JPEG", or "a GIF" */
    ImageDecoder *decoder; /* NULL: there is none */
} Kind;

#define MAGIC(text) text, sizeof text - 1
static const Kind kinds[] = {
    {0, MAGIC("\xff\xd8\xff"), "JPEG", image__jpeg},
    {0, MAGIC("\x89PNG\r\n\x1a\n"), "PNG", image__png},
    {8, MAGIC("WEBP"), "WebP", image__webp},
    {0, MAGIC("GIF8"), "a GIF", NULL},
    {0, MAGIC("BM"), "a BMP", NULL},
    {0, MAGIC("II*\0"), "a TIFF", NULL},
    {0, MAGIC("MM\0*"), "a TIFF", NULL},
    {4, MAGIC("ftypavif"), "an AVIF", NULL},
    {4, MAGIC("ftyp"), "a HEIC picture or a video", NULL},
    {4, MAGIC("jP  "), "a JPEG 2000 picture", NULL},
    {0, MAGIC("\0\0\1\0"), "an icon", NULL},
    {0, MAGIC("8BPS"), "a Photoshop file", NULL},
    {0, MAGIC("%PDF"), "a PDF", NULL},
    {0, MAGIC("<"), "an SVG or HTML text", NULL},
    {0, MAGIC("P5"), "a PGM", NULL},
    {0, MAGIC("P6"), "a PPM", NULL},
};

static Status find_kind(const ImageSource *source, const Kind **found) {
    *found = NULL;
    if (source->size == 0)
        return status_fail(STATUS_FAILED, "%s is empty", source->name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const Kind *kind = &kinds[i];
        if (source->size < kind->at + kind->length || memcmp(source->bytes + kind->at, kind->magic, kind->length) != 0)
            continue;
        if (kind->decoder == NULL)
            return status_fail(STATUS_FAILED, "%s is %s; convert it to JPEG or PNG", source->name, kind->name);
        *found = kind;
        return STATUS_OK;
    }
    return status_fail(STATUS_FAILED, "%s is no JPEG, PNG or WebP picture. cnn_import makes datasets of other files",
                       source->name);
}

/* ---- upright ---- */

/* From 5 on rows and columns are exchanged. */
static bool is_turned(int orientation) {
    return orientation >= 5;
}

/* EXIF's orientations (CIPA DC-008, Orientation): which side of the scene the stored picture's first row and column
 * are.  1 top left, 2 top right, 3 bottom right, 4 bottom left; first row, first column of 5: left top, 6: right top,
 * 7: right bottom, 8: left bottom. */
static Status make_upright(const char *name, int orientation, Image *image) {
    bool turned = is_turned(orientation);
    bool down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    bool left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    Image upright = {0};
    size_t channels = image->channels, step = image->width * channels;
    TRY(image__make_room(name, turned ? image->width : image->height, turned ? image->height : image->width, channels,
                         &upright));
    uint8_t *to = upright.pixels;
    for (size_t i = 0; i < upright.height; i++)
        for (size_t j = 0; j < upright.width; j++, to += channels) {
            size_t row = down ? upright.height - 1 - i : i, column = left ? upright.width - 1 - j : j;
            memcpy(to, image->pixels + (turned ? column * step + row * channels : row * step + column * channels),
                   channels);
        }
    memory_free(image->pixels);
    *image = upright;
    return STATUS_OK;
}

/* ---- the whole ---- */

static Status decode(const ImageSource *source, size_t channels, ImageInfo *info, Image *out) {
    const Kind *kind;
    CHECK(channels == 0 || channels == 1 || channels == 3, "%zu channels", channels);
    TRY(find_kind(source, &kind));
    *info = (ImageInfo){.format = kind->name, .orientation = 1};
    TRY(kind->decoder(source, channels, info, out));
    if (is_turned(info->orientation)) {
        size_t height = info->width;
        info->width = info->height;
        info->height = height;
    }
    return out && info->orientation > 1 ? make_upright(source->name, info->orientation, out) : STATUS_OK;
}

Status image_info(const void *bytes, size_t size, const char *name, ImageInfo *out) {
    return decode(&(ImageSource){bytes, size, name, NULL}, 0, out, NULL);
}

Status image_decode(const void *bytes, size_t size, const char *name, size_t channels, Image *out) {
    ImageInfo info;
    return decode(&(ImageSource){bytes, size, name, NULL}, channels, &info, out);
}

Status image_decode_for(const ImageTarget *target, const void *bytes, size_t size, const char *name, size_t channels,
                        Image *out) {
    ImageInfo info;
    return decode(&(ImageSource){bytes, size, name, target}, channels, &info, out);
}

/* *size = the first bytes of a file, as many as there are up to `room`. */
static Status read_start(const char *path, unsigned char *bytes, size_t room, size_t *size) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = 0;
    *size = 0;
    while (file >= 0 && *size < room && (got = read(file, bytes + *size, room - *size)) > 0)
        *size += (size_t)got;
    Status status =
        file < 0 || got < 0 ? status_fail(STATUS_FAILED, "cannot read %s: %s", path, strerror(errno)) : STATUS_OK;
    if (file >= 0)
        close(file);
    return status;
}

Status image_info_file(const char *path, ImageInfo *out) {
    unsigned char *bytes;
    size_t size;
    TRY(memory_alloc(HEADER_BYTES, 1, "header of a picture", (void **)&bytes));
    Status status = read_start(path, bytes, HEADER_BYTES, &size);
    if (status == STATUS_OK)
        status = image_info(bytes, size, path, out);
    memory_free(bytes);
    if (status == STATUS_OK || size < HEADER_BYTES)
        return status;
    TRY(file_read(path, &bytes, &size)); /* a header behind long profiles and previews */
    status = image_info(bytes, size, path, out);
    memory_free(bytes);
    return status;
}

Status image_decode_file(const char *path, size_t channels, Image *out) {
    unsigned char *bytes;
    size_t size;
    TRY(file_read(path, &bytes, &size));
    Status status = image_decode(bytes, size, path, channels, out);
    memory_free(bytes);
    return status;
}
