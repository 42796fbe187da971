/* SPDX-License-Identifier: Apache-2.0 */
#include "io/h5io.h"
#include "base/crash.h"
#include "base/memory.h"
#include "io/h5io_internal.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static hid_t follow_list = -1, link_list = -1; /* made once, kept to the end */
static char refused_link[256];                 /* the file that an external link led to */

static herr_t refuse_link(const char *parent, const char *group, const char *child, const char *object, unsigned *flags,
                          hid_t properties, void *data) {
    (void)parent, (void)group, (void)object, (void)flags, (void)properties, (void)data;
    snprintf(refused_link, sizeof refused_link, "%s", child);
    return -1;
}

static void start_library(void) {
    /* Locks fail on many network file systems ("unable to lock file", errno 524).  What is read here is never written
     * at the same time: checkpoints and datasets appear whole, by rename. */
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    H5dont_atexit(); /* all files are closed by then, and after an allocation that failed it crashes */
    if (H5open() < 0)
        status_abort("the HDF5 library cannot start: memory is short");
    /* Bytes that it keeps for itself of what it has freed, in all and per list, of three kinds; its default for the
     * third is 16 MB, which every rank would hold to its end. */
    enum { KEEP = 1 << 20, KEEP_LIST = 1 << 16 };
    H5set_free_list_limits(KEEP, KEEP_LIST, KEEP, KEEP_LIST, KEEP, KEEP_LIST);
    follow_list = H5Pcreate(H5P_LINK_ACCESS);
    H5Pset_elink_cb(follow_list, refuse_link, NULL);
    link_list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link_list, 1);
    H5Pset_char_encoding(link_list, H5T_CSET_UTF8);
}

void h5io__guard(const char *name) {
    crash_guard(name, "the HDF5 library fails on this file: it is damaged, or memory is short");
}

void h5io__lock(const char *name) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_mutex_lock(&mutex);
    h5io__guard(name);
    pthread_once(&once, start_library);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* each thread has its own error stack, which prints unless told not to */
    refused_link[0] = '\0';
    errno = 0; /* for h5io__unlock */
}

/* HDF5 1.10 may leave its memory in ruins when an allocation fails, and crash at any time from then on; not only where
 * it says so: it frees what it kept for later, some of which it is just about to use, and tries again. */
void h5io__unlock(void) {
    if (errno == ENOMEM)
        crash_expect("the HDF5 library ran out of memory");
    crash_unguard();
    pthread_mutex_unlock(&mutex);
}

void h5io__release(const hid_t *id) {
    if (*id >= 0)
        H5Idec_ref(*id);
}

hid_t h5io__follow(void) {
    return follow_list;
}

hid_t h5io__link(void) {
    return link_list;
}

static herr_t take_first(unsigned n, const H5E_error2_t *error, void *data) {
    if (n == 0)
        snprintf(data, 512, "%s", error->desc ? error->desc : "");
    return 0;
}

/* HDF5's reasons that users meet, in their words: another file in its place, a copy or download that broke off, a file
 * of a later version of HDF5. */
static const char *in_words(const char *reason) {
    return strcmp(reason, "file signature not found") == 0 ? "it is not an HDF5 file"
           : strncmp(reason, "truncated file", strlen("truncated file")) == 0
               ? "its end is missing. Copy or make it again"
           : strncmp(reason, "bad version number", strlen("bad version number")) == 0
               ? "it was written by a newer HDF5 than this program has (" H5_VERS_INFO
                 "), or is damaged. Write it with h5py's libver='v110', or without libver"
               : reason;
}

Status h5io__fail(const H5ioFile *file, const char *action, const char *path) {
    if (file->image_failed)
        return STATUS_FAILED; /* and the message is there */
    if (refused_link[0])
        return status_fail(STATUS_FAILED,
                           "cannot %s %s in %s: it is a link to another file (%s), which is not followed", action, path,
                           file->name, refused_link);
    char reason[512] = "unknown reason";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, reason);
    return status_fail(STATUS_FAILED, "cannot %s %s in %s: %s", action, path, file->name, in_words(reason));
}

