/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading data takes, beside the least that it could take, in one process and in turns.
 *
 *     bench_input import FOLDER [SIZE]     cnn_import images of the folder's JPEG files by one thread, beside
 *                                          libjpeg-turbo alone
 *     bench_input shuffled DATASET.h5      examples of train in random order, none kept in memory, beside pread of
 *                                          their bytes
 *
 * Prints the best of some rounds: processor time of one core, which other programs disturb least, and elapsed time. */
#include "base/memory.h"
#include "data/dataset_internal.h"
#include "data/folder.h"
#include "data/import_job.h"
#include "data/loader.h"
#include "io/h5io.h"
#include <fcntl.h>
#include <jpeglib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, BATCH = 32 };

typedef struct Times {
    double processor, elapsed;
} Times;

static double clock_seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static Times now(void) {
    return (Times){clock_seconds(CLOCK_PROCESS_CPUTIME_ID), clock_seconds(CLOCK_MONOTONIC)};
}

/* Keeps the best since `began`. */
static void keep_best(Times began, int round, Times *best) {
    Times end = now(), took = {end.processor - began.processor, end.elapsed - began.elapsed};
    if (round == 0 || took.processor < best->processor)
        best->processor = took.processor;
    if (round == 0 || took.elapsed < best->elapsed)
        best->elapsed = took.elapsed;
}

static void print(const char *what, Times took, size_t count, const Times *peer) {
    printf("%-44s %9.1f us processor %9.1f us elapsed", what, 1e6 * took.processor / (double)count,
           1e6 * took.elapsed / (double)count);
    if (peer)
        printf("   speed %3.0f %% and %3.0f %%", 100 * peer->processor / took.processor,
               100 * peer->elapsed / took.elapsed);
    printf("\n");
}

/* ---- import ---- */

/* Files in memory. */
typedef struct Files {
    unsigned char **bytes;
    size_t *size, count, most; /* most: pixels of the largest */
} Files;

static Status read_file(const char *path, size_t size, unsigned char *to) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = file >= 0 && read(file, to, size) == (ssize_t)size;
    close(file);
    return whole ? STATUS_OK : status_fail(STATUS_FAILED, "cannot read %s", path);
}

static Status read_files(const Folder *folder, Files *files) {
    TRY(memory_new(&files->bytes, folder->count, "files"));
    TRY(memory_new(&files->size, folder->count, "files"));
    for (size_t i = 0; i < folder->count; i++) {
        ImageInfo info;
        size_t size = folder->files[i].size;
        TRY(memory_alloc(size, 1, "file", (void **)&files->bytes[i]));
        TRY(read_file(folder->files[i].path, size, files->bytes[i]));
        TRY(image_info(files->bytes[i], size, folder->files[i].path, &info));
        files->size[i] = size;
        files->most = info.height * info.width > files->most ? info.height * info.width : files->most;
    }
    files->count = folder->count;
    return STATUS_OK;
}

/* libjpeg-turbo to RGB, nothing else; errors end the program. */
static void decode(struct jpeg_decompress_struct *jpeg, const unsigned char *bytes, size_t size, unsigned char *rgb) {
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = rgb + (size_t)jpeg->output_scanline * jpeg->output_width * 3;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

/* folder NULL: from memory; else each file is read first. */
static Status decode_all(const Files *files, const Folder *folder, int round, Times *best) {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *rgb = malloc(files->most * 3), *bytes = malloc(64 << 20);
    Status status = STATUS_OK;
    memset(rgb, 0, files->most * 3);
    jpeg.err = jpeg_std_error(&errors);
    Times began = now();
    jpeg_create_decompress(&jpeg);
    for (size_t i = 0; status == STATUS_OK && i < files->count; i++) {
        if (folder)
            status = read_file(folder->files[i].path, files->size[i], bytes);
        decode(&jpeg, folder ? bytes : files->bytes[i], files->size[i], rgb);
    }
    jpeg_destroy_decompress(&jpeg);
    keep_best(began, round, best);
    free(rgb);
    free(bytes);
    return status;
}

static Status import(const ImportOptions *options, int round, Times *best) {
    ImportJob *job;
    size_t done, skipped;
    Times began = now();
    TRY(import_job_create(&import_kind_images, options, &job));
    Status status = import_job_begin(job, &done);
    if (status == STATUS_OK)
        status = import_job_join(job);
    if (status == STATUS_OK)
        status = import_job_work(job, 0, 1, 1, NULL, NULL);
    if (status == STATUS_OK)
        status = import_job_finish(job, &skipped);
    import_job_destroy(job);
    keep_best(began, round, best);
    return status;
}

static Status bench_import(const char *path, const char *size) {
    static ImportOptions options = {.output = "bench-input.h5", .force = true, .skip = true};
    Folder folder;
    Files files = {0};
    Times alone, reading, imported, kept;
    options.paths = (char *const *)&path; /* only read */
    options.path_count = 1;
    snprintf(options.size, IMPORT_TEXT, "%s", size);
    TRY(folder_scan(path, &(FolderOptions){0}, &folder));
    TRY(read_files(&folder, &files));
    for (int round = 0; round < ROUNDS; round++) {
        TRY(decode_all(&files, NULL, round, &alone));
        TRY(decode_all(&files, &folder, round, &reading));
        options.keep_encoded = false;
        TRY(import(&options, round, &imported));
        options.keep_encoded = true;
        TRY(import(&options, round, &kept));
    }
    unlink(options.output);
    printf("%zu JPEG files of %s, one thread, per file\n", folder.count, path);
    print("libjpeg-turbo, files in memory", alone, folder.count, NULL);
    print("libjpeg-turbo, files read first", reading, folder.count, NULL);
    print("cnn_import images", imported, folder.count, &alone);
    print("cnn_import images --keep-encoded", kept, folder.count, &alone);
    return STATUS_OK;
}

/* ---- shuffled ---- */

/* Forgets what the system keeps of the file. */
static void make_cold(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
}

static Status pread_all(const char *path, uint64_t offset, size_t bytes, uint64_t count, const LoaderOptions *options,
                        int round, Times *best) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char *to = malloc(bytes);
    Times began = now();
    memset(to, 0, bytes);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = sampler_index(&options->view, options->order, 0, i);
        if (pread(file, to, bytes, (off_t)(offset + row * bytes)) != (ssize_t)bytes)
            return status_fail(STATUS_FAILED, "cannot read %s", path);
    }
    keep_best(began, round, best);
    free(to);
    close(file);
    return STATUS_OK;
}

