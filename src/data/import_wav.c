/* SPDX-License-Identifier: Apache-2.0
 *
 * Sounds: folders of WAV, FLAC or Ogg files, which become log-mel spectrograms x [frames, bands, 1] (data/log_mel.h) of
 * their first --seconds; shorter ones are filled up with silence.  Labels are the names of folders, or a part of file
 * names. */
#include "base/memory.h"
#include "data/file_names.h"
#include "data/folder.h"
#include "data/import.h"
#include "data/label_set.h"
#include "data/log_mel.h"
#include "io/sound.h"
#include <fnmatch.h>
#include <string.h>

typedef struct Wav {
    Folder folder;
    LabelSet labels;                /* with label_from */
    size_t *item[DATASET_SPLITS];   /* owned: which of folder.files */
    FileNames list[DATASET_SPLITS]; /* of --val-list, --test-list */
    LogMel mel;
    double seconds;
    const char *label_from; /* borrowed; "": labels are those of folders */
    bool unlabelled;        /* --label-from none */
    DatasetLabel y;
} Wav;

/* ---- which file is what ---- */

/* The path from the folder given on; of a file of a CSV file, all of it. */
static const char *name_in(const char *root, const char *path) {
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/')
        length--;
    return strncmp(path, root, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static DatasetSplit split_of(const Wav *wav, const ImportOptions *options, const FolderFile *file) {
    const char *name = name_in(options->paths[0], file->path), *slash = strrchr(name, '/');
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        const char *pattern = options->match[split];
        if (pattern[0] && (fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, slash ? slash + 1 : name, 0) == 0))
            return split;
        if (file_names_has(&wav->list[split], name))
            return split;
    }
    return file->split;
}

static Status sort(Wav *wav, const ImportOptions *options, size_t count[DATASET_SPLITS]) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(memory_new(&wav->item[split], wav->folder.count, "list of sounds"));
    for (size_t i = 0; i < wav->folder.count; i++) {
        DatasetSplit split = split_of(wav, options, &wav->folder.files[i]);
        wav->item[split][count[split]++] = i;
    }
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        const char *given = options->match[split][0] ? options->match[split] : options->list[split];
        if (given[0] && count[split] == 0)
            return status_fail(STATUS_USAGE, "%s: no file in %s is named so", given, options->paths[0]);
    }
    return STATUS_OK;
}

static Status read_lists(Wav *wav, const ImportOptions *options, ImportSource *source) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (options->list[split][0]) {
            TRY(import_note_file(source, options->list[split]));
            TRY(file_names_read(options->list[split], &wav->list[split]));
        }
    return STATUS_OK;
}

/* A part of every file's name is its label. */
static Status label_by_names(Wav *wav, char **names, size_t name_count) {
    const char *label;
    size_t length;
    TRY(file_names_check_pattern(wav->label_from));
    for (size_t i = 0; i < wav->folder.count; i++) {
        const char *path = wav->folder.files[i].path;
        if (!file_names_label(wav->label_from, path, &label, &length))
            return status_fail(STATUS_FAILED, "%s: its name is not like %s, as --label-from says", path,
                               wav->label_from);
        TRY(label_set_add(&wav->labels, label, length));
    }
    return label_set_settle(&wav->labels, names, name_count);
}

static Status find_labels(Wav *wav, const ImportOptions *options, char **names, size_t name_count, DatasetInfo *info) {
    if (wav->unlabelled)
        return STATUS_OK;
    if (options->label_from[0]) {
        TRY(label_by_names(wav, names, name_count));
        info->class_names = wav->labels.names;
        info->class_name_count = wav->labels.name_count;
        return STATUS_OK;
    }
    for (size_t i = 0; i < wav->folder.count; i++)
        if (wav->folder.files[i].label < 0)
            return status_fail(STATUS_USAGE,
                               "%s lies in no folder of a class. Put a class's files into a folder of its name, or say "
                               "which part of their names is the label, with --label-from '{label}_*'; none: they "
                               "have no labels, which are to be predicted.",
                               wav->folder.files[i].path);
    info->class_names = wav->folder.class_names;
    info->class_name_count = wav->folder.class_name_count;
    return STATUS_OK;
}

