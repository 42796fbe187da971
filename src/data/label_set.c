/* SPDX-License-Identifier: Apache-2.0 */
#include "data/label_set.h"
#include "base/memory.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is the whole text a finite decimal number? */
static bool is_number(const char *text, double *value) {
    char *end;
    if (!isdigit((unsigned char)text[strspn(text, "+-.")]) || strpbrk(text, "xX"))
        return false;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

/* The text under which a label is kept: numbers in one form. */
static bool canonical(const char *text, size_t length, char out[LABEL_SET_TEXT]) {
    double value;
    if (length == 0 || length >= LABEL_SET_TEXT || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    if (is_number(out, &value))
        snprintf(out, LABEL_SET_TEXT, "%.15g", value == 0 ? 0 : value); /* no -0 */
    return true;
}

/* The place of `text` in the items, or where it belongs. */
static size_t place_of(const LabelSet *set, const char *text, bool *found) {
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(set->items[middle].text, text);
        if (order == 0) {
            *found = true;
            return middle;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    *found = false;
    return low;
}

Status label_set_add(LabelSet *set, const char *text, size_t length) {
    char name[LABEL_SET_TEXT], *copy;
    bool found;
    if (!canonical(text, length, name))
        return status_fail(STATUS_FAILED, "the label is %s", length == 0 ? "empty" : "too long, or no text");
    size_t place = place_of(set, name, &found);
    if (found)
        return STATUS_OK;
    if (set->count == LABEL_SET_MOST)
        return status_fail(STATUS_FAILED, "there are more than %d different labels: is that column the label?",
                           LABEL_SET_MOST);
    TRY(memory_grow(&set->items, set->count, 1, "labels"));
    TRY(memory_strdup(name, &copy));
    memmove(set->items + place + 1, set->items + place, (set->count - place) * sizeof *set->items);
    set->items[place] = (LabelSetItem){.text = copy};
    set->count++;
    return STATUS_OK;
}

/* ---- numbering ---- */

static int by_number(const void *a, const void *b) {
    double x = strtod((*(LabelSetItem *const *)a)->text, NULL), y = strtod((*(LabelSetItem *const *)b)->text, NULL);
    return (x > y) - (x < y);
}

/* All labels are among the names: their places are the classes. */
static bool by_names(LabelSet *set, char *const names[], size_t name_count) {
    size_t known = 0;
    for (size_t i = 0; i < name_count; i++) {
        char name[LABEL_SET_TEXT];
        bool found = false;
        size_t place = canonical(names[i], strlen(names[i]), name) ? place_of(set, name, &found) : 0;
        if (found) {
            set->items[place].class = (int64_t)i;
            known++;
        }
    }
    return name_count > 0 && known == set->count;
}

/* Whole numbers from 0 on stand for themselves; false: these do not. */
static bool by_themselves(LabelSet *set, LabelSetItem *const sorted[], int64_t *classes) {
    for (size_t i = 0; i < set->count; i++) {
        double value = strtod(sorted[i]->text, NULL);
        if (value != floor(value) || value >= LABEL_SET_MOST || (i == 0 && value != 0))
            return false;
        sorted[i]->class = (int64_t)value;
    }
    *classes = sorted[set->count - 1]->class + 1;
    return true;
}

static Status in_order(LabelSet *set, LabelSetItem *const sorted[], size_t name_count) {
    if (name_count > 0 && name_count != set->count)
        return status_fail(STATUS_FAILED, "there are %zu class names for %zu different labels, from %s to %s",
                           name_count, set->count, sorted[0]->text, sorted[set->count - 1]->text);
    if (name_count == 0)
        TRY(memory_new(&set->names, set->count, "class names"));
    for (size_t i = 0; i < set->count; i++) {
        sorted[i]->class = (int64_t)i;
        if (name_count == 0)
            set->names[i] = sorted[i]->text;
    }
    set->name_count = name_count == 0 ? set->count : 0;
    return STATUS_OK;
}

Status label_set_settle(LabelSet *set, char *const names[], size_t name_count) {
    LabelSetItem **sorted;
    bool numbers = true;
    double value;
    int64_t classes;
    if (set->count == 0 || by_names(set, names, name_count))
        return STATUS_OK;
    TRY(memory_new(&sorted, set->count, "labels"));
    for (size_t i = 0; i < set->count; i++) {
        sorted[i] = &set->items[i];
        numbers = numbers && is_number(set->items[i].text, &value);
    }
    if (numbers)
        qsort(sorted, set->count, sizeof *sorted, by_number);
    Status status = STATUS_OK;
    if (!numbers || !by_themselves(set, sorted, &classes))
        status = in_order(set, sorted, name_count);
    else if (name_count > 0 && classes > (int64_t)name_count)
        status = status_fail(STATUS_FAILED, "the largest label is %lld; there are %zu class names",
                             (long long)classes - 1, name_count);
    memory_free(sorted);
    return status;
}

bool label_set_find(const LabelSet *set, const char *text, size_t length, int64_t *class) {
    char name[LABEL_SET_TEXT];
    bool found = false;
    size_t place = canonical(text, length, name) ? place_of(set, name, &found) : 0;
    *class = found ? set->items[place].class : -1;
    return found;
}

void label_set_free(LabelSet *set) {
    for (size_t i = 0; i < set->count; i++)
        memory_free(set->items[i].text);
    memory_free(set->items);
    memory_free(set->names);
    *set = (LabelSet){0};
}
