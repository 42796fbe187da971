/* SPDX-License-Identifier: Apache-2.0
 *
 * An assessment as text. */
#include "base/log.h"
#include "base/memory.h"
#include "train/assess_write.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 79,
    NAME_WIDTH = 28,    /* longest name in a table */
    SHOWN_CLASSES = 40, /* with more, the worst WORST ones stand for them */
    WORST = 15,
    MATRIX_CLASSES = 12, /* with more, the most frequent confusions stand for the matrix */
    NAME_BYTES = 160
};

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Columns that a UTF-8 text takes, one for each character. */
static size_t columns_of(const char *text) {
    size_t columns = 0;
    for (; *text; text++)
        columns += (*text & 0xc0) != 0x80;
    return columns;
}

/* Name or number of class c, cut to `width` columns. */
static const char *name_of(const AssessOutput *o, AssessNames names, size_t c, size_t width, char text[NAME_BYTES]) {
    if (names.names && names.count == o->classes)
        snprintf(text, NAME_BYTES, "%s", names.names[c]);
    else
        snprintf(text, NAME_BYTES, "%zu", c);
    for (char *at = text; *at; at++) {
        width -= (*at & 0xc0) != 0x80;
        if (width == SIZE_MAX) {
            *at = '\0';
            break;
        }
    }
    return text;
}

static size_t widest_name(const AssessOutput *o, AssessNames names, size_t least, size_t most) {
    char text[NAME_BYTES];
    for (size_t c = 0; c < o->classes; c++) {
        size_t width = columns_of(name_of(o, names, c, most, text));
        least = width > least ? width : least;
    }
    return least;
}

static void print_padded(const char *text, size_t width) {
    size_t used = columns_of(text);
    log_info("%s%*s", text, used < width ? (int)(width - used) : 0, "");
}

