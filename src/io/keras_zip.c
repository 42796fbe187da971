/* SPDX-License-Identifier: Apache-2.0 */
#include "io/keras_zip.h"
#include "base/memory.h"
#include <stdint.h>
#include <string.h>
#include <zip.h>

enum { DEFLATE_MAX = 1032 }; /* largest ratio of deflate (zlib's technical details) */

bool keras_zip_is(const unsigned char *bytes, size_t size) {
    return size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

/* ---- reading ---- */

static Status open_archive(const char *name, const unsigned char *bytes, size_t size, zip_t **out) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &error);
    *out = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    Status status = STATUS_OK;
    if (*out == NULL)
        status = status_fail(STATUS_FAILED, "cannot open the zip archive %s: %s", name, zip_error_strerror(&error));
    if (*out == NULL && source != NULL)
        zip_source_free(source);
    zip_error_fini(&error);
    return status;
}

/* Is what the archive says about the entry possible? */
static Status check_entry(const char *name, size_t archive_size, const char *entry, const zip_stat_t *about,
                          size_t limit) {
    enum { NEEDED = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD };
    if ((about->valid & NEEDED) != NEEDED)
        return status_fail(STATUS_FAILED, "%s: %s is damaged", name, entry);
    if (about->encryption_method != ZIP_EM_NONE)
        return status_fail(STATUS_FAILED, "%s: %s is encrypted, which is not supported", name, entry);
    if (about->comp_method != ZIP_CM_STORE && about->comp_method != ZIP_CM_DEFLATE)
        return status_fail(STATUS_FAILED, "%s: %s is compressed by method %u; stored and deflated ones are supported",
                           name, entry, about->comp_method);
    uint64_t most = about->comp_method == ZIP_CM_STORE ? about->comp_size : about->comp_size * DEFLATE_MAX;
    if (about->comp_size > archive_size || about->size > most)
        return status_fail(STATUS_FAILED, "%s: %s claims to be %llu bytes, more than the archive can hold", name, entry,
                           (unsigned long long)about->size);
    if (about->size > limit)
        return status_fail(STATUS_FAILED, "%s: %s is %llu bytes; at most %zu are supported", name, entry,
                           (unsigned long long)about->size, limit);
    return STATUS_OK;
}

/* Reads exactly `size` bytes and sees the end behind them: there libzip compares the CRC. */
static Status read_entry(const char *name, zip_t *archive, zip_uint64_t index, const char *entry, unsigned char *to,
                         size_t size) {
    enum { PIECE = 1 << 24 };
    zip_int64_t got = 1;
    size_t done = 0;
    zip_file_t *file = zip_fopen_index(archive, index, 0);
    if (file == NULL)
        return status_fail(STATUS_FAILED, "%s: cannot read %s: %s", name, entry, zip_strerror(archive));
    while (got > 0) {
        unsigned char end;
        size_t piece = size - done < PIECE ? size - done : PIECE;
        got = zip_fread(file, piece > 0 ? to + done : &end, piece > 0 ? piece : 1);
        if (got > 0 && piece == 0)
            break; /* longer than it says */
        done += got > 0 ? (size_t)got : 0;
    }
    Status status = STATUS_OK;
    if (got < 0)
        status = status_fail(STATUS_FAILED, "%s: %s is damaged: %s", name, entry,
                             zip_error_strerror(zip_file_get_error(file)));
    else if (got > 0 || done != size)
        status =
            status_fail(STATUS_FAILED, "%s: %s is damaged: its size is not the one it was written with", name, entry);
    zip_fclose(file);
    return status;
}

static Status read_open(const char *name, zip_t *archive, size_t archive_size, const char *entry, size_t limit,
                        unsigned char **out, size_t *out_size) {
    zip_stat_t about;
    zip_int64_t index = zip_name_locate(archive, entry, 0);
    if (index < 0)
        return STATUS_OK;
    if (zip_stat_index(archive, (zip_uint64_t)index, 0, &about) != 0)
        return status_fail(STATUS_FAILED, "%s: %s is damaged: %s", name, entry, zip_strerror(archive));
    TRY(check_entry(name, archive_size, entry, &about, limit));
    TRY(memory_new(out, (size_t)about.size + 1, "entry of a zip archive"));
    *out_size = (size_t)about.size;
    Status status = read_entry(name, archive, (zip_uint64_t)index, entry, *out, *out_size);
    if (status != STATUS_OK) {
        memory_free(*out);
        *out = NULL;
    }
    return status;
}

