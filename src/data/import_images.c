/* SPDX-License-Identifier: Apache-2.0
 *
 * Import of picture files. */
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/import.h"
#include "data/pictures.h"
#include <string.h>

typedef struct Images {
    Folder folder;
    PictureRule rule;
    PictureWorks works;
    bool keep; /* the files' bytes */
    DatasetLabel label;
    char **skipped; /* owned, with its texts: messages */
    size_t skipped_count;
} Images;

/* ---- files that are left out ---- */

/* Pictures of other formats are named by what they are, files that are no pictures by their number. */
static Status judge_skipped(const ImportOptions *options, Images *images) {
    const Folder *folder = &images->folder;
    size_t others = 0, first = 0;
    TRY(memory_new(&images->skipped, folder->skipped_count, "list of pictures"));
    for (size_t i = 0; i < folder->skipped_count; i++) {
        const FolderSkip *skip = &folder->skipped[i];
        if (skip->reason != FOLDER_FORMAT) {
            log_verbose("left out: %s %s\n", skip->path, folder_reason(skip->reason));
            first = others++ == 0 ? i : first;
            continue;
        }
        ImageInfo info;
        if (image_info_file(skip->path, &info) == STATUS_OK)
            status_fail(STATUS_FAILED, "%s is a %s picture; give it such a name", skip->path, info.format);
        if (!options->skip)
            return status_fail(STATUS_FAILED, "%s, or leave out such files with --on-bad-file skip", status_message());
        log_warn("left out: %s", status_message());
        TRY(memory_strdup(status_message(), &images->skipped[images->skipped_count++]));
    }
    if (others > 0)
        log_info("%zu %s left out (%s %s%s)\n", others, others == 1 ? "file was" : "files were",
                 folder->skipped[first].path, folder_reason(folder->skipped[first].reason),
                 others > 1 ? ", ...; --verbose names all" : "");
    return STATUS_OK;
}

/* ---- the kind ---- */

/* The sizes of all files tell whether they are those that an import began with. */
static uint64_t identify(const Folder *folder) {
    uint64_t hash = 0;
    for (size_t i = 0; i < folder->count; i++) {
        const FolderFile *file = &folder->files[i];
        uint64_t facts[] = {file->size, file->split, (uint64_t)file->label};
        hash = hash_bytes(hash_bytes(hash, file->path, strlen(file->path)), facts, sizeof facts);
    }
    return hash;
}

static void describe(Images *images, ImportSource *source) {
    const Folder *folder = &images->folder;
    images->label = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    source->info = (DatasetInfo){.shape = picture_shape(&images->rule),
                                 .is_uint8 = true,
                                 .value_max = 255,
                                 .is_encoded = images->keep,
                                 .is_pictures = true,
                                 .fit = images->rule.fit,
                                 .labels = &images->label,
                                 .label_count = folder->files[0].label >= 0,
                                 .class_names = folder->class_names,
                                 .class_name_count = folder->class_name_count};
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        source->info.count[split] = folder->first[split + 1] - folder->first[split];
    source->skipped = images->skipped;
    source->skipped_count = images->skipped_count;
    source->identity = identify(folder);
}

static Status open_images(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    Images *images;
    if (options->path_count != 1)
        return status_fail(STATUS_USAGE, "give one folder of pictures, or a .csv file with lines PATH,LABEL");
    TRY(memory_new(&images, 1, "pictures"));
    source->self = images;
    pthread_mutex_init(&images->works.lock, NULL);
    images->keep = options->keep_encoded;
    TRY(picture_rule_parse(options->size, options->resize, options->channels, &images->rule));
    FolderOptions how = {.class_names = name_count > 0 ? names : NULL, .class_count = name_count};
    TRY(folder_scan(options->paths[0], &how, &images->folder));
    TRY(judge_skipped(options, images));
    TRY(picture_rule_settle(&images->folder, NULL, &images->rule));
    describe(images, source);
    return STATUS_OK;
}

static void close_images(ImportSource *source) {
    Images *images = source->self;
    if (images == NULL)
        return;
    for (size_t i = 0; i < images->skipped_count; i++)
        memory_free(images->skipped[i]);
    memory_free(images->skipped);
    folder_free(&images->folder);
    picture_works_free(&images->works);
    pthread_mutex_destroy(&images->works.lock);
    memory_free(images);
}

static const FolderFile *file_of(const Images *images, DatasetSplit split, size_t i) {
    return &images->folder.files[images->folder.first[split] + i];
}

/* The file's bytes, if they can be decoded. */
static Status keep_bytes(const Images *images, const FolderFile *file, size_t size, PictureWork *work, void *x) {
    if (size != file->size)
        return status_fail(STATUS_FAILED, "%s has changed", file->path);
    TRY(image_decode(work->bytes, size, file->path, images->rule.channels, &work->photo));
    memcpy(x, work->bytes, size);
    return STATUS_OK;
}

static Status read_images(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    Images *images = source->self;
    const FolderFile *file = file_of(images, split, i);
    PictureWork *work;
    size_t size;
    if (source->info.label_count > 0)
        *(int64_t *)labels[0] = file->label;
    TRY(picture_work_take(&images->works, &work));
    Status status = picture_read(file->path, file->size, work, &size);
    if (status == STATUS_OK)
        status = images->keep ? keep_bytes(images, file, size, work, x)
                              : picture_decode(&images->rule, work->bytes, size, file->path, work, x);
    picture_work_give(&images->works, work);
    return status;
}

static size_t bytes_of_images(const ImportSource *source, DatasetSplit split, size_t i) {
    const Images *images = source->self;
    uint64_t size = images->keep ? file_of(images, split, i)->size : shape_count(&source->info.shape);
    return size > 0 ? (size_t)size : 1; /* an empty file: reading it fails */
}

const ImportKind import_kind_images = {
    .name = "images",
    .arguments = "FOLDER|FILE.csv",
    .help = "pictures (JPEG, PNG, WebP): a folder for each class, also below train, val and test; or a list",
    .options = "size resize channels keep-encoded",
    .open = open_images,
    .close = close_images,
    .read = read_images,
    .bytes = bytes_of_images,
};
