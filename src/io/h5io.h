/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files in the terms of this project: Status, extents, arrays of numbers, texts.  The only user of hdf5.h.
 *
 * Objects are named by their path from the root, "/train/x"; no HDF5 handle leaves these files.  Every function may be
 * called from any thread (one lock around the library), none is collective, none prints.  Failures are STATUS_FAILED
 * and name the file, the object and HDF5's own reason.
 *
 * Files that are read are not trusted: external links, external and virtual storage are refused, and the extents that a
 * file claims are compared with the bytes that it holds before anybody allocates by them. */
#ifndef IO_H5IO_H
#define IO_H5IO_H
#include "base/real.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H5IO_RANK_MAX = 8 };

typedef struct H5ioFile H5ioFile;

/* The types of arrays in memory.  In files they have the same type, little endian. */
typedef enum H5ioType { H5IO_UINT8, H5IO_INT64, H5IO_UINT64, H5IO_FLOAT, H5IO_DOUBLE } H5ioType;
#define H5IO_REAL (REAL_IS_DOUBLE ? H5IO_DOUBLE : H5IO_FLOAT)

/* Bytes of one element in memory. */
size_t h5io_type_size(H5ioType type);

typedef enum H5ioClass { H5IO_CLASS_INTEGER, H5IO_CLASS_FLOAT, H5IO_CLASS_STRING, H5IO_CLASS_OTHER } H5ioClass;

/* What a dataset in a file is. */
typedef struct H5ioInfo {
    H5ioClass class;
    bool is_signed;   /* integers */
    size_t type_size; /* bytes of one element in the file */
    size_t rank;      /* 0 for a scalar */
    size_t dim[H5IO_RANK_MAX];
    size_t count;      /* product of dim */
    size_t chunk_rows; /* rows of one chunk, 0 when not chunked */
} H5ioInfo;

typedef enum H5ioKind { H5IO_NONE, H5IO_GROUP, H5IO_DATASET, H5IO_OTHER } H5ioKind;

/* ---- files ---- */

/* Opens for reading.  Without file locks, which fail on many network file systems, unless the environment variable
 * HDF5_USE_FILE_LOCKING says otherwise. */
Status h5io_open(const char *path, H5ioFile **out);

/* Opens `size` bytes in memory for reading, which must stay until h5io_close; `name` stands for the file in
 * messages. */
Status h5io_open_image(const char *name, const void *bytes, size_t size, H5ioFile **out);

/* A new file for writing; an existing one is emptied. */
Status h5io_create(const char *path, H5ioFile **out);

/* A new file in memory, for writing; `name` stands for it in messages.  expected: bytes that it will have, so that it
 * need not be moved while it grows; 0: unknown. */
Status h5io_create_image(const char *name, size_t expected, H5ioFile **out);

/* *bytes = what a file on disk would hold, of a file made by h5io_create_image: not a copy, so that after it, also when
 * it fails, the file can only be closed.  The caller frees with memory_free. */
Status h5io_image(H5ioFile *file, void **bytes, size_t *size);

/* Closes and frees `file`, whatever the result; accepts NULL.  When writing, the result tells whether all got out. */
Status h5io_close(H5ioFile *file);

/* The name that messages use: the path given to open or create.  Borrowed from `file`. */
const char *h5io_name(const H5ioFile *file);

/* ---- groups and what is in them ---- */

/* *kind = what `path` is; H5IO_NONE when it or a part of it does not exist. */
Status h5io_kind(H5ioFile *file, const char *path, H5ioKind *kind);

/* *names = the names in a group, in alphabetical order: one block, pointers and texts, freed with memory_free. */
Status h5io_list(H5ioFile *file, const char *path, char ***names, size_t *count);

/* Makes a group, and missing groups above it; an existing group is left as it is. */
Status h5io_make_group(H5ioFile *file, const char *path);

/* ---- datasets ---- */

