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
        none = none && path[split] == NULL && !options->path[0][0];
    }
    if (none)
        return status_fail(STATUS_USAGE, "no files given");
    for (size_t i = 0; i < IMPORT_PATHS && options->path[i][0]; i++) {
        DatasetSplit split = import_split_of(options->path[i]);
        if (split == DATASET_SPLITS && options->path[1][0])
            return status_fail(STATUS_USAGE,
                               "cannot tell which split %s is. Say it with --train FILE, --val FILE or --test FILE.",
                               options->path[i]);
        TRY(put(path, split == DATASET_SPLITS ? DATASET_TRAIN : split, options->path[i]));
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

/* Labels that do not tell: to the only x of their count. */
static Status match(const ImportPart parts[], const ImportPart *labels, const size_t x[DATASET_SPLITS],
                    DatasetSplit *split) {
    *split = DATASET_SPLITS;
    for (DatasetSplit s = 0; s < DATASET_SPLITS; s++)
        if (x[s] != SIZE_MAX && parts[x[s]].count == labels->count) {
            if (*split != DATASET_SPLITS)
                return cannot_tell(labels);
            *split = s;
        }
    return *split == DATASET_SPLITS ? cannot_tell(labels) : STATUS_OK;
}

static Status sort_one(const ImportPart parts[], size_t i, bool only, size_t pick[2][DATASET_SPLITS]) {
    const ImportPart *part = &parts[i];
    DatasetSplit split = part->split;
    if (split == DATASET_SPLITS && part->is_labels)
        TRY(match(parts, part, pick[0], &split));
    if (split == DATASET_SPLITS && !only)
        return cannot_tell(part);
    split = split == DATASET_SPLITS ? DATASET_TRAIN : split;
    size_t *place = &pick[part->is_labels][split];
    const char *name = dataset_split_names[split], *role = roles[part->is_labels];
    if (*place != SIZE_MAX)
        return status_fail(STATUS_USAGE,
                           "both %s and %s look like the %s of %s. Say which is which, with --%s-%s FILE.",
                           parts[*place].name, part->name, role, name, name, role);
    *place = i;
    return STATUS_OK;
}

static Status check_pair(const ImportPart parts[], DatasetSplit split, size_t x, size_t y) {
    const char *name = dataset_split_names[split];
    if ((x == SIZE_MAX) != (y == SIZE_MAX))
        return status_fail(STATUS_USAGE, "%s has %s but no %s. Give them with --%s-%s FILE.", name,
                           roles[x == SIZE_MAX], roles[x != SIZE_MAX], name, roles[x != SIZE_MAX]);
    if (x != SIZE_MAX && parts[x].count != parts[y].count)
        return status_fail(STATUS_FAILED, "%s has %zu images, %s has %zu labels: they do not belong together",
                           parts[x].name, parts[x].count, parts[y].name, parts[y].count);
    return STATUS_OK;
}

Status import_sort_parts(const ImportPart parts[], size_t count, size_t pick[2][DATASET_SPLITS]) {
    size_t x = 0;
    for (size_t i = 0; i < count; i++)
        x += !parts[i].is_labels;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        pick[0][split] = pick[1][split] = SIZE_MAX;
    for (int labels = 0; labels < 2; labels++) /* x first: labels may be matched with it */
        for (size_t i = 0; i < count; i++)
            if (parts[i].is_labels == (labels == 1))
                TRY(sort_one(parts, i, x == 1, pick));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(check_pair(parts, split, pick[0][split], pick[1][split]));
    return x > 0 ? STATUS_OK : status_fail(STATUS_USAGE, "no images given");
}