/* ---- types ---- */

hid_t h5io__memory_type(H5ioType type) {
    switch (type) {
    case H5IO_UINT8:
        return H5T_NATIVE_UINT8;
    case H5IO_INT64:
        return H5T_NATIVE_INT64;
    case H5IO_UINT64:
        return H5T_NATIVE_UINT64;
    case H5IO_FLOAT:
        return H5T_NATIVE_FLOAT;
    case H5IO_DOUBLE:
        return H5T_NATIVE_DOUBLE;
    }
    return -1;
}

hid_t h5io__file_type(H5ioType type) {
    switch (type) {
    case H5IO_UINT8:
        return H5T_STD_U8LE;
    case H5IO_INT64:
        return H5T_STD_I64LE;
    case H5IO_UINT64:
        return H5T_STD_U64LE;
    case H5IO_FLOAT:
        return H5T_IEEE_F32LE;
    case H5IO_DOUBLE:
        return H5T_IEEE_F64LE;
    }
    return -1;
}

size_t h5io_type_size(H5ioType type) {
    static const size_t bytes[] = {
        [H5IO_UINT8] = 1, [H5IO_INT64] = 8, [H5IO_UINT64] = 8, [H5IO_FLOAT] = 4, [H5IO_DOUBLE] = 8};
    return bytes[type];
}

/* ---- files ---- */

Status h5io__new_file(const char *name, bool writable, size_t bytes, H5ioFile **out) {
    *out = NULL;
    H5ioFile *file;
    TRY(memory_new(&file, 1, "HDF5 file"));
    *file = (H5ioFile){.id = -1, .writable = writable, .bytes = bytes};
    Status status = memory_strdup(name, &file->name);
    if (status != STATUS_OK)
        memory_free(file);
    else
        *out = file;
    return status;
}

static void discard(H5ioFile **out) {
    memory_free((*out)->image);
    memory_free((*out)->name);
    memory_free(*out);
    *out = NULL;
}

Status h5io__opened(H5ioFile **out, const char *action) {
    if ((*out)->id >= 0)
        return STATUS_OK;
    char reason[512] = "unknown reason";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, reason);
    if (!(*out)->image_failed)
        status_fail(STATUS_FAILED, "cannot %s %s: %s", action, (*out)->name, in_words(reason));
    discard(out);
    return STATUS_FAILED;
}

