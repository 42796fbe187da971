/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/memory.h"
#include "data/import_internal.h"
#include "data/pictures.h"
#include "data/sampler.h"
#include "io/file_bytes.h"
#include "io/h5io.h"
#include <string.h>
#include <unistd.h>

/* ---- names of classes ---- */

static Status add_name(ImportJob *job, const char *name, size_t length, const char *from) {
    if (length == 0)
        return status_fail(STATUS_USAGE, "%s has an empty name", from);
    if (job->name_count == IMPORT_CLASSES)
        return status_fail(STATUS_USAGE, "%s has more than %d names", from, IMPORT_CLASSES);
    for (size_t i = 0; i < job->name_count; i++)
        if (strlen(job->names[i]) == length && memcmp(job->names[i], name, length) == 0)
            return status_fail(STATUS_USAGE, "%s has the name %.*s twice", from, (int)length, name);
    TRY(memory_format(&job->names[job->name_count], "%.*s", (int)length, name));
    job->name_count++;
    return STATUS_OK;
}

/* The parts of a text between the characters `separator`; at the end of a file, an empty one is none. */
static Status split_names(ImportJob *job, const char *text, size_t size, char separator, const char *from) {
    const char *end = text + size;
    TRY(memory_new(&job->names, IMPORT_CLASSES, "class names"));
    while (text <= end) {
        const char *stop = memchr(text, separator, (size_t)(end - text));
        size_t length = (size_t)((stop ? stop : end) - text);
        if (stop == NULL && length == 0 && separator == '\n')
            break;
        TRY(add_name(job, text, length > 0 && text[length - 1] == '\r' ? length - 1 : length, from));
        text += length + 1;
    }
    return STATUS_OK;
}

static Status read_names(ImportJob *job) {
    const ImportOptions *options = job->options;
    if (options->class_names[0] && options->classes_file[0])
        return status_fail(STATUS_USAGE, "--class-names and --classes-file exclude each other");
    if (options->class_names[0])
        return split_names(job, options->class_names, strlen(options->class_names), ',', "--class-names");
    if (!options->classes_file[0])
        return STATUS_OK;
    FileBytes bytes;
    TRY(file_bytes_open(options->classes_file, &bytes));
    Status status = split_names(job, (const char *)bytes.at, bytes.size, '\n', options->classes_file);
    file_bytes_close(&bytes);
    return status == STATUS_OK ? import_note_file(&job->source, options->classes_file) : status;
}

/* ---- what goes where ---- */

DatasetSplit import__split(const ImportJob *job, size_t example, size_t *index) {
    DatasetSplit split = 0;
    while (split + 1 < DATASET_SPLITS && example >= job->source.info.count[split])
        example -= job->source.info.count[split++];
    *index = example;
    return split;
}

ImportPlace import__place(const ImportJob *job, DatasetSplit split, size_t index) {
    if (split != DATASET_TRAIN || job->train_place == NULL)
        return (ImportPlace){split, index};
    uint64_t place = job->train_place[index];
    return (ImportPlace){place & 1 ? DATASET_VAL : DATASET_TRAIN, place >> 1};
}

/* Both parts keep the order of the source. */
static Status choose_validation(ImportJob *job) {
    const ImportOptions *options = job->options;
    size_t *count = job->info.count, total = count[DATASET_TRAIN];
    if (options->validation_split == 0)
        return STATUS_OK;
    if (count[DATASET_VAL] > 0)
        return status_fail(STATUS_USAGE, "--validation-split makes a val part of train, but there is one already");
    if (total == 0)
        return status_fail(STATUS_USAGE, "--validation-split needs training examples");
    TRY(memory_new(&job->train_place, total, "validation split"));
    SamplerView view = sampler_validation_part(total, options->validation_split, options->seed);
    for (uint64_t i = 0; i < view.count; i++)
        job->train_place[sampler_row(&view, i)] = 1;
    count[DATASET_TRAIN] = 0;
    for (size_t i = 0; i < total; i++) {
        size_t *rows = &count[job->train_place[i] ? DATASET_VAL : DATASET_TRAIN];
        job->train_place[i] |= (uint64_t)(*rows)++ << 1;
    }
    return STATUS_OK;
}

size_t import__arrays(const ImportJob *job) {
    return 1 + job->info.label_count;
}

size_t import__row_bytes(const ImportJob *job, size_t k) {
    if (k == 0)
        return shape_count(&job->info.shape) * (job->info.is_uint8 ? 1 : sizeof(float));
    const DatasetLabel *label = &job->info.labels[k - 1];
    return shape_count(&label->shape) * (label->kind == LABEL_CLASS ? sizeof(int64_t) : sizeof(float));
}

uint64_t import__x_begin(const ImportJob *job, DatasetSplit split, size_t row, size_t *bytes) {
    const int64_t *end = job->end[split];
    *bytes = import__row_bytes(job, 0);
    if (end == NULL)
        return (uint64_t)row * *bytes;
    uint64_t begin = row > 0 ? (uint64_t)end[row - 1] : 0;
    *bytes = (size_t)((uint64_t)end[row] - begin);
    return begin;
}

