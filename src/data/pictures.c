/* SPDX-License-Identifier: Apache-2.0 */
#include "data/pictures.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAMPLE = 64, OWN_SIDE_MAX = 512, USUAL_SIDE = 224, SIDE_MAX = 16384 };

/* ---- the rule ---- */

Status picture_rule_parse(const char *size, const char *fit, size_t channels, PictureRule *out) {
    *out = (PictureRule){.channels = channels, .fit = *fit ? 0 : IMAGE_FITS};
    unsigned height = 0, width = 0;
    int used = 0, end = (int)strlen(size);
    if (end > 0 && !(sscanf(size, "%5u%n", &height, &used) == 1 && used == end && (width = height)) &&
        !(sscanf(size, "%5ux%5u%n", &height, &width, &used) == 2 && used == end))
        return status_fail(STATUS_USAGE, "--size %s: should be a number of pixels, or HEIGHTxWIDTH", size);
    if (end > 0 && (height < 1 || width < 1 || height > SIDE_MAX || width > SIDE_MAX))
        return status_fail(STATUS_USAGE, "--size %s: each side may have 1 to %d pixels", size, SIDE_MAX);
    out->height = height;
    out->width = width;
    while (*fit && out->fit < IMAGE_FITS && strcmp(fit, image_fits[out->fit]) != 0)
        out->fit++;
    if (*fit && out->fit == IMAGE_FITS)
        return status_fail(STATUS_USAGE, "--resize %s: known are crop, pad and squash", fit);
    if (out->channels != 0 && out->channels != 1 && out->channels != 3)
        return status_fail(STATUS_USAGE, "--channels %zu: pictures have 1 or 3", channels);
    return STATUS_OK;
}

void picture_rule_prefer(const PictureRule *said, PictureRule *rule) {
    if (said->height > 0)
        rule->height = said->height, rule->width = said->width;
    if (said->channels > 0)
        rule->channels = said->channels;
    if (said->fit != IMAGE_FITS)
        rule->fit = said->fit;
}

Status picture_rule_settle(const Folder *folder, const Shape *usual, PictureRule *rule) {
    bool has_usual = usual && usual->rank > 1;
    size_t picks = folder->count < SAMPLE ? folder->count : SAMPLE, seen = 0, height = 0, width = 0;
    bool same = true, grey = true;
    for (size_t i = 0; i < picks && (rule->height == 0 || rule->channels == 0); i++) {
        ImageInfo info;
        if (image_info_file(folder->files[i * folder->count / picks].path, &info) != STATUS_OK)
            continue; /* whoever reads it will say so */
        same &= seen == 0 || (info.height == height && info.width == width);
        grey &= info.channels == 1;
        height = info.height;
        width = info.width;
        seen++;
    }
    if ((rule->height == 0 || rule->channels == 0) && seen == 0)
        return STATUS_FAILED; /* as the last of them says */
    if (rule->height == 0) {
        same &= height <= OWN_SIDE_MAX && width <= OWN_SIDE_MAX;
        rule->height = same ? height : has_usual ? usual->dim[0] : USUAL_SIDE;
        rule->width = same ? width : has_usual ? usual->dim[1] : USUAL_SIDE;
    }
    if (rule->channels == 0)
        rule->channels = grey ? 1 : 3;
    if (rule->fit == IMAGE_FITS)
        rule->fit = IMAGE_CROP;
    return STATUS_OK;
}

Shape picture_shape(const PictureRule *rule) {
    return SHAPE(rule->height, rule->width, rule->channels);
}

/* ---- buffers ---- */

Status picture_work_take(PictureWorks *works, PictureWork **work) {
    pthread_mutex_lock(&works->lock);
    *work = works->free;
    if (*work)
        works->free = (*work)->next;
    pthread_mutex_unlock(&works->lock);
    return *work ? STATUS_OK : memory_new(work, 1, "decoding pictures");
}

void picture_work_give(PictureWorks *works, PictureWork *work) {
    if (work == NULL)
        return;
    pthread_mutex_lock(&works->lock);
    work->next = works->free;
    works->free = work;
    pthread_mutex_unlock(&works->lock);
}

void picture_works_free(PictureWorks *works) {
    for (PictureWork *work = works->free, *next; work; work = next) {
        next = work->next;
        image_free(&work->photo);
        memory_free(work->bytes);
        memory_free(work);
    }
    works->free = NULL;
}

Status picture_room(PictureWork *work, size_t size) {
    if (size <= work->room)
        return STATUS_OK;
    memory_free(work->bytes);
    work->bytes = NULL;
    work->room = 0;
    TRY(memory_alloc(size, 1, "a picture file", (void **)&work->bytes));
    work->room = size;
    return STATUS_OK;
}

/* ---- reading and decoding ---- */

static Status cannot_read(const char *path, const char *why) {
    return status_fail(STATUS_FAILED, "cannot read %s: %s", path, why);
}

/* More room for a file of which `size` bytes are there. */
static Status read_more(int file, const char *path, size_t size, PictureWork *work) {
    struct stat about;
    if (fstat(file, &about) != 0)
        return cannot_read(path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return cannot_read(path, "it is no plain file");
    size_t more = (size_t)about.st_size > size ? (size_t)about.st_size - size + 1 : size + 1;
    TRY(memory_grow(&work->bytes, size, more, "a picture file"));
    work->room = size + more;
    return STATUS_OK;
}

/* A file of the size that is expected takes one call: there is room for one byte more, which is not there. */
static Status read_all(int file, const char *path, size_t expected, PictureWork *work, size_t *size) {
    ssize_t got;
    TRY(picture_room(work, expected + 1));
    *size = 0;
    do {
        if (*size == work->room)
            TRY(read_more(file, path, *size, work));
        got = read(file, work->bytes + *size, work->room - *size);
        if (got < 0 && errno != EINTR)
            return cannot_read(path, strerror(errno));
        *size += got > 0 ? (size_t)got : 0;
    } while (got != 0 && *size != expected);
    return STATUS_OK;
}

Status picture_read(const char *path, size_t expected, PictureWork *work, size_t *size) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not wait for a writer */
    if (file < 0)
        return cannot_read(path, strerror(errno));
    Status status = read_all(file, path, expected, work, size);
    close(file);
    return status;
}

Status picture_decode(const PictureRule *rule, const void *bytes, size_t size, const char *name, PictureWork *work,
                      uint8_t *x) {
    Image example = {.pixels = x, .room = rule->height * rule->width * rule->channels};
    ImageTarget target = {rule->height, rule->width, rule->fit};
    TRY(image_decode_for(&target, bytes, size, name, rule->channels, &work->photo));
    return image_resize(&work->photo, rule->height, rule->width, rule->fit, &example);
}