static Status open_locked(const char *path, H5ioFile **out) {
    struct stat about;
    *out = NULL;
    if (stat(path, &about) != 0 || access(path, R_OK) != 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return status_fail(STATUS_FAILED, "cannot open %s: it is not a file", path);
    if (H5Fis_hdf5(path) == 0)
        return status_fail(STATUS_FAILED, "cannot open %s: it is not an HDF5 file", path);
    TRY(h5io__new_file(path, false, (size_t)about.st_size, out));
    (*out)->on_disk = true;
    (*out)->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return h5io__opened(out, "open");
}

Status h5io_open(const char *path, H5ioFile **out) {
    return LOCKED(path, open_locked(path, out));
}

static Status create_locked(const char *path, H5ioFile **out) {
    TRY(h5io__new_file(path, true, 0, out));
    (*out)->id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    return h5io__opened(out, "create");
}

Status h5io_create(const char *path, H5ioFile **out) {
    return LOCKED(path, create_locked(path, out));
}

static Status close_locked(H5ioFile *file) {
    Status status = STATUS_OK;
    if (file->id >= 0 && file->writable && H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0)
        status = h5io__fail(file, "write", "the last bytes");
    if (file->id >= 0 && H5Fclose(file->id) < 0 && status == STATUS_OK)
        status = h5io__fail(file, "close", "the file");
    memory_free(file->image);
    memory_free(file->name);
    memory_free(file);
    return status;
}

Status h5io_close(H5ioFile *file) {
    return file == NULL ? STATUS_OK : LOCKED(file->name, close_locked(file));
}

const char *h5io_name(const H5ioFile *file) {
    return file->name;
}

/* ---- groups and objects ---- */

Status h5io__open_object(H5ioFile *file, const char *path, hid_t *id) {
    *id = H5Oopen(file->id, path, follow_list);
    return *id < 0 ? h5io__fail(file, "open", path) : STATUS_OK;
}

Status h5io__open_dataset(H5ioFile *file, const char *path, hid_t *id) {
    TRY(h5io__open_object(file, path, id));
    if (H5Iget_type(*id) != H5I_DATASET)
        return status_fail(STATUS_FAILED, "%s in %s is not a dataset", path, file->name);
    return STATUS_OK;
}

static Status kind_locked(H5ioFile *file, const char *path, H5ioKind *kind) {
    char part[1024];
    size_t length = strlen(path);
    *kind = H5IO_NONE;
    if (length >= sizeof part)
        return status_fail(STATUS_FAILED, "a path of %zu characters in %s is too long", length, file->name);
    /* A path exists when each part of it does, from the root on. */
    for (size_t i = 1; i <= length; i++) {
        if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        htri_t exists = H5Lexists(file->id, part, follow_list);
        if (exists < 0)
            return h5io__fail(file, "look for", path);
        if (exists == 0)
            return STATUS_OK;
    }
    Handle object = -1;
    TRY(h5io__open_object(file, path, &object));
    H5I_type_t type = H5Iget_type(object);
    *kind = type == H5I_GROUP ? H5IO_GROUP : type == H5I_DATASET ? H5IO_DATASET : H5IO_OTHER;
    return STATUS_OK;
}

Status h5io_kind(H5ioFile *file, const char *path, H5ioKind *kind) {
    return LOCKED(file->name, kind_locked(file, path, kind));
}

Status h5io__new_list(size_t count, size_t text_bytes, char ***list, char **text) {
    size_t bytes;
    if (!memory_multiply(count, sizeof(char *), &bytes) || __builtin_add_overflow(bytes, text_bytes, &bytes))
        bytes = SIZE_MAX;
    TRY(memory_alloc(bytes, 1, "list of texts", (void **)list));
    *text = (char *)(*list + count);
    return STATUS_OK;
}

static Status list_locked(H5ioFile *file, const char *path, char ***names, size_t *count) {
    *names = NULL;
    *count = 0;
    H5G_info_t about;
    Handle group = H5Gopen2(file->id, path, follow_list);
    if (group < 0 || H5Gget_info(group, &about) < 0)
        return h5io__fail(file, "open the group", path);
    size_t n = (size_t)about.nlinks, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
        if (length < 0)
            return h5io__fail(file, "list the group", path);
        bytes += (size_t)length + 1;
    }
    char *text;
    TRY(h5io__new_list(n, bytes, names, &text));
    for (size_t i = 0; i < n; i++) {
        (*names)[i] = text;
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, text, bytes, H5P_DEFAULT) < 0) {
            memory_free(*names);
            *names = NULL;
            return h5io__fail(file, "list the group", path);
        }
        size_t used = strlen(text) + 1;
        text += used;
        bytes -= used;
    }
    *count = n;
    return STATUS_OK;
}

Status h5io_list(H5ioFile *file, const char *path, char ***names, size_t *count) {
    return LOCKED(file->name, list_locked(file, path, names, count));
}

static Status make_group_locked(H5ioFile *file, const char *path) {
    H5ioKind kind;
    TRY(kind_locked(file, path, &kind));
    if (kind == H5IO_GROUP)
        return STATUS_OK;
    Handle group = H5Gcreate2(file->id, path, link_list, H5P_DEFAULT, H5P_DEFAULT);
    return group < 0 ? h5io__fail(file, "make the group", path) : STATUS_OK;
}

Status h5io_make_group(H5ioFile *file, const char *path) {
    return LOCKED(file->name, make_group_locked(file, path));
}