/* ---- the kind ---- */

static Status describe(Wav *wav, const ImportOptions *options, ImportSource *source) {
    DatasetInfo *info = &source->info;
    double rate = options->rate;
    if (rate == 0)
        TRY(sound_rate(wav->folder.files[0].path, &rate));
    wav->seconds = options->seconds;
    TRY(log_mel_create(rate, options->seconds, options->window, options->hop, options->bands, &wav->mel));
    info->shape = SHAPE(wav->mel.frames, wav->mel.bands, 1);
    info->value_max = 1;
    wav->y = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    info->labels = &wav->y;
    info->label_count = !wav->unlabelled;
    return sort(wav, options, info->count);
}

static Status open_wav(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    static const char *const endings[] = {"wav", "flac", "ogg", "oga", "aiff", "aif", NULL};
    FolderOptions wanted = {.split = DATASET_TRAIN, .endings = endings};
    Wav *wav;
    TRY(memory_new(&wav, 1, "sounds"));
    source->self = wav;
    wav->unlabelled = strcmp(options->label_from, "none") == 0;
    wav->label_from = wav->unlabelled ? "" : options->label_from;
    if (options->path_count != 1)
        return status_fail(STATUS_USAGE, "give one folder of sound files, or one CSV file of paths and labels");
    if (!options->label_from[0]) {
        wanted.class_names = name_count > 0 ? names : NULL;
        wanted.class_count = name_count;
    }
    TRY(folder_scan(options->paths[0], &wanted, &wav->folder));
    for (size_t i = 0; i < wav->folder.count; i++)
        TRY(import_note_file(source, wav->folder.files[i].path));
    TRY(read_lists(wav, options, source));
    TRY(find_labels(wav, options, names, name_count, &source->info));
    return describe(wav, options, source);
}

static void close_wav(ImportSource *source) {
    Wav *wav = source->self;
    if (wav == NULL)
        return;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        memory_free(wav->item[split]);
        file_names_free(&wav->list[split]);
    }
    folder_free(&wav->folder);
    label_set_free(&wav->labels);
    log_mel_free(&wav->mel);
    memory_free(wav);
}

/* *samples [mel.samples]: at the rate wanted, cut or filled up. */
static Status fit(const Wav *wav, const Sound *sound, float **samples) {
    TRY(memory_new(samples, wav->mel.samples, "sound"));
    size_t n = wav->mel.samples;
    if (sound->rate == wav->mel.rate) {
        memcpy(*samples, sound->samples, (sound->count < n ? sound->count : n) * sizeof **samples);
        return STATUS_OK;
    }
    double all = (double)sound->count * wav->mel.rate / sound->rate;
    sound_resample(sound->samples, sound->count, sound->rate, wav->mel.rate, *samples,
                   all < (double)n ? (size_t)all : n);
    return STATUS_OK;
}

static Status read_wav(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Wav *wav = source->self;
    const FolderFile *file = &wav->folder.files[wav->item[split][i]];
    const char *label;
    size_t length;
    Sound sound;
    float *samples;
    if (!wav->unlabelled)
        *(int64_t *)labels[0] = file->label;
    if (wav->label_from[0] && file_names_label(wav->label_from, file->path, &label, &length))
        label_set_find(&wav->labels, label, length, labels[0]);
    TRY(sound_read(file->path, wav->seconds, &sound));
    Status status = fit(wav, &sound, &samples);
    sound_free(&sound);
    TRY(status);
    status = log_mel_compute(&wav->mel, samples, x);
    memory_free(samples);
    return status;
}

const ImportKind import_kind_wav = {
    .name = "wav",
    .arguments = "FOLDER",
    .help = "sound files in folders of classes, as log-mel spectrograms",
    .options = "label-from val-match test-match val-list test-list window hop bands rate seconds",
    .open = open_wav,
    .close = close_wav,
    .read = read_wav,
};