static void print_right(const char *text, size_t width) {
    size_t used = columns_of(text);
    log_info("%*s%s", used < width ? (int)(width - used) : 0, "", text);
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static void print_figures(const char *name, size_t width, const AssessFigures *f) {
    print_padded(name, width);
    log_info("  %9.4f %9.4f %9.4f %9llu\n", f->precision, f->recall, f->f1, (unsigned long long)f->support);
}

typedef struct Ranked {
    double key;
    size_t a, b;
} Ranked;

/* Smallest key first; of equal ones the order of a, b. */
static int by_key(const void *x, const void *y) {
    const Ranked *p = x, *q = y;
    if (p->key != q->key)
        return (p->key > q->key) - (p->key < q->key);
    return p->a != q->a ? (p->a > q->a) - (p->a < q->a) : (p->b > q->b) - (p->b < q->b);
}

/* All classes, or those with the smallest f1 that occur. */
static void print_classes(const AssessOutput *o, AssessNames names, size_t width) {
    char text[NAME_BYTES];
    size_t count = 0;
    Ranked *worst = NULL;
    if (o->classes > SHOWN_CLASSES && memory_new(&worst, o->classes, "classes") == STATUS_OK) {
        for (size_t c = 0; c < o->classes; c++)
            if (o->of[c].support > 0)
                worst[count++] = (Ranked){o->of[c].f1, c, 0};
        qsort(worst, count, sizeof *worst, by_key);
        count = count < WORST ? count : WORST;
    }
    for (size_t i = 0; i < (worst ? count : o->classes); i++) {
        size_t c = worst ? worst[i].a : i;
        print_figures(name_of(o, names, c, NAME_WIDTH, text), width, &o->of[c]);
    }
    if (worst)
        log_info("(the %zu of %zu with the smallest f1; --json has all)\n", count, o->classes);
    memory_free(worst);
}

static void print_table(const AssessOutput *o, AssessNames names) {
    size_t width = widest_name(o, names, strlen("weighted average"), NAME_WIDTH);
    log_info("\n");
    print_padded(o->kind == ASSESS_LABELS ? "label" : "class", width);
    log_info("  %9s %9s %9s %9s\n", "precision", "recall", "f1", "support");
    print_classes(o, names, width);
    if (o->kind == ASSESS_LABELS)
        print_figures("micro average", width, &o->micro);
    print_figures("macro average", width, &o->macro);
    print_figures("weighted average", width, &o->weighted);
}

/* "top-5 accuracy 0.99  ROC AUC 0.98": the values that there are. */
static void print_values(const Assessment *a, size_t output) {
    static const struct {
        const char *name, *shown;
    } values[] = {{"top_5", "top-5 accuracy"},        {"auc", "ROC AUC"},
                  {"ece", "calibration error"},       {"mae", "mean absolute error"},
                  {"rmse", "root mean square error"}, {"r2", "R2"}};
    const AssessOutput *o = &a->outputs[output];
    const char *between = "";
    if (o->kind == ASSESS_LABELS) {
        log_info("all labels right %.4f", o->all ? (double)o->exact / (double)o->all : 0);
        between = "  ";
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double value = assess_value(a, output, values[i].name);
        if (isnan(value))
            continue;
        log_info(o->kind == ASSESS_NUMBERS ? "%s%s %.6g" : "%s%s %.4f", between, values[i].shown, value);
        between = "  ";
    }
    if (*between)
        log_info("\n");
}

/* ---- confusions -------------------------------------------------------------------------------------------------- */

/* Digits of the largest entry, and a space. */
static size_t matrix_column(const AssessOutput *o) {
    uint64_t largest = 0;
    char text[32];
    for (size_t t = 0; t < o->classes; t++)
        for (size_t p = 0; p < o->classes; p++)
            largest = assess_confusion(o, t, p) > largest ? assess_confusion(o, t, p) : largest;
    int digits = snprintf(text, sizeof text, "%llu", (unsigned long long)largest);
    return digits < 4 ? 5 : (size_t)digits + 1;
}

static void print_matrix(const AssessOutput *o, AssessNames names, size_t column, size_t width) {
    char text[NAME_BYTES];
    log_info("\nconfusions: rows are the true classes, columns what the network says\n%*s", (int)width, "");
    for (size_t p = 0; p < o->classes; p++)
        print_right(name_of(o, names, p, column - 1, text), column);
    log_info("\n");
    for (size_t t = 0; t < o->classes; t++) {
        print_padded(name_of(o, names, t, width, text), width);
        for (size_t p = 0; p < o->classes; p++)
            if (assess_confusion(o, t, p))
                log_info("%*llu", (int)column, (unsigned long long)assess_confusion(o, t, p));
            else
                log_info("%*s", (int)column, ".");
        log_info("\n");
    }
}

/* The most frequent ones; of `count` pairs of different classes. */
static void print_pairs(const AssessOutput *o, AssessNames names, Ranked *pairs, size_t count) {
    char truth[NAME_BYTES], said[NAME_BYTES];
    qsort(pairs, count, sizeof *pairs, by_key);
    log_info("\nmost frequent confusions%s\n", count ? "" : ": none");
    for (size_t i = 0; i < count && i < WORST; i++) {
        double share = -pairs[i].key / (double)o->of[pairs[i].a].support;
        log_info("%9.0f x ", -pairs[i].key);
        print_padded(name_of(o, names, pairs[i].a, NAME_WIDTH, truth), 0);
        log_info(" called %s (%.1f %%)\n", name_of(o, names, pairs[i].b, NAME_WIDTH, said), 100 * share);
    }
}

static void print_confusions(const AssessOutput *o, AssessNames names) {
    size_t column = matrix_column(o), count = 0, name = widest_name(o, names, 5, NAME_WIDTH);
    Ranked *pairs;
    if (o->classes <= MATRIX_CLASSES && o->classes * column + 5 <= WIDTH) {
        size_t room = WIDTH - o->classes * column, own = name < room ? name : room;
        size_t wide = (WIDTH - own) / o->classes; /* what room there is, names get */
        print_matrix(o, names, wide < name + 1 ? wide : name + 1 > column ? name + 1 : column, own);
        return;
    }
    for (size_t t = 0; t < o->classes; t++)
        for (size_t p = 0; p < o->classes; p++)
            count += t != p && assess_confusion(o, t, p) > 0;
    if (memory_new(&pairs, count, "confusions") != STATUS_OK)
        return;
    count = 0;
    for (size_t t = 0; t < o->classes; t++)
        for (size_t p = 0; p < o->classes; p++)
            if (t != p && assess_confusion(o, t, p) > 0)
                pairs[count++] = (Ranked){-(double)assess_confusion(o, t, p), t, p};
    print_pairs(o, names, pairs, count);
    memory_free(pairs);
}

void assess_print(const Assessment *a, AssessNames names) {
    for (size_t i = 0; i < a->count; i++) {
        const AssessOutput *o = &a->outputs[i];
        if (a->count > 1)
            log_info("\noutput %s:\n", o->name);
        if (o->classes > 0)
            print_table(o, names);
        print_values(a, i);
        if (o->kind == ASSESS_CLASSES && o->classes > 0)
            print_confusions(o, names);
    }
}
