/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_internal.h"
#include "data/import_internal.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The begin of the journal; a byte for each example follows. */
typedef struct Journal {
    char magic[15];
    char stop; /* 1: all processes shall stop */
    uint64_t identity, count;
} Journal;

#define MAGIC "cnn import 1\n"

Status import__write_failed(const char *path, int code) {
    bool full = code == ENOSPC || code == EDQUOT;
    return status_fail(STATUS_FAILED, "cannot write %s: %s%s", path, strerror(code),
                       full ? ". Free some space and run the same command again" : "");
}

Status import__write(const ImportFile *file, const void *bytes, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(file->file, (const char *)bytes + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR)
            return import__write_failed(file->path, errno);
        done += n > 0 ? (size_t)n : 0;
    }
    return STATUS_OK;
}

/* ---- a dataset file with flat arrays ---- */

static const char *array_path(const ImportJob *job, DatasetSplit split, size_t k, char path[512]) {
    return dataset__path(split, k == 0 ? "x" : job->info.labels[k - 1].name, path);
}

static Status make_array(const ImportJob *job, H5ioFile *file, DatasetSplit split, size_t k, size_t count,
                         const int64_t *end) {
    const DatasetInfo *info = &job->info;
    const Shape *shape = k == 0 ? &info->shape : &info->labels[k - 1].shape;
    size_t dim[1 + SHAPE_MAX] = {count}, rank = 1 + shape->rank;
    char path[512];
    memcpy(dim + 1, shape->dim, sizeof shape->dim);
    H5ioType type = k == 0                                    ? info->is_uint8 ? H5IO_UINT8 : H5IO_FLOAT
                    : info->labels[k - 1].kind == LABEL_CLASS ? H5IO_INT64
                                                              : H5IO_FLOAT;
    if (k == 0 && end != NULL) {
        TRY(h5io_write(file, dataset__path(split, "x_end", path), H5IO_INT64, 1, &count, end));
        type = H5IO_UINT8;
        rank = 1;
        dim[0] = (size_t)end[count - 1];
    }
    return h5io_create_flat(file, array_path(job, split, k, path), type, rank, dim);
}

/* The attribute with the files that open left out and the examples that could not be read. */
static Status write_skipped(const ImportJob *job, H5ioFile *file, const char *const *skipped, size_t skipped_count) {
    const ImportSource *source = &job->source;
    const char **all;
    size_t count = source->skipped_count + skipped_count;
    if (count == 0)
        return STATUS_OK;
    TRY(memory_new(&all, count, "list of bad examples"));
    for (size_t i = 0; i < count; i++)
        all[i] = i < source->skipped_count ? source->skipped[i] : skipped[i - source->skipped_count];
    Status status = h5io_attr_write_strings(file, "/", "skipped", all, count);
    memory_free(all);
    return status;
}

static Status fill_file(const ImportJob *job, H5ioFile *file, const size_t count[], int64_t *const end[],
                        const char *const *skipped, size_t skipped_count) {
    TRY(dataset__write_attributes(file, &job->info));
    TRY(write_skipped(job, file, skipped, skipped_count));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t k = 0; k < import__arrays(job) && count[split] > 0; k++)
            TRY(make_array(job, file, split, k, count[split], end[split]));
    return STATUS_OK;
}

