/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "io/h5io_internal.h"
#include <string.h>

/* Keras's limit for one attribute, a little under HDF5's 64 KiB for an object header message. */
enum { ATTRIBUTE_MAX = 64512 };

/* "layer_names of /model_weights", for messages. */
typedef struct Place {
    char text[320];
} Place;

static Place place_of(const char *path, const char *name) {
    Place place;
    snprintf(place.text, sizeof place.text, "attribute %s of %s", name, path);
    return place;
}

/* ---- texts of a dataset or an attribute ---- */

/* The i-th text as HDF5 delivered it: fixed length (size > 0), ended by zeros or filled with blanks, or a pointer. */
static const char *text_at(const char *raw, size_t size, bool blanks, size_t i, size_t *length) {
    const char *text = size > 0 ? raw + i * size : ((char *const *)(const void *)raw)[i];
    *length = text == NULL ? 0 : size > 0 ? strnlen(text, size) : strlen(text);
    while (blanks && *length > 0 && text[*length - 1] == ' ')
        (*length)--;
    return text;
}

static Status copy_texts(const char *raw, size_t size, bool blanks, size_t count, char ***list) {
    size_t bytes = 0, length;
    char *to;
    for (size_t i = 0; i < count; i++) {
        text_at(raw, size, blanks, i, &length);
        bytes += length + 1;
    }
    TRY(h5io__new_list(count, bytes, list, &to));
    for (size_t i = 0; i < count; i++) {
        const char *text = text_at(raw, size, blanks, i, &length);
        (*list)[i] = to;
        if (length > 0)
            memcpy(to, text, length);
        to += length + 1;
    }
    return STATUS_OK;
}

/* Reads all texts of the dataset or attribute `id`. */
static Status read_texts(H5ioFile *file, const char *where, hid_t id, char ***list, size_t *count) {
    bool attribute = H5Iget_type(id) == H5I_ATTR;
    Handle type = attribute ? H5Aget_type(id) : H5Dget_type(id);
    Handle space = attribute ? H5Aget_space(id) : H5Dget_space(id);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    if (type < 0 || points < 0)
        return h5io__fail(file, "describe", where);
    *count = (size_t)points;
    if (*count == 0) /* an empty list may have any type: Keras writes it as numbers */
        return copy_texts(NULL, 1, false, 0, list);
    if (H5Tget_class(type) != H5T_STRING)
        return status_fail(STATUS_FAILED, "%s in %s is not a text", where, file->name);
    bool variable = H5Tis_variable_str(type) > 0;
    size_t size = variable ? sizeof(char *) : H5Tget_size(type), bytes;
    if (!memory_multiply(*count, size, &bytes) || (!file->writable && bytes > file->bytes))
        return status_fail(STATUS_FAILED, "%s in %s should be %zu texts, more than the file can hold", where,
                           file->name, *count);
    char *raw;
    TRY(memory_new(&raw, bytes, "texts"));
    herr_t result = attribute ? H5Aread(id, type, raw) : H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw);
    Status status = result < 0
                        ? h5io__fail(file, "read", where)
                        : copy_texts(raw, variable ? 0 : size, H5Tget_strpad(type) == H5T_STR_SPACEPAD, *count, list);
    if (variable && result >= 0)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    memory_free(raw);
    return status;
}

/* The same where there must be exactly one. */
static Status read_text(H5ioFile *file, const char *where, hid_t id, char **text) {
    char **list;
    size_t count;
    TRY(read_texts(file, where, id, &list, &count));
    Status status =
        count == 1 ? memory_strdup(list[0], text)
                   : status_fail(STATUS_FAILED, "%s in %s should be one text and is %zu", where, file->name, count);
    memory_free(list);
    return status;
}

/* UTF-8 of variable (size 0) or fixed length. */
static hid_t text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size == 0 ? H5T_VARIABLE : size);
    H5Tset_strpad(type, size == 0 ? H5T_STR_NULLTERM : H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* ---- text datasets ---- */

static Status write_string_locked(H5ioFile *file, const char *path, const char *text) {
    Handle type = text_type(0);
    Handle space = H5Screate(H5S_SCALAR);
    Handle creation = h5io__creation();
    Handle dataset = H5Dcreate2(file->id, path, type, space, h5io__link(), creation, H5P_DEFAULT);
    if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) < 0)
        return h5io__fail(file, "write", path);
    return STATUS_OK;
}

