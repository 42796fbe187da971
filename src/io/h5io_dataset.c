/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "base/pulse.h"
#include "io/h5io_internal.h"
#include <string.h>
#include <sys/stat.h>

/* deflate cannot shrink data more than 1032 times; a file that claims more was made to exhaust memory. */
enum { COMPRESSION_MAX = 1100, CHUNK_CACHE = 16 << 20 };

static Status refuse(const H5ioFile *file, const char *path, const char *why) {
    return status_fail(STATUS_FAILED, "cannot read %s in %s: %s", path, file->name, why);
}

/* Is the file still what it was when opened?  Where a file was cut off since, HDF5 reads zeros and says nothing. */
static Status check_unchanged(const H5ioFile *file) {
    int *fd;
    struct stat now;
    if (!file->on_disk || H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&fd) < 0)
        return STATUS_OK;
    if (fstat(*fd, &now) != 0 || (size_t)now.st_size != file->bytes)
        return status_fail(STATUS_FAILED, "%s was changed while it was being read", file->name);
    return STATUS_OK;
}

/* Compression that this HDF5 has no code for, such as h5py's lzf, would be an error about a folder of plugins. */
static Status check_filters(const H5ioFile *file, const char *path, hid_t creation) {
    char name[64], why[160];
    for (int i = 0; i < H5Pget_nfilters(creation); i++) {
        size_t values = 0;
        H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, NULL, &values, NULL, sizeof name, name, NULL);
        if (filter < 0 || H5Zfilter_avail(filter) > 0)
            continue;
        snprintf(why, sizeof why, "it is compressed by \"%s\" (filter %d), which is not known here. Write it with gzip",
                 name, filter);
        return refuse(file, path, why);
    }
    return STATUS_OK;
}

/* Are the bytes that the extents call for in the file? */
static Status check_storage(H5ioFile *file, const char *path, hid_t dataset, H5ioInfo *info) {
    Handle creation = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(creation);
    if (layout == H5D_VIRTUAL || H5Pget_external_count(creation) != 0)
        return refuse(file, path, "its content is in other files, which are not followed");
    TRY(check_filters(file, path, creation));
    size_t bytes, chunk = info->type_size, stored = (size_t)H5Dget_storage_size(dataset);
    if (layout == H5D_CHUNKED) {
        hsize_t dim[H5IO_RANK_MAX];
        H5Pget_chunk(creation, H5IO_RANK_MAX, dim);
        info->chunk_rows = (size_t)dim[0];
        for (size_t i = 0; i < info->rank; i++)
            if (!memory_multiply(chunk, (size_t)dim[i], &chunk))
                return refuse(file, path, "its chunks are too large");
    }
    if (!memory_multiply(info->count, info->type_size, &bytes))
        return refuse(file, path, "its extents are too large");
    if (file->writable || bytes == 0)
        return STATUS_OK;
    size_t most = H5Pget_nfilters(creation) > 0 ? COMPRESSION_MAX : 1;
    if (stored > file->bytes || bytes / most > stored || chunk / most > stored)
        return status_fail(STATUS_FAILED,
                           "cannot read %s in %s: it should be %zu bytes, and the file holds %zu of them; the file is "
                           "damaged or was not written to its end",
                           path, file->name, bytes, stored);
    return STATUS_OK;
}

Status h5io__info(H5ioFile *file, const char *path, hid_t dataset, H5ioInfo *info) {
    *info = (H5ioInfo){.count = 1};
    TRY(check_unchanged(file));
    Handle type = H5Dget_type(dataset);
    Handle space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t dim[H5S_MAX_RANK];
    if (type < 0 || space < 0 || rank < 0 || H5Sget_simple_extent_dims(space, dim, NULL) < 0)
        return h5io__fail(file, "describe", path);
    if (rank > H5IO_RANK_MAX)
        return refuse(file, path, "it has more dimensions than this program knows");
    H5T_class_t class = H5Tget_class(type);
    info->class = class == H5T_INTEGER  ? H5IO_CLASS_INTEGER
                  : class == H5T_FLOAT  ? H5IO_CLASS_FLOAT
                  : class == H5T_STRING ? H5IO_CLASS_STRING
                                        : H5IO_CLASS_OTHER;
    info->is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    info->type_size = H5Tget_size(type);
    info->rank = (size_t)rank;
    for (size_t i = 0; i < info->rank; i++) {
        info->dim[i] = (size_t)dim[i];
        if (!memory_multiply(info->count, info->dim[i], &info->count))
            return refuse(file, path, "its extents are too large");
    }
    if (H5Sget_simple_extent_type(space) == H5S_NULL)
        info->count = 0;
    return check_storage(file, path, dataset, info);
}

