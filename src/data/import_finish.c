/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "data/import_internal.h"
#include "io/file.h"
#include <errno.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 22 };

/* Reads bad examples once more: one that failed for a passing reason (a file server, memory) is saved, the others get
 * their message. */
static Status look_at_bad(ImportJob *job, char ***messages, size_t *bad) {
    size_t count = import_job_count(job), most = 0;
    for (size_t i = 0; i < count; i++)
        most += job->state[i] == EXAMPLE_BAD;
    TRY(memory_new(messages, most, "list of bad examples"));
    for (size_t i = 0; i < count; i++) {
        if (job->state[i] == EXAMPLE_MISSING)
            return status_fail(STATUS_FAILED, "%s is not complete: run the same command again", job->part.path);
        if (job->state[i] != EXAMPLE_BAD)
            continue;
        Status status = import__do_example(job, i);
        if (status != STATUS_OK)
            TRY(memory_strdup(status_message(), &(*messages)[(*bad)++]));
        else
            job->state[i] = EXAMPLE_DONE;
        pulse();
    }
    return STATUS_OK;
}

/* ---- a copy without bad rows ---- */

/* What is kept of a split, row by row of OUTPUT.part. */
typedef struct Kept {
    bool *row[DATASET_SPLITS]; /* owned, [job->info.count] */
    size_t count[DATASET_SPLITS];
    int64_t *end[DATASET_SPLITS]; /* owned; as ImportJob's */
} Kept;

static void free_kept(Kept *kept) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        memory_free(kept->row[split]);
        memory_free(kept->end[split]);
    }
}

static Status choose_kept(const ImportJob *job, Kept *kept) {
    size_t count = import_job_count(job), index, bytes;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        TRY(memory_new(&kept->row[split], job->info.count[split], "rows"));
        if (job->end[split] != NULL)
            TRY(memory_new(&kept->end[split], job->info.count[split], "sizes of examples"));
    }
    for (size_t i = 0; i < count; i++) {
        DatasetSplit split = import__split(job, i, &index);
        ImportPlace place = import__place(job, split, index);
        kept->row[place.split][place.row] = job->state[i] == EXAMPLE_DONE;
    }
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t i = 0; i < job->info.count[split]; i++)
            if (kept->row[split][i]) {
                size_t n = kept->count[split]++;
                import__x_begin(job, split, i, &bytes);
                if (kept->end[split] != NULL)
                    kept->end[split][n] = (n > 0 ? kept->end[split][n - 1] : 0) + (int64_t)bytes;
            }
    return STATUS_OK;
}

/* `size` bytes from one place of `from` to one of `to`. */
static Status copy_bytes(const ImportFile *from, uint64_t at, const ImportFile *to, uint64_t place, uint64_t size,
                         void *buffer) {
    while (size > 0) {
        ssize_t n = pread(from->file, buffer, size < COPY_BYTES ? size : COPY_BYTES, (off_t)at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return status_fail(STATUS_FAILED, "cannot read %s", from->path);
        if (n > 0) {
            TRY(import__write(to, buffer, (size_t)n, place));
            at += (uint64_t)n, place += (uint64_t)n, size -= (uint64_t)n;
        }
        pulse();
    }
    return STATUS_OK;
}

/* Array k of a split, run by run of rows that are kept. */
static Status copy_array(const ImportJob *job, const Kept *kept, DatasetSplit split, size_t k, const ImportFile *to,
                         void *buffer) {
    uint64_t place = to->offset[split][k];
    size_t count = job->info.count[split], bytes = import__row_bytes(job, k), last_bytes = bytes;
    for (size_t i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && kept->row[split][i + run] == kept->row[split][i];)
            run++;
        if (!kept->row[split][i])
            continue;
        uint64_t begin = (uint64_t)i * bytes, end = begin + (uint64_t)run * bytes;
        if (k == 0) {
            begin = import__x_begin(job, split, i, &last_bytes);
            end = import__x_begin(job, split, i + run - 1, &last_bytes) + last_bytes;
        }
        TRY(copy_bytes(&job->part, job->part.offset[split][k] + begin, to, place, end - begin, buffer));
        place += end - begin;
    }
    return STATUS_OK;
}

static Status copy_all(const ImportJob *job, const Kept *kept, ImportFile *to) {
    void *buffer;
    TRY(import__open_file(job, to));
    TRY(memory_alloc(COPY_BYTES, 1, "copy", &buffer));
    Status status = STATUS_OK;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t k = 0; status == STATUS_OK && k < import__arrays(job); k++)
            status = copy_array(job, kept, split, k, to, buffer);
    memory_free(buffer);
    if (status == STATUS_OK && fsync(to->file) != 0)
        status = import__write_failed(to->path, errno);
    return status;
}

/* Makes `path` of OUTPUT.part. */
static Status leave_out(const ImportJob *job, char *path, char *const messages[], size_t bad) {
    Kept kept = {0};
    ImportFile to = {.path = path, .file = -1};
    Status status = choose_kept(job, &kept);
    if (status == STATUS_OK && bad == import_job_count(job))
        status = status_fail(STATUS_FAILED, "not one example could be read; the first: %s", messages[0]);
    if (status == STATUS_OK)
        status = import__make_file(job, path, kept.count, kept.end, (const char *const *)messages, bad);
    if (status == STATUS_OK)
        status = copy_all(job, &kept, &to);
    import__close_file(&to);
    free_kept(&kept);
    return status;
}

/* ---- finish ---- */

/* Opens it, which looks at all labels and some examples, and gives it its name. */
static Status put_in_place(const ImportJob *job, const char *path) {
    Dataset *written;
    TRY(file_sync(path));
    TRY(dataset_open(path, &written));
    dataset_close(written);
    return file_put_in_place(path, job->options->output);
}

static Status finish(ImportJob *job, char *const messages[], size_t bad) {
    char *path;
    if (bad == 0) {
        TRY(put_in_place(job, job->part.path));
    } else {
        for (size_t i = 0; i < bad; i++)
            log_warn("left out: %s", messages[i]);
        TRY(memory_format(&path, "%s.part2", job->options->output));
        Status status = leave_out(job, path, messages, bad);
        if (status == STATUS_OK)
            status = put_in_place(job, path);
        unlink(path); /* gone already when it was renamed */
        memory_free(path);
        TRY(status);
    }
    import_job_give_up(job); /* what is left of the work */
    return STATUS_OK;
}

Status import_job_finish(ImportJob *job, size_t *skipped) {
    char **messages = NULL;
    *skipped = 0;
    TRY(import__journal_read(job));
    Status status = look_at_bad(job, &messages, skipped);
    if (status == STATUS_OK)
        status = finish(job, messages, *skipped);
    for (size_t i = 0; i < *skipped; i++)
        memory_free(messages[i]);
    memory_free(messages);
    return status;
}