Status h5io_write_string(H5ioFile *file, const char *path, const char *text) {
    return LOCKED(file->name, write_string_locked(file, path, text));
}

static Status read_string_locked(H5ioFile *file, const char *path, char **text) {
    Handle dataset = -1;
    H5ioInfo info;
    *text = NULL;
    TRY(h5io__open_dataset(file, path, &dataset));
    TRY(h5io__info(file, path, dataset, &info)); /* refuses storage in other files */
    return read_text(file, path, dataset, text);
}

Status h5io_read_string(H5ioFile *file, const char *path, char **text) {
    return LOCKED(file->name, read_string_locked(file, path, text));
}

/* ---- attributes ---- */

static Status attr_exists_locked(H5ioFile *file, const char *path, const char *name, bool *exists) {
    htri_t result = H5Aexists_by_name(file->id, path, name, h5io__follow());
    *exists = result > 0;
    return result < 0 ? h5io__fail(file, "look for", place_of(path, name).text) : STATUS_OK;
}

Status h5io_attr_exists(H5ioFile *file, const char *path, const char *name, bool *exists) {
    return LOCKED(file->name, attr_exists_locked(file, path, name, exists));
}

Status h5io_attr_strings_exist(H5ioFile *file, const char *path, const char *name, bool *exist) {
    char piece[256];
    snprintf(piece, sizeof piece, "%s0", name);
    TRY(h5io_attr_exists(file, path, name, exist));
    return *exist ? STATUS_OK : h5io_attr_exists(file, path, piece, exist);
}

static Status open_attr(H5ioFile *file, const char *path, const char *name, hid_t *id) {
    bool exists;
    TRY(attr_exists_locked(file, path, name, &exists));
    if (!exists)
        return status_fail(STATUS_FAILED, "%s in %s does not exist", place_of(path, name).text, file->name);
    *id = H5Aopen_by_name(file->id, path, name, H5P_DEFAULT, h5io__follow());
    return *id < 0 ? h5io__fail(file, "open", place_of(path, name).text) : STATUS_OK;
}

/* Writes an attribute; one with that name is replaced. */
static Status write_attr(H5ioFile *file, const char *path, const char *name, hid_t file_type, hid_t memory_type,
                         hid_t space, const void *data) {
    bool exists;
    TRY(attr_exists_locked(file, path, name, &exists));
    if (exists)
        H5Adelete_by_name(file->id, path, name, h5io__follow());
    Handle id = H5Acreate_by_name(file->id, path, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, h5io__follow());
    if (id < 0 || H5Awrite(id, memory_type, data) < 0)
        return h5io__fail(file, "write", place_of(path, name).text);
    return STATUS_OK;
}

static Status attr_write_string_locked(H5ioFile *file, const char *path, const char *name, const char *text) {
    Handle type = text_type(0);
    Handle space = H5Screate(H5S_SCALAR);
    return write_attr(file, path, name, type, type, space, &text);
}

Status h5io_attr_write_string(H5ioFile *file, const char *path, const char *name, const char *text) {
    return LOCKED(file->name, attr_write_string_locked(file, path, name, text));
}

static Status attr_read_string_locked(H5ioFile *file, const char *path, const char *name, char **text) {
    Handle id = -1;
    *text = NULL;
    TRY(open_attr(file, path, name, &id));
    return read_text(file, place_of(path, name).text, id, text);
}

Status h5io_attr_read_string(H5ioFile *file, const char *path, const char *name, char **text) {
    return LOCKED(file->name, attr_read_string_locked(file, path, name, text));
}

/* ---- lists of texts ---- */

static Status write_piece(H5ioFile *file, const char *path, const char *name, const char *const list[], size_t count,
                          size_t size) {
    char *raw;
    TRY(memory_new(&raw, count * size, "texts"));
    for (size_t i = 0; i < count; i++)
        memcpy(raw + i * size, list[i], strlen(list[i]));
    Handle type = text_type(size);
    Handle space = H5Screate_simple(1, &(hsize_t){count}, NULL);
    Status status = write_attr(file, path, name, type, type, space, raw);
    memory_free(raw);
    return status;
}