static Status info_locked(H5ioFile *file, const char *path, H5ioInfo *info) {
    Handle dataset = -1;
    TRY(h5io__open_dataset(file, path, &dataset));
    return h5io__info(file, path, dataset, info);
}

Status h5io_info(H5ioFile *file, const char *path, H5ioInfo *info) {
    return LOCKED(file->name, info_locked(file, path, info));
}

/* Opens a numeric dataset and checks what it says of itself. */
static Status open_numbers(H5ioFile *file, const char *path, hid_t *dataset, H5ioInfo *info) {
    TRY(h5io__open_dataset(file, path, dataset));
    TRY(h5io__info(file, path, *dataset, info));
    if (info->class != H5IO_CLASS_INTEGER && info->class != H5IO_CLASS_FLOAT)
        return refuse(file, path, "it does not hold numbers");
    return STATUS_OK;
}

/* ---- whole datasets ---- */

hid_t h5io__creation(void) {
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    return creation;
}

static hid_t make_space(size_t rank, const size_t dim[]) {
    hsize_t extent[H5IO_RANK_MAX];
    for (size_t i = 0; i < rank; i++)
        extent[i] = dim[i];
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple((int)rank, extent, NULL);
}

static Status write_locked(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[],
                           const void *data) {
    CHECK(rank <= H5IO_RANK_MAX, "rank %zu of %s", rank, path);
    Handle space = make_space(rank, dim);
    Handle creation = h5io__creation();
    Handle dataset = H5Dcreate2(file->id, path, h5io__file_type(type), space, h5io__link(), creation, H5P_DEFAULT);
    if (dataset < 0 || H5Dwrite(dataset, h5io__memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return h5io__fail(file, "write", path);
    return STATUS_OK;
}

Status h5io_write(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[], const void *data) {
    return LOCKED(file->name, write_locked(file, path, type, rank, dim, data));
}

/* "3x3x1x32" */
static const char *format_extents(size_t rank, const size_t dim[], char text[160]) {
    size_t used = 0;
    snprintf(text, 160, "scalar");
    for (size_t i = 0; i < rank && used < 130; i++)
        used += (size_t)snprintf(text + used, 160 - used, "%s%zu", i > 0 ? "x" : "", dim[i]);
    return text;
}

static Status read_locked(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[], void *out) {
    Handle dataset = -1;
    H5ioInfo info;
    TRY(open_numbers(file, path, &dataset, &info));
    if (info.rank != rank || (rank > 0 && memcmp(info.dim, dim, rank * sizeof *dim) != 0)) {
        char is[160], should[160];
        return status_fail(STATUS_FAILED, "%s in %s has the extents %s; needed are %s", path, file->name,
                           format_extents(info.rank, info.dim, is), format_extents(rank, dim, should));
    }
    if (H5Dread(dataset, h5io__memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        return h5io__fail(file, "read", path);
    return STATUS_OK;
}

Status h5io_read(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[], void *out) {
    return LOCKED(file->name, read_locked(file, path, type, rank, dim, out));
}

/* ---- rows ---- */

static Status create_rows_locked(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[],
                                 size_t chunk_rows) {
    CHECK(rank >= 1 && rank <= H5IO_RANK_MAX && chunk_rows > 0, "rank %zu of %s", rank, path);
    hsize_t extent[H5IO_RANK_MAX], most[H5IO_RANK_MAX], chunk[H5IO_RANK_MAX];
    for (size_t i = 0; i < rank; i++)
        extent[i] = most[i] = chunk[i] = dim[i];
    most[0] = H5S_UNLIMITED;
    chunk[0] = chunk_rows;
    Handle space = H5Screate_simple((int)rank, extent, most);
    Handle creation = h5io__creation();
    H5Pset_chunk(creation, (int)rank, chunk);
    Handle dataset = H5Dcreate2(file->id, path, h5io__file_type(type), space, h5io__link(), creation, H5P_DEFAULT);
    return dataset < 0 ? h5io__fail(file, "make", path) : STATUS_OK;
}

Status h5io_create_rows(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[],
                        size_t chunk_rows) {
    return LOCKED(file->name, create_rows_locked(file, path, type, rank, dim, chunk_rows));
}

static Status create_flat_locked(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[]) {
    CHECK(rank >= 1 && rank <= H5IO_RANK_MAX, "rank %zu of %s", rank, path);
    Handle space = make_space(rank, dim);
    Handle creation = h5io__creation();
    H5Pset_layout(creation, H5D_CONTIGUOUS);
    H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
    Handle dataset = H5Dcreate2(file->id, path, h5io__file_type(type), space, h5io__link(), creation, H5P_DEFAULT);
    return dataset < 0 ? h5io__fail(file, "make", path) : STATUS_OK;
}

Status h5io_create_flat(H5ioFile *file, const char *path, H5ioType type, size_t rank, const size_t dim[]) {
    return LOCKED(file->name, create_flat_locked(file, path, type, rank, dim));
}

static Status offset_locked(H5ioFile *file, const char *path, uint64_t *offset) {
    Handle dataset = -1;
    H5ioInfo info;
    TRY(open_numbers(file, path, &dataset, &info));
    haddr_t at = H5Dget_offset(dataset);
    *offset = at;
    return at == HADDR_UNDEF ? refuse(file, path, "its bytes do not lie in one piece") : STATUS_OK;
}

Status h5io_offset(H5ioFile *file, const char *path, uint64_t *offset) {
    return LOCKED(file->name, offset_locked(file, path, offset));
}

static Status flat_locked(H5ioFile *file, const char *path, H5ioType type, bool *flat, uint64_t *offset) {
    Handle dataset = -1;
    H5ioInfo info;
    hsize_t bytes = 0;
    TRY(open_numbers(file, path, &dataset, &info));
    Handle stored = H5Dget_type(dataset);
    haddr_t at = H5Dget_offset(dataset); /* undefined for chunks and for what was never written */
    Handle creation = H5Fget_create_plist(file->id);
    hsize_t before = 1; /* bytes before HDF5's own first one */
    bool whole = H5Pget_userblock(creation, &before) >= 0 && before == 0 && H5Fget_filesize(file->id, &bytes) >= 0 &&
                 at != HADDR_UNDEF && at <= bytes && info.count <= (bytes - at) / h5io_type_size(type);
    *flat = whole && H5Tequal(stored, h5io__memory_type(type)) > 0;
    *offset = *flat ? at : 0;
    return STATUS_OK;
}

Status h5io_flat(H5ioFile *file, const char *path, H5ioType type, bool *flat, uint64_t *offset) {
    return LOCKED(file->name, flat_locked(file, path, type, flat, offset));
}

static Status append_rows_locked(H5ioFile *file, const char *path, H5ioType type, size_t n, const void *rows) {
    Handle dataset = -1;
    H5ioInfo info;
    if (n == 0)
        return STATUS_OK;
    TRY(open_numbers(file, path, &dataset, &info));
    hsize_t extent[H5IO_RANK_MAX], start[H5IO_RANK_MAX] = {0}, count[H5IO_RANK_MAX];
    for (size_t i = 0; i < info.rank; i++)
        extent[i] = count[i] = info.dim[i];
    start[0] = extent[0];
    count[0] = n;
    extent[0] += n;
    if (H5Dset_extent(dataset, extent) < 0)
        return h5io__fail(file, "extend", path);
    Handle space = H5Dget_space(dataset);
    Handle memory = H5Screate_simple((int)info.rank, count, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dwrite(dataset, h5io__memory_type(type), memory, space, H5P_DEFAULT, rows) < 0)
        return h5io__fail(file, "write", path);
    return STATUS_OK;
}

Status h5io_append_rows(H5ioFile *file, const char *path, H5ioType type, size_t n, const void *rows) {
    return LOCKED(file->name, append_rows_locked(file, path, type, n, rows));
}

/* Opens a dataset to read some of its rows, with room for a few of its chunks, so that neighbouring rows do not
 * decompress a chunk again. */
static Status open_rows(H5ioFile *file, const char *path, hid_t *dataset, H5ioInfo *info) {
    Handle access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, CHUNK_CACHE, H5D_CHUNK_CACHE_W0_DEFAULT);
    TRY(open_numbers(file, path, dataset, info));
    H5Idec_ref(*dataset);
    *dataset = H5Dopen2(file->id, path, access);
    if (*dataset < 0)
        return h5io__fail(file, "open", path);
    return info->rank == 0 ? refuse(file, path, "it has no rows") : STATUS_OK;
}

static Status read_rows_locked(H5ioFile *file, const char *path, H5ioType type, const uint64_t rows[], size_t n,
                               void *out) {
    Handle dataset = -1;
    H5ioInfo info;
    TRY(open_rows(file, path, &dataset, &info));
    if (n == 0)
        return STATUS_OK;
    hsize_t start[H5IO_RANK_MAX] = {0}, to[H5IO_RANK_MAX] = {0}, count[H5IO_RANK_MAX];
    for (size_t i = 0; i < info.rank; i++)
        count[i] = info.dim[i];
    count[0] = n;
    Handle space = H5Dget_space(dataset);
    Handle memory = H5Screate_simple((int)info.rank, count, NULL);
    for (size_t done = 0, run; done < n; done += run) {
        for (run = 1; done + run < n && rows[done + run] == rows[done] + run;)
            run++;
        if (rows[done] >= info.dim[0] || run > info.dim[0] - rows[done])
            return status_fail(STATUS_FAILED, "%s in %s has no row %llu", path, file->name,
                               (unsigned long long)(rows[done] + run - 1));
        start[0] = rows[done];
        to[0] = done;
        count[0] = run;
        if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            H5Sselect_hyperslab(memory, H5S_SELECT_SET, to, NULL, count, NULL) < 0 ||
            H5Dread(dataset, h5io__memory_type(type), memory, space, H5P_DEFAULT, out) < 0)
            return h5io__fail(file, "read", path);
        h5io__guard(file->name);
        pulse();
    }
    return STATUS_OK;
}

Status h5io_read_rows(H5ioFile *file, const char *path, H5ioType type, const uint64_t rows[], size_t n, void *out) {
    return LOCKED(file->name, read_rows_locked(file, path, type, rows, n, out));
}

static Status read_range_locked(H5ioFile *file, const char *path, H5ioType type, size_t first, size_t n, void *out) {
    Handle dataset = -1;
    H5ioInfo info;
    TRY(open_rows(file, path, &dataset, &info));
    if (first > info.dim[0] || n > info.dim[0] - first)
        return status_fail(STATUS_FAILED, "%s in %s has no rows %zu to %zu", path, file->name, first, first + n);
    hsize_t start[H5IO_RANK_MAX] = {first}, count[H5IO_RANK_MAX];
    for (size_t i = 0; i < info.rank; i++)
        count[i] = info.dim[i];
    count[0] = n;
    Handle space = H5Dget_space(dataset);
    Handle memory = H5Screate_simple((int)info.rank, count, NULL);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dread(dataset, h5io__memory_type(type), memory, space, H5P_DEFAULT, out) < 0)
        return h5io__fail(file, "read", path);
    pulse();
    return STATUS_OK;
}

Status h5io_read_range(H5ioFile *file, const char *path, H5ioType type, size_t first, size_t n, void *out) {
    return LOCKED(file->name, read_range_locked(file, path, type, first, n, out));
}
