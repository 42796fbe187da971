/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/memory.h"
#include "data/import.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IMPORT_REFER(name) &import_kind_##name,
const ImportKind *const import_kinds[] = {IMPORT_KINDS(IMPORT_REFER) NULL};

const ImportKind *import_find(const char *name) {
    for (size_t i = 0; import_kinds[i] != NULL; i++)
        if (strcmp(import_kinds[i]->name, name) == 0)
            return import_kinds[i];
    return NULL;
}

Status import_note_file(ImportSource *source, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return status_fail(STATUS_FAILED, "cannot open %s: it is not a file", path);
    const int64_t facts[3] = {about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
    source->identity = hash_bytes(hash_bytes(source->identity, path, strlen(path)), facts, sizeof facts);
    return STATUS_OK;
}

DatasetSplit import_split_of(const char *path) {
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    static const struct {
        const char *part;
        DatasetSplit split;
    } names[] = {{"train", DATASET_TRAIN}, {"t10k", DATASET_TEST}, {"test", DATASET_TEST}, {"val", DATASET_VAL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(base, names[i].part) != NULL)
            return names[i].split;
    return DATASET_SPLITS;
}

static Status put(const char *path[], DatasetSplit split, const char *given) {
    if (path[split] != NULL)
        return status_fail(
            STATUS_USAGE,
            "both %s and %s look like %s. Say which is which, with --train FILE, --val FILE, --test FILE.", path[split],
            given, dataset_split_names[split]);
    path[split] = given;
    return STATUS_OK;
}

Status import_sort_paths(const ImportOptions *options, const char *path[DATASET_SPLITS]) {
    bool none = true;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        path[split] = options->split[split][0] ? options->split[split] : NULL;
        none = none && path[split] == NULL && options->path_count == 0;
    }
    if (none)
        return status_fail(STATUS_USAGE, "no files given");
    for (size_t i = 0; i < options->path_count; i++) {
        DatasetSplit split = import_split_of(options->paths[i]);
        if (split == DATASET_SPLITS && options->path_count > 1)
            return status_fail(STATUS_USAGE,
                               "cannot tell which split %s is. Say it with --train FILE, --val FILE or --test FILE.",
                               options->paths[i]);
        TRY(put(path, split == DATASET_SPLITS ? DATASET_TRAIN : split, options->paths[i]));
    }
    return STATUS_OK;
}

Status import_shape(const char *text, size_t width, Shape *shape) {
    const char *at = text;
    char *end;
    *shape = SHAPE(width);
    if (text[0] == '\0')
        return STATUS_OK;
    size_t product = 1;
    bool good = true;
    for (shape->rank = 0; good && shape->rank < SHAPE_MAX; at = end + 1) {
        unsigned long extent = strtoul(at, &end, 10);
        good = end != at && *at != '-' && *at != '+' && extent > 0 && memory_multiply(product, extent, &product);
        shape->dim[shape->rank++] = extent;
        if (*end == '\0')
            break;
        good = good && *end == 'x' && shape->rank < SHAPE_MAX;
    }
    if (!good)
        return status_fail(STATUS_USAGE, "--shape %s: must be like 28x28x1", text);
    if (product != width)
        return status_fail(STATUS_USAGE, "--shape %s: these are %zu numbers, but an example has %zu", text, product,
                           width);
    return STATUS_OK;
}

/* ---- parts ---- */

static const char *const roles[] = {"images", "labels"};

static Status cannot_tell(const ImportPart *part) {
    const char *role = roles[part->is_labels];
    return status_fail(STATUS_USAGE, "cannot tell which split %s is. Say it with --train-%s, --val-%s or --test-%s.",
                       part->name, role, role, role);
}

/* Labels that do not tell: to the only split of so many examples. */
static Status match(ImportPart *labels, const size_t total[DATASET_SPLITS]) {
    for (DatasetSplit s = 0; s < DATASET_SPLITS; s++)
        if (total[s] == labels->count) {
            if (labels->split != DATASET_SPLITS)
                return cannot_tell(labels);
            labels->split = s;
        }
    return labels->split == DATASET_SPLITS ? cannot_tell(labels) : STATUS_OK;
}

/* Splits and places of all parts of a role; totals.  only_train: x does not tell its splits. */
static Status place_role(ImportPart parts[], size_t count, bool is_labels, bool only_train,
                         const size_t examples[DATASET_SPLITS], size_t total[DATASET_SPLITS]) {
    for (size_t i = 0; i < count; i++) {
        ImportPart *part = &parts[i];
        if (part->is_labels != is_labels)
            continue;
        if (part->split == DATASET_SPLITS && only_train)
            part->split = DATASET_TRAIN;
        if (part->split == DATASET_SPLITS && is_labels)
            TRY(match(part, examples));
        if (part->split == DATASET_SPLITS)
            return cannot_tell(part);
        part->first = total[part->split];
        total[part->split] += part->count;
    }
    return STATUS_OK;
}

static const ImportPart *first_of(const ImportPart parts[], bool is_labels, DatasetSplit split) {
    size_t i = 0;
    return &parts[import_find_part(parts, is_labels, split, &i)];
}

static Status check_split(const ImportPart parts[], DatasetSplit split, size_t x, size_t y) {
    const char *name = dataset_split_names[split];
    if ((x == 0) != (y == 0))
        return status_fail(STATUS_USAGE, "%s has %s but no %s. Give them with --%s-%s FILE.", name, roles[x == 0],
                           roles[x != 0], name, roles[x != 0]);
    if (x == y)
        return STATUS_OK;
    const ImportPart *images = first_of(parts, false, split), *labels = first_of(parts, true, split);
    return status_fail(STATUS_FAILED, "%s%s %zu images, %s%s %zu labels: they do not belong together", images->name,
                       images->count < x ? " and what follows have" : " has", x, labels->name,
                       labels->count < y ? " and what follows have" : " has", y);
}

Status import_sort_parts(ImportPart parts[], size_t count, size_t total[DATASET_SPLITS], bool *labelled) {
    size_t images = 0, labels[DATASET_SPLITS] = {0};
    bool told = false;
    *labelled = false;
    for (size_t i = 0; i < count; i++) {
        images += !parts[i].is_labels;
        told |= !parts[i].is_labels && parts[i].split != DATASET_SPLITS;
        *labelled |= parts[i].is_labels;
    }
    TRY(place_role(parts, count, false, !told, NULL, total)); /* x first: labels may be matched with it */
    TRY(place_role(parts, count, true, !told, total, labels));
    for (DatasetSplit split = 0; *labelled && split < DATASET_SPLITS; split++)
        TRY(check_split(parts, split, total[split], labels[split]));
    return images > 0 ? STATUS_OK : status_fail(STATUS_USAGE, "no images given");
}

size_t import_find_part(const ImportPart parts[], bool is_labels, DatasetSplit split, size_t *i) {
    size_t k = 0;
    while (parts[k].is_labels != is_labels || parts[k].split != split || *i - parts[k].first >= parts[k].count)
        k++; /* also when *i is before the first */
    *i -= parts[k].first;
    return k;
}