static Status attr_write_strings_locked(H5ioFile *file, const char *path, const char *name, const char *const list[],
                                        size_t count) {
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size = strlen(list[i]) > size ? strlen(list[i]) : size;
    if (size > ATTRIBUTE_MAX)
        return status_fail(STATUS_FAILED, "cannot write %s in %s: a text is longer than %d bytes",
                           place_of(path, name).text, file->name, ATTRIBUTE_MAX);
    size_t per_piece = ATTRIBUTE_MAX / size;
    if (count <= per_piece)
        return write_piece(file, path, name, list, count, size);
    for (size_t first = 0, piece = 0; first < count; first += per_piece, piece++) {
        char part[256];
        snprintf(part, sizeof part, "%s%zu", name, piece);
        TRY(write_piece(file, path, part, list + first, count - first < per_piece ? count - first : per_piece, size));
    }
    return STATUS_OK;
}

Status h5io_attr_write_strings(H5ioFile *file, const char *path, const char *name, const char *const list[],
                               size_t count) {
    return LOCKED(file->name, attr_write_strings_locked(file, path, name, list, count));
}

/* *list = *list followed by `more`, which is given back. */
static Status join(char ***list, size_t *count, char **more, size_t more_count) {
    char **both, *text;
    size_t bytes = 0, n = *count + more_count;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(i < *count ? (*list)[i] : more[i - *count]) + 1;
    Status status = h5io__new_list(n, bytes, &both, &text);
    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        both[i] = text;
        text = stpcpy(text, i < *count ? (*list)[i] : more[i - *count]) + 1;
    }
    memory_free(more);
    if (status == STATUS_OK) {
        memory_free(*list);
        *list = both;
        *count = n;
    }
    return status;
}

static Status read_piece(H5ioFile *file, const char *path, const char *name, char ***list, size_t *count) {
    Handle id = -1;
    TRY(open_attr(file, path, name, &id));
    return read_texts(file, place_of(path, name).text, id, list, count);
}

static Status attr_read_strings_locked(H5ioFile *file, const char *path, const char *name, char ***list,
                                       size_t *count) {
    bool whole, another;
    char part[256];
    *list = NULL;
    *count = 0;
    TRY(attr_exists_locked(file, path, name, &whole));
    snprintf(part, sizeof part, "%s0", name);
    TRY(attr_exists_locked(file, path, part, &another));
    if (whole || !another)
        return read_piece(file, path, name, list, count);
    for (size_t piece = 1; another; piece++) {
        char **more;
        size_t more_count;
        Status status = read_piece(file, path, part, &more, &more_count);
        if (status == STATUS_OK)
            status = join(list, count, more, more_count);
        snprintf(part, sizeof part, "%s%zu", name, piece);
        if (status == STATUS_OK)
            status = attr_exists_locked(file, path, part, &another);
        if (status != STATUS_OK) {
            memory_free(*list);
            *list = NULL;
            return status;
        }
    }
    return STATUS_OK;
}

Status h5io_attr_read_strings(H5ioFile *file, const char *path, const char *name, char ***list, size_t *count) {
    return LOCKED(file->name, attr_read_strings_locked(file, path, name, list, count));
}

/* ---- numbers ---- */

static Status attr_write_locked(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count,
                                const void *data) {
    Handle space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &(hsize_t){count}, NULL);
    return write_attr(file, path, name, h5io__file_type(type), h5io__memory_type(type), space, data);
}

Status h5io_attr_write(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count,
                       const void *data) {
    return LOCKED(file->name, attr_write_locked(file, path, name, type, count, data));
}

static Status attr_read_locked(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count,
                               void *out) {
    Handle id = -1;
    TRY(open_attr(file, path, name, &id));
    Handle file_type = H5Aget_type(id);
    Handle space = H5Aget_space(id);
    H5T_class_t class = H5Tget_class(file_type);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || points != (hssize_t)count)
        return status_fail(STATUS_FAILED, "%s in %s should be %zu number%s", place_of(path, name).text, file->name,
                           count, count == 1 ? "" : "s");
    if (H5Aread(id, h5io__memory_type(type), out) < 0)
        return h5io__fail(file, "read", place_of(path, name).text);
    return STATUS_OK;
}

Status h5io_attr_read(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count, void *out) {
    return LOCKED(file->name, attr_read_locked(file, path, name, type, count, out));
}