/* What the loader's thread reads, batch by batch, before it is converted. */
static Status fetch_all(const LoaderOptions *options, size_t bytes, uint64_t count, int round, Times *best) {
    uint64_t rows[BATCH];
    void *raw = malloc(bytes * BATCH);
    Status status = STATUS_OK;
    memset(raw, 0, bytes * BATCH);
    Times began = now();
    for (uint64_t first = 0; status == STATUS_OK && first < count; first += BATCH) {
        for (uint64_t i = 0; i < BATCH; i++)
            rows[i] = sampler_index(&options->view, options->order, 0, first + i);
        status = dataset__fetch(options->dataset, options->split, rows, BATCH, raw);
    }
    keep_best(began, round, best);
    free(raw);
    return status;
}

static Status load_all(const LoaderOptions *options, uint64_t count, int round, Times *best) {
    Loader *loader;
    LoaderBatch batch;
    TRY(loader_create(options, &loader));
    Times began = now();
    Status status = STATUS_OK;
    for (uint64_t seen = 0; status == STATUS_OK && seen < count; seen += batch.n)
        status = loader_next(loader, &batch);
    keep_best(began, round, best);
    loader_destroy(loader);
    return status;
}

static Status bench_shuffled(const char *path) {
    Dataset *dataset;
    H5ioFile *file;
    bool flat;
    uint64_t offset;
    TRY(dataset_open(path, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    uint64_t count = info->count[DATASET_TRAIN] / BATCH * BATCH;
    dataset_set_memory_limit(dataset, 1 << 20);
    TRY(h5io_open(path, &file));
    TRY(h5io_flat(file, "/train/x", H5IO_UINT8, &flat, &offset));
    h5io_close(file);
    if (!flat || info->is_encoded)
        return status_fail(STATUS_FAILED, "%s: x should be uint8 in one piece", path);
    LoaderOptions options = {.dataset = dataset, .split = DATASET_TRAIN, .view = sampler_whole(count), .units = 1};
    options.batch_size = BATCH;
    options.micro_batches = 1;
    options.order = (SamplerOrder){.shuffle = true, .seed = 1};
    for (int cold = 1; cold >= 0; cold--) {
        Times peer, fetched, own;
        size_t bytes = shape_count(&info->shape);
        for (int round = 0; round < ROUNDS; round++) {
            if (cold)
                make_cold(path);
            TRY(pread_all(path, offset, bytes, count, &options, round, &peer));
            if (cold)
                make_cold(path);
            TRY(fetch_all(&options, bytes, count, round, &fetched));
            if (cold)
                make_cold(path);
            TRY(load_all(&options, count, round, &own));
        }
        printf("%llu examples of %zu bytes, shuffled, %s\n", (unsigned long long)count, bytes,
               cold ? "from the disk" : "kept by the system");
        print("pread", peer, count, NULL);
        print("dataset, as they are in the file", fetched, count, &peer);
        print("loader, read and converted to float", own, count, &peer);
    }
    dataset_close(dataset);
    return STATUS_OK;
}

int main(int argc, char **argv) {
    Status status = STATUS_USAGE;
    if (argc >= 3 && strcmp(argv[1], "import") == 0)
        status = bench_import(argv[2], argc > 3 ? argv[3] : "");
    else if (argc == 3 && strcmp(argv[1], "shuffled") == 0)
        status = bench_shuffled(argv[2]);
    else
        fprintf(stderr, "usage: bench_input import FOLDER [SIZE] | shuffled DATASET.h5\n");
    if (status == STATUS_FAILED)
        fprintf(stderr, "bench_input: %s\n", status_message());
    return (int)status;
}