Status keras_zip_read(const char *name, const unsigned char *bytes, size_t size, const char *entry, size_t limit,
                      unsigned char **out, size_t *out_size) {
    zip_t *archive;
    *out = NULL;
    *out_size = 0;
    TRY(open_archive(name, bytes, size, &archive));
    Status status = read_open(name, archive, size, entry, limit, out, out_size);
    zip_discard(archive);
    return status;
}

static Status list_open(const char *name, zip_t *archive, char ***names, size_t *count) {
    size_t n = (size_t)zip_get_num_entries(archive, 0), bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const char *entry = zip_get_name(archive, i, 0);
        if (entry == NULL)
            return status_fail(STATUS_FAILED, "%s is damaged: %s", name, zip_strerror(archive));
        bytes += strlen(entry) + 1;
    }
    TRY(memory_alloc(n * sizeof **names + bytes, 1, "list of a zip archive", (void **)names));
    char *text = (char *)(*names + n);
    for (size_t i = 0; i < n; i++) {
        (*names)[i] = text;
        text = stpcpy(text, zip_get_name(archive, i, 0)) + 1;
    }
    *count = n;
    return STATUS_OK;
}

Status keras_zip_list(const char *name, const unsigned char *bytes, size_t size, char ***names, size_t *count) {
    zip_t *archive;
    *names = NULL;
    *count = 0;
    TRY(open_archive(name, bytes, size, &archive));
    Status status = list_open(name, archive, names, count);
    zip_discard(archive);
    return status;
}

/* ---- writing ---- */

static Status add_entry(zip_t *archive, const KerasZipEntry *entry) {
    zip_source_t *source = zip_source_buffer(archive, entry->bytes, entry->size, 0);
    zip_int64_t index = source != NULL ? zip_file_add(archive, entry->name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source); /* accepts NULL */
        return status_fail(STATUS_FAILED, "cannot make a zip archive: %s", zip_strerror(archive));
    }
    /* The first day that zip can name: 1980-01-01. */
    if (zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) != 0)
        return status_fail(STATUS_FAILED, "cannot make a zip archive: %s", zip_strerror(archive));
    return STATUS_OK;
}

/* Copies what zip_close left in `source`. */
static Status copy_out(zip_source_t *source, unsigned char **image, size_t *size) {
    zip_stat_t about;
    if (zip_source_stat(source, &about) != 0 || zip_source_open(source) != 0)
        return status_fail(STATUS_FAILED, "cannot make a zip archive: %s",
                           zip_error_strerror(zip_source_error(source)));
    Status status = memory_new(image, (size_t)about.size, "zip archive");
    *size = (size_t)about.size;
    if (status == STATUS_OK && zip_source_read(source, *image, *size) != (zip_int64_t)*size) {
        status =
            status_fail(STATUS_FAILED, "cannot make a zip archive: %s", zip_error_strerror(zip_source_error(source)));
        memory_free(*image);
        *image = NULL;
    }
    zip_source_close(source);
    return status;
}

Status keras_zip_image(size_t count, const KerasZipEntry entries[], unsigned char **image, size_t *size) {
    zip_error_t error;
    Status status = STATUS_OK;
    *image = NULL;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *archive = source != NULL ? zip_open_from_source(source, ZIP_TRUNCATE, &error) : NULL;
    if (archive == NULL) {
        status = status_fail(STATUS_FAILED, "cannot make a zip archive: %s", zip_error_strerror(&error));
        zip_source_free(source);
        zip_error_fini(&error);
        return status;
    }
    zip_source_keep(source); /* beyond the archive, which has its own hold */
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_entry(archive, &entries[i]);
    if (status == STATUS_OK && zip_close(archive) != 0)
        status = status_fail(STATUS_FAILED, "cannot make a zip archive: %s", zip_strerror(archive));
    else if (status == STATUS_OK)
        archive = NULL;
    if (status == STATUS_OK)
        status = copy_out(source, image, size);
    if (archive != NULL)
        zip_discard(archive);
    zip_source_free(source);
    zip_error_fini(&error);
    return status;
}