/* For x of several sizes: first each example's size in its place, then their sums. */
static Status place_sizes(ImportJob *job) {
    if (!job->source.info.is_encoded)
        return STATUS_OK;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(memory_new(&job->end[split], job->info.count[split], "sizes of examples"));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t i = 0; i < job->source.info.count[split]; i++) {
            ImportPlace place = import__place(job, split, i);
            job->end[place.split][place.row] = (int64_t)job->kind->bytes(&job->source, split, i);
        }
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t i = 1; i < job->info.count[split]; i++)
            job->end[split][i] += job->end[split][i - 1];
    return STATUS_OK;
}

/* The sources, all options that decide the result, and the layout. */
static uint64_t identify(const ImportJob *job) {
    const DatasetInfo *info = &job->info;
    ImportOptions options;
    memcpy(&options, job->options, sizeof options); /* padding, too */
    options.force = options.skip = false;
    options.threads = 0;
    options.paths = NULL; /* the source's identity has them */
    memset(options.output, 0, sizeof options.output);
    uint64_t hash = hash_bytes(job->source.identity, job->kind->name, strlen(job->kind->name));
    hash = hash_bytes(hash, &options, sizeof options);
    hash = hash_bytes(hash, info->count, sizeof info->count);
    hash = hash_bytes(hash, info->shape.dim, info->shape.rank * sizeof *info->shape.dim);
    for (size_t i = 0; i < info->class_name_count; i++)
        hash = hash_bytes(hash, info->class_names[i], strlen(info->class_names[i]));
    return hash;
}

/* ---- create, destroy ---- */

static Status choose_size(ImportJob *job) {
    const ImportOptions *options = job->options;
    const Shape *x = &job->source.info.shape;
    PictureRule said;
    char text[SHAPE_TEXT];
    if (!job->kind->resizes || (!options->size[0] && !options->resize[0] && options->channels == 0))
        return STATUS_OK;
    TRY(picture_rule_parse(options->size, options->resize, options->channels, &said));
    if (!job->info.is_uint8 || x->rank != 3 || (x->dim[2] != 1 && x->dim[2] != 3) || x->dim[0] > IMAGE_SIDE_MAX ||
        x->dim[1] > IMAGE_SIDE_MAX)
        return status_fail(STATUS_USAGE,
                           "--size, --resize and --channels are for images of bytes with 1 or 3 channels; these are "
                           "%s of %s",
                           shape_format(x, text), job->info.is_uint8 ? "bytes" : "float32");
    job->rule = (PictureRule){x->dim[0], x->dim[1], x->dim[2], IMAGE_CROP};
    picture_rule_prefer(&said, &job->rule);
    job->info.shape = picture_shape(&job->rule);
    job->info.is_pictures = true;
    job->info.fit = job->rule.fit;
    return STATUS_OK;
}

static Status settle(ImportJob *job) {
    const ImportOptions *options = job->options;
    job->info = job->source.info;
    TRY(choose_size(job));
    if (job->name_count > 0) {
        job->info.class_names = job->names;
        job->info.class_name_count = job->name_count;
    }
    if (options->origin[0])
        job->info.origin = (char *)(uintptr_t)options->origin; /* only read */
    CHECK(import__arrays(job) <= IMPORT_ARRAYS, "%zu arrays", import__arrays(job));
    if (import_job_count(job) == 0)
        return status_fail(STATUS_FAILED, "there are no examples in what was given");
    TRY(choose_validation(job));
    TRY(place_sizes(job));
    job->identity = identify(job);
    return memory_new(&job->state, import_job_count(job), "journal of the import");
}

static Status open_job(ImportJob *job) {
    const char *output = job->options->output;
    TRY(memory_format(&job->part.path, "%s.part", output));
    TRY(memory_format(&job->journal_path, "%s.part.journal", output));
    if (!job->options->force && access(output, F_OK) == 0) {
        if (access(job->part.path, F_OK) != 0)
            unlink(job->journal_path); /* of an import that was killed right after its end */
        return status_fail(STATUS_FAILED, "%s exists already. Choose another name, or replace it with --force.",
                           output);
    }
    TRY(read_names(job));
    TRY(job->kind->open(job->options, job->names, job->name_count, &job->source));
    return settle(job);
}

Status import_job_create(const ImportKind *kind, const ImportOptions *options, ImportJob **out) {
    ImportJob *job;
    *out = NULL;
    TRY(memory_new(&job, 1, "import"));
    job->kind = kind;
    job->options = options;
    job->part.file = job->journal = -1;
    Status status = open_job(job);
    if (status == STATUS_OK)
        *out = job;
    else
        import_job_destroy(job);
    return status;
}

void import_job_destroy(ImportJob *job) {
    if (job == NULL)
        return;
    import__close_file(&job->part);
    if (job->journal >= 0)
        close(job->journal);
    job->kind->close(&job->source);
    for (size_t i = 0; i < job->name_count; i++)
        memory_free(job->names[i]);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        memory_free(job->end[split]);
    memory_free(job->names);
    memory_free(job->train_place);
    memory_free(job->state);
    memory_free(job->part.path);
    memory_free(job->journal_path);
    memory_free(job);
}

size_t import_job_count(const ImportJob *job) {
    size_t count = 0;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        count += job->source.info.count[split];
    return count;
}
