/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by h5io.c (files, groups), h5io_image.c (files in memory), h5io_dataset.c and h5io_text.c (texts, attributes).
 * All h5io__ functions are called with the lock held. */
#ifndef IO_H5IO_INTERNAL_H
#define IO_H5IO_INTERNAL_H
#include "io/h5io.h"
#include <hdf5.h>

struct H5ioFile {
    hid_t id;
    char *name; /* owned */
    bool writable;
    bool on_disk;
    size_t bytes;      /* size when opened for reading */
    void *image;       /* h5io_create_image: the growing file; owned, handed out by h5io_image */
    size_t image_room; /* bytes of it */
    bool image_failed; /* there was no memory for it; status_message() says so */
};

/* A handle that is given back at the end of its scope: `Handle space = H5Screate(...);` */
#define Handle __attribute__((cleanup(h5io__release))) hid_t
void h5io__release(const hid_t *id);

/* The library is entered by one thread at a time: distributions build HDF5 without its own lock, too.  HDF5 1.10
 * crashes on some damaged files; then the program ends with a message about file `name`. */
void h5io__lock(const char *name);
void h5io__unlock(void);

/* Its time (CRASH_CPU_SECONDS) from now on: between reads of which each may take seconds, as of large compressed
 * chunks. */
void h5io__guard(const char *name);

#define LOCKED(name, call)                                                                                             \
    ({                                                                                                                 \
        h5io__lock(name);                                                                                              \
        Status locked_status = (call);                                                                                 \
        h5io__unlock();                                                                                                \
        locked_status;                                                                                                 \
    })

/* A file that is not open yet. */
Status h5io__new_file(const char *name, bool writable, size_t bytes, H5ioFile **out);

/* Fails, and gives the file back, when it did not get a handle.  action: "open". */
Status h5io__opened(H5ioFile **file, const char *action);

/* "cannot read /train/x in mnist.h5: HDF5's reason". */
Status h5io__fail(const H5ioFile *file, const char *action, const char *path);

/* Property lists for following links (refuses external ones) and for making them (with the groups above). */
hid_t h5io__follow(void);
hid_t h5io__link(void);

/* *id = the open object, which must be a dataset for h5io__open_dataset.  The caller releases it. */
Status h5io__open_object(H5ioFile *file, const char *path, hid_t *id);
Status h5io__open_dataset(H5ioFile *file, const char *path, hid_t *id);

/* h5io_info of an open dataset. */
Status h5io__info(H5ioFile *file, const char *path, hid_t dataset, H5ioInfo *info);

/* A dataset creation property list without times, so that equal content gives equal bytes. */
hid_t h5io__creation(void);

hid_t h5io__memory_type(H5ioType type);
hid_t h5io__file_type(H5ioType type);

/* One block for the list of `count` texts of text_bytes bytes in all (with their ends); *text = where the texts go. */
Status h5io__new_list(size_t count, size_t text_bytes, char ***list, char **text);

#endif