Status import__make_file(const ImportJob *job, const char *path, const size_t count[DATASET_SPLITS],
                         int64_t *const end[DATASET_SPLITS], const char *const *skipped, size_t skipped_count) {
    H5ioFile *file;
    struct stat about;
    TRY(h5io_create(path, &file));
    Status status = fill_file(job, file, count, end, skipped, skipped_count);
    Status closed = h5io_close(file);
    TRY(status != STATUS_OK ? status : closed);
    /* The room that it will need, so that a disk that is too small is found now. */
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int code = fd < 0 || fstat(fd, &about) != 0 ? errno : 0;
    if (code == 0 && fallocate(fd, 0, 0, about.st_size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        code = errno;
    if (code == 0 && fsync(fd) != 0)
        code = errno;
    if (fd >= 0)
        close(fd);
    return code == 0 ? STATUS_OK : import__write_failed(path, code);
}

static Status find_arrays(const ImportJob *job, H5ioFile *opened, ImportFile *file) {
    char path[512];
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t k = 0; k < import__arrays(job); k++) {
            H5ioKind kind;
            array_path(job, split, k, path);
            TRY(h5io_kind(opened, path, &kind));
            if (kind != H5IO_NONE)
                TRY(h5io_offset(opened, path, &file->offset[split][k]));
        }
    return STATUS_OK;
}

Status import__open_file(const ImportJob *job, ImportFile *file) {
    H5ioFile *opened;
    TRY(h5io_open(file->path, &opened));
    Status status = find_arrays(job, opened, file);
    h5io_close(opened);
    TRY(status);
    file->file = open(file->path, O_RDWR | O_CLOEXEC);
    return file->file >= 0 ? STATUS_OK : import__write_failed(file->path, errno);
}

void import__close_file(ImportFile *file) {
    if (file->file >= 0)
        close(file->file);
    file->file = -1;
}

/* ---- the journal ---- */

Status import__journal_write(ImportJob *job, size_t first, size_t n) {
    const ImportFile journal = {.path = job->journal_path, .file = job->journal};
    return import__write(&journal, job->state + first, n, sizeof(Journal) + first);
}

Status import__journal_read(ImportJob *job) {
    size_t count = import_job_count(job);
    for (size_t done = 0; done < count;) {
        ssize_t n = pread(job->journal, job->state + done, count - done, (off_t)(sizeof(Journal) + done));
        if (n == 0 || (n < 0 && errno != EINTR))
            return status_fail(STATUS_FAILED, "cannot read %s: %s", job->journal_path,
                               n == 0 ? "it ends early" : strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return STATUS_OK;
}

void import__journal_stop(ImportJob *job) {
    if (pwrite(job->journal, "\1", 1, offsetof(Journal, stop)) != 1)
        log_warn("cannot write %s: %s", job->journal_path, strerror(errno));
}

bool import__journal_stopped(ImportJob *job) {
    char stop = 0;
    return pread(job->journal, &stop, 1, offsetof(Journal, stop)) == 1 && stop != 0;
}

/* ---- begin, join, give up ---- */

static Status begin_anew(ImportJob *job) {
    Journal header = {.magic = MAGIC, .identity = job->identity, .count = import_job_count(job)};
    unlink(job->part.path); /* new files: an older process may still write into the old ones */
    unlink(job->journal_path);
    memset(job->state, EXAMPLE_MISSING, import_job_count(job));
    TRY(import__make_file(job, job->part.path, job->info.count, job->end, NULL, 0));
    TRY(file_write(job->journal_path, 2,
                   (const FilePart[]){{&header, sizeof header}, {job->state, import_job_count(job)}}));
    job->journal = open(job->journal_path, O_RDWR | O_CLOEXEC);
    return job->journal >= 0 ? STATUS_OK : import__write_failed(job->journal_path, errno);
}

static Status only_one(ImportJob *job) {
    if (flock(job->journal, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) /* not every file system has locks */
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "another cnn_import is writing %s", job->options->output);
}

/* Whether the journal is there and speaks of this import; *some: of any, in which something was done. */
static bool is_ours(ImportJob *job, bool *some) {
    Journal header;
    struct stat about;
    *some = false;
    if (pread(job->journal, &header, sizeof header, 0) != sizeof header || memcmp(header.magic, MAGIC, sizeof MAGIC))
        return false;
    *some = access(job->part.path, F_OK) == 0;
    return header.identity == job->identity && header.count == import_job_count(job) &&
           access(job->part.path, R_OK | W_OK) == 0 && fstat(job->journal, &about) == 0 &&
           (uint64_t)about.st_size == sizeof header + header.count;
}

static void count_done(ImportJob *job) {
    size_t done = 0, count = import_job_count(job);
    for (size_t i = 0; i < count; i++)
        done += job->state[i] != EXAMPLE_MISSING;
    job->done = done;
}

Status import_job_begin(ImportJob *job, size_t *done) {
    bool some;
    *done = 0;
    job->journal = open(job->journal_path, O_RDWR | O_CLOEXEC);
    if (job->journal >= 0) {
        TRY(only_one(job));
        if (is_ours(job, &some)) {
            TRY(import__journal_read(job));
            count_done(job);
            *done = job->done;
            if (pwrite(job->journal, "\0", 1, offsetof(Journal, stop)) != 1)
                return import__write_failed(job->journal_path, errno);
            return STATUS_OK;
        }
        if (some)
            log_warn("%s is of another command, or files have changed since: the import begins anew", job->part.path);
        close(job->journal);
    }
    Status status = begin_anew(job);
    if (status == STATUS_OK)
        return only_one(job);
    import_job_give_up(job);
    return status;
}

Status import_job_join(ImportJob *job) {
    if (job->journal < 0)
        job->journal = open(job->journal_path, O_RDWR | O_CLOEXEC);
    if (job->journal < 0)
        return import__write_failed(job->journal_path, errno);
    TRY(import__journal_read(job));
    return import__open_file(job, &job->part);
}

void import_job_give_up(ImportJob *job) {
    unlink(job->part.path);
    unlink(job->journal_path);
}
