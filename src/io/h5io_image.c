/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in memory, without HDF5's copies of them: its callbacks for file images hand our own blocks to it. */
#include "base/memory.h"
#include "io/h5io_internal.h"
#include <string.h>

enum { LEAST_INCREMENT = 1 << 20 };

/* HDF5 looks for the file behind an image, and refuses when there is one: such a path cannot exist.  Nor may two images
 * have the same: HDF5 takes them for one file, and reads the first one's content for both. */
static const char *no_file(char path[64]) {
    static unsigned long long images; /* under the lock */
    snprintf(path, 64, "/dev/null/image-%llu", ++images);
    return path;
}

/* HDF5 wants to own what it passes to the callbacks; the caller owns it. */
static void *share(void *user) {
    return user;
}

static herr_t keep(void *user) {
    (void)user;
    return 0;
}

/* ---- reading: every "copy" is the caller's bytes ---- */

static void *lend(size_t size, H5FD_file_image_op_t operation, void *user) {
    (void)size, (void)operation;
    return user;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *user) {
    (void)from, (void)size, (void)operation, (void)user;
    return to;
}

static void *refuse_to_grow(void *block, size_t size, H5FD_file_image_op_t operation, void *user) {
    (void)block, (void)size, (void)operation, (void)user;
    return NULL;
}

static herr_t leave(void *block, H5FD_file_image_op_t operation, void *user) {
    (void)block, (void)operation, (void)user;
    return 0;
}

static Status open_locked(const char *name, const void *bytes, size_t size, H5ioFile **out) {
    char path[64];
    void *image = (void *)(uintptr_t)bytes; /* only read: the file is opened so */
    H5FD_file_image_callbacks_t callbacks = {lend, copy_nothing, refuse_to_grow, leave, share, keep, image};
    TRY(h5io__new_file(name, false, size, out));
    Handle properties = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_fapl_core(properties, LEAST_INCREMENT, 0) >= 0 &&
        H5Pset_file_image_callbacks(properties, &callbacks) >= 0 && H5Pset_file_image(properties, image, size) >= 0)
        (*out)->id = H5Fopen(no_file(path), H5F_ACC_RDONLY, properties);
    return h5io__opened(out, "read");
}

Status h5io_open_image(const char *name, const void *bytes, size_t size, H5ioFile **out) {
    return LOCKED(name, open_locked(name, bytes, size, out));
}

/* ---- writing: the file grows in a block of ours ---- */

static void *resize(void *block, size_t size, H5FD_file_image_op_t operation, void *user) {
    H5ioFile *file = user;
    void *larger = NULL;
    (void)operation;
    if (block != NULL && size <= file->image_room)
        return block;
    file->image_failed = memory_alloc(size, 1, "image of an HDF5 file", &larger) != STATUS_OK;
    if (file->image_failed)
        return NULL;
    if (block != NULL)
        memcpy(larger, block, file->image_room);
    memory_free(block);
    file->image = larger;
    file->image_room = size;
    return larger;
}

static void *allocate(size_t size, H5FD_file_image_op_t operation, void *user) {
    return resize(NULL, size, operation, user);
}

static void *copy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *user) {
    (void)operation, (void)user;
    return memcpy(to, from, size);
}

static Status create_locked(const char *name, size_t expected, H5ioFile **out) {
    char path[64];
    TRY(h5io__new_file(name, true, 0, out));
    H5FD_file_image_callbacks_t callbacks = {allocate, copy, resize, leave, share, keep, *out};
    Handle properties = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_fapl_core(properties, expected > LEAST_INCREMENT ? expected : LEAST_INCREMENT, 0) >= 0 &&
        H5Pset_file_image_callbacks(properties, &callbacks) >= 0)
        (*out)->id = H5Fcreate(no_file(path), H5F_ACC_TRUNC, H5P_DEFAULT, properties);
    return h5io__opened(out, "create");
}

Status h5io_create_image(const char *name, size_t expected, H5ioFile **out) {
    return LOCKED(name, create_locked(name, expected, out));
}

static Status image_locked(H5ioFile *file, void **bytes, size_t *size) {
    *bytes = NULL;
    *size = 0;
    if (H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0)
        return h5io__fail(file, "complete", "the image");
    ssize_t count = H5Fget_file_image(file->id, NULL, 0);
    if (count < 0)
        return h5io__fail(file, "take", "the image");
    hid_t id = file->id;
    file->id = -1; /* closing may free some bytes at the end: they stay, behind what the file says is its end */
    if (H5Fclose(id) < 0)
        return h5io__fail(file, "close", "the image");
    *bytes = file->image;
    *size = (size_t)count;
    file->image = NULL;
    return STATUS_OK;
}

Status h5io_image(H5ioFile *file, void **bytes, size_t *size) {
    return LOCKED(file->name, image_locked(file, bytes, size));
}
