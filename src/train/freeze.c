/* SPDX-License-Identifier: Apache-2.0 */
#include "train/freeze.h"
#include "base/edit_distance.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/cli.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Cuts the next word off a list; false: there is none. */
static bool next_word(const char **list, char word[CLI_TEXT]) {
    size_t length = strcspn(*list, ",");
    if (**list == '\0')
        return false;
    snprintf(word, CLI_TEXT, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

static bool is_named(const ModelLayer *layer, const char *pattern) {
    return fnmatch(pattern, layer->name, 0) == 0 || fnmatch(pattern, layer->group, 0) == 0 ||
           (strchr(layer->path, '/') && fnmatch(pattern, layer->path, 0) == 0);
}

static bool any_is_named(const Model *model, const char *pattern) {
    for (size_t l = 0; l < model->layer_count; l++)
        if (is_named(&model->layers[l], pattern))
            return true;
    return false;
}

static bool is_input(const Model *model, size_t l) {
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i].layer == l)
            return true;
    return false;
}

/* ---- names that no layer has ------------------------------------------------------------------------------------- */

/* How far a name is from what was asked for, whose wildcards at the end stand for nothing. */
static size_t distance(const char *pattern, const char *name) {
    char start[CLI_TEXT];
    snprintf(start, sizeof start, "%.*s", (int)strcspn(pattern, "*?["), pattern);
    if (start[0] && strncmp(start, name, strlen(start)) == 0)
        return 0;
    return edit_distance(start, name);
}

Status freeze_unknown(const Model *model, const char *option, const char *pattern) {
    enum { SHOWN = 5 };
    const char *nearest[SHOWN] = {NULL};
    for (size_t l = 0; l < model->layer_count; l++) {
        const char *name = model->layers[l].name;
        for (size_t i = 0; i < SHOWN && !is_input(model, l); i++)
            if (nearest[i] == NULL || distance(pattern, name) < distance(pattern, nearest[i])) {
                memmove(nearest + i + 1, nearest + i, (SHOWN - 1 - i) * sizeof *nearest);
                nearest[i] = name;
                break;
            }
    }
    Status status =
        status_fail(STATUS_USAGE, "--%s %s: network %s has no such layer. Near:", option, pattern, model->name);
    for (size_t i = 0; i < SHOWN && nearest[i]; i++)
        status = status_fail(STATUS_USAGE, "%s%s %s", status_message(), i ? "," : "", nearest[i]);
    return status;
}

/* ---- setting ----------------------------------------------------------------------------------------------------- */

/* Sets `trainable` of all layers of a pattern. */
static Status set_pattern(Model *model, const char *option, const char *pattern, bool trainable, bool *changed) {
    bool found = false;
    for (size_t l = 0; l < model->layer_count; l++) {
        ModelLayer *layer = &model->layers[l];
        if (is_input(model, l) || !is_named(layer, pattern))
            continue;
        found = true;
        *changed |= layer->trainable != trainable;
        layer->trainable = trainable;
    }
    return found ? STATUS_OK : freeze_unknown(model, option, pattern);
}

/* *place = the place in the order of the first layer with that name. */
static Status find_place(const Model *model, const char *option, const char *name, size_t *place) {
    for (*place = 0; *place < model->order_count; ++*place) {
        const ModelLayer *layer = &model->layers[model->order[*place].layer];
        if (strcmp(layer->name, name) == 0 || strcmp(layer->group, name) == 0)
            return STATUS_OK;
    }
    return freeze_unknown(model, option, name);
}

/* Sets `trainable` of the layers that are computed first in calls [from, to) of the order; a shared layer counts where
 * it is called first. */
static void set_range(Model *model, size_t from, size_t to, bool trainable, bool *changed) {
    for (size_t i = from; i < to; i++) {
        size_t l = model->order[i].layer, first = 0;
        while (model->order[first].layer != l)
            first++;
        if (first < from || is_input(model, l))
            continue;
        *changed |= model->layers[l].trainable != trainable;
        model->layers[l].trainable = trainable;
    }
}

Status freeze_layers(Model *model, const char *patterns, const char *until) {
    char word[CLI_TEXT];
    bool changed = false; /* nobody asks */
    size_t place;
    while (next_word(&patterns, word))
        TRY(set_pattern(model, "freeze", word, false, &changed));
    if (until[0] == '\0')
        return STATUS_OK;
    TRY(find_place(model, "freeze-until", until, &place));
    set_range(model, 0, place, false, &changed);
    return STATUS_OK;
}

/* ---- unfreezing -------------------------------------------------------------------------------------------------- */

/* Cuts NAME@EPOCH at the '@'; returns the epoch, 0: it is not of that form. */
static size_t split(char *word) {
    char *at = strrchr(word, '@'), *end;
    if (at == NULL || at == word || at[1] < '0' || at[1] > '9')
        return 0;
    size_t epoch = (size_t)strtoull(at + 1, &end, 10);
    *at = '\0';
    return *end == '\0' ? epoch : 0;
}

Status freeze_thaw(Model *model, const char *unfreeze, size_t epoch, bool *changed) {
    char word[CLI_TEXT], name[CLI_TEXT];
    size_t place;
    *changed = false;
    while (next_word(&unfreeze, word)) {
        memcpy(name, word, sizeof name);
        size_t from = split(name);
        if (from == 0)
            return status_fail(STATUS_USAGE, "--unfreeze %s: must be LAYER@EPOCH, the epoch being 1 or more", word);
        bool pattern = strpbrk(name, "*?[") != NULL;
        if (!pattern)
            TRY(find_place(model, "unfreeze", name, &place));
        else if (!any_is_named(model, name))
            return freeze_unknown(model, "unfreeze", name);
        if (from > epoch)
            continue;
        if (pattern)
            TRY(set_pattern(model, "unfreeze", name, true, changed));
        else
            set_range(model, place, model->order_count, true, changed);
    }
    return STATUS_OK;
}

Status freeze_check(Model *model, const char *unfreeze, size_t epochs) {
    char word[CLI_TEXT];
    bool *trainable, thaws;
    Status status = STATUS_OK;
    TRY(memory_new(&trainable, model->layer_count, "network"));
    for (size_t l = 0; l < model->layer_count; l++)
        trainable[l] = model->layers[l].trainable;
    while (status == STATUS_OK && next_word(&unfreeze, word)) {
        status = freeze_thaw(model, word, SIZE_MAX, &thaws);
        for (size_t l = 0; l < model->layer_count; l++)
            model->layers[l].trainable = trainable[l];
        if (status == STATUS_OK && !thaws)
            log_warn("--unfreeze %s does nothing: no such layer is frozen. See --freeze, --freeze-until.", word);
        else if (status == STATUS_OK && freeze_next(word, epochs) > 0)
            log_warn("--unfreeze %s does nothing: --epochs is %zu", word, epochs);
    }
    memory_free(trainable);
    return status;
}

size_t freeze_next(const char *unfreeze, size_t epoch) {
    char word[CLI_TEXT];
    size_t next = 0;
    while (next_word(&unfreeze, word)) {
        size_t from = split(word);
        if (from > epoch && (next == 0 || from < next))
            next = from;
    }
    return next;
}