/* Describes a dataset.  Fails for external or virtual storage, rank > H5IO_RANK_MAX, and extents that cannot be in a
 * file of this size. */
Status h5io_info(H5ioFile *file, const char *path, H5ioInfo *info);

/* Writes a whole new dataset, rows one after the other; missing groups above it are made.  rank 0: a scalar. */
Status h5io_write(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[], const void *data);

/* Reads a whole numeric dataset into out[product of dim], converted to `type` (values out of its range become the
 * nearest in range).  Fails unless rank and extents are exactly those given. */
Status h5io_read(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[], void *out);

/* A new dataset that grows by rows: dim[0] rows to begin with (usually 0), each dim[1] x ..., chunks of chunk_rows. */
Status h5io_create_rows(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[],
                        size_t chunk_rows);

/* A new dataset whose bytes lie in one piece in the file, little endian, and are not written yet: rank extents dim,
 * none of them 0.  h5io_offset then says where, so that others can write there without this library once the file is
 * closed. */
Status h5io_create_flat(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[]);

/* *offset = bytes from the begin of the file to the first byte of a dataset made by h5io_create_flat. */
Status h5io_offset(H5ioFile *file, const char *path, uint64_t *offset);

/* *flat: the dataset's bytes lie in one piece in the file, all of them, just as `type` has them in memory, at *offset:
 * so they can be read without this library. */
Status h5io_flat(H5ioFile *file, const char *path, H5ioType type, bool *flat, uint64_t *offset);

/* Appends `n` rows to a dataset made by h5io_create_rows. */
Status h5io_append_rows(H5ioFile *file, const char *path, H5ioType type, size_t n, const void *rows);

/* Reads rows (first dimension) rows[0 .. n-1], any order, of a numeric dataset one after the other into `out`,
 * converted to `type`.  Runs of neighbouring numbers are read in one go: ascending order is fast. */
Status h5io_read_rows(H5ioFile *file, const char *path, H5ioType type, const uint64_t rows[], size_t n, void *out);

/* Rows first .. first + n - 1. */
Status h5io_read_range(H5ioFile *file, const char *path, H5ioType type, size_t first, size_t n, void *out);

/* One text as a scalar dataset of variable length, UTF-8. */
Status h5io_write_string(H5ioFile *file, const char *path, const char *text);

/* *text = a scalar text dataset of fixed or variable length, ASCII or UTF-8.  The caller frees with memory_free. */
Status h5io_read_string(H5ioFile *file, const char *path, char **text);

/* ---- attributes of the group or dataset `path` ("/" for the root) ---- */

Status h5io_attr_exists(H5ioFile *file, const char *path, const char *name, bool *exists);

/* Texts, as above.  Writing replaces an existing attribute. */
Status h5io_attr_write_string(H5ioFile *file, const char *path, const char *name, const char *text);
Status h5io_attr_read_string(H5ioFile *file, const char *path, const char *name, char **text);

/* Lists of texts, as Keras writes layer_names: fixed length, padded with zeros; when longer than HDF5 allows for an
 * attribute, in pieces name0, name1, ...  Reading takes both forms, fixed and variable length, and joins the pieces.
 * *list is one block, pointers and texts, freed with memory_free. */
Status h5io_attr_strings_exist(H5ioFile *file, const char *path, const char *name, bool *exist);
Status h5io_attr_write_strings(H5ioFile *file, const char *path, const char *name, const char *const list[],
                               size_t count);
Status h5io_attr_read_strings(H5ioFile *file, const char *path, const char *name, char ***list, size_t *count);

/* Numbers: count 1 is written as a scalar, more as a vector.  Reading takes a scalar or vector (any rank) of exactly
 * `count` numbers, converted to `type`. */
Status h5io_attr_write(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count,
                       const void *data);
Status h5io_attr_read(H5ioFile *file, const char *path, const char *name, H5ioType type, size_t count, void *out);

#endif
