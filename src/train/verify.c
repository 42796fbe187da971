/* SPDX-License-Identifier: Apache-2.0 */
#include "train/verify.h"
#include "base/memory.h"
#include "base/rng.h"
#include "io/file.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* A whole number of at most `most`, and `end` behind it. */
static bool parse_number(char **text, size_t most, char end, size_t *value) {
    if (!isdigit((unsigned char)**text))
        return false;
    unsigned long long number = strtoull(*text, text, 10);
    *value = (size_t)number;
    while (**text == ' ' || **text == '\r')
        ++*text;
    if (number > most || **text != end)
        return false;
    *text += end != '\0';
    while (**text == ' ')
        ++*text;
    return true;
}

static Status parse_pairs(const char *path, char *text, size_t rows, VerifyPair *pairs, size_t *count) {
    size_t number = 0;
    *count = 0;
    for (char *line; (line = strsep(&text, "\n"));) {
        VerifyPair pair;
        size_t same;
        number++;
        if (line[0] == '\0' || line[0] == '\r' || (number == 1 && !isdigit((unsigned char)line[0])))
            continue;
        if (!parse_number(&line, rows - 1, ',', &pair.a) || !parse_number(&line, rows - 1, ',', &pair.b) ||
            !parse_number(&line, 1, '\0', &same))
            return status_fail(STATUS_FAILED,
                               "%s, line %zu: must be row_a,row_b,same with rows up to %zu, and same 0 or 1", path,
                               number, rows - 1);
        pair.same = same == 1;
        pairs[(*count)++] = pair;
    }
    return STATUS_OK;
}

Status verify_read_pairs(const char *path, size_t rows, VerifyPair **pairs, size_t *count) {
    unsigned char *text;
    size_t size, lines = 1;
    *pairs = NULL;
    TRY(file_read(path, &text, &size));
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    Status status = memory_new(pairs, lines, "pairs");
    if (status == STATUS_OK)
        status = parse_pairs(path, (char *)text, rows, *pairs, count);
    memory_free(text);
    return status;
}

/* Rows sorted by class: rows[first[c] .. first[c + 1] - 1] are those of class c. */
typedef struct ByClass {
    size_t classes, *first, *rows;
    size_t *paired, paired_count; /* rows of classes with two or more */
} ByClass;

static void free_by_class(ByClass *by) {
    memory_free(by->first);
    memory_free(by->rows);
    memory_free(by->paired);
}

static Status sort_by_class(const size_t classes[], size_t rows, ByClass *by) {
    *by = (ByClass){0};
    for (size_t i = 0; i < rows; i++)
        by->classes = classes[i] >= by->classes ? classes[i] + 1 : by->classes;
    TRY(memory_new(&by->first, by->classes + 2, "classes"));
    TRY(memory_new(&by->rows, rows, "rows"));
    TRY(memory_new(&by->paired, rows, "rows"));
    for (size_t i = 0; i < rows; i++)
        by->first[classes[i] + 2]++;
    for (size_t c = 2; c <= by->classes + 1; c++)
        by->first[c] += by->first[c - 1];
    for (size_t i = 0; i < rows; i++)
        by->rows[by->first[classes[i] + 1]++] = i;
    for (size_t i = 0; i < rows; i++)
        if (by->first[classes[i] + 1] - by->first[classes[i]] > 1)
            by->paired[by->paired_count++] = i;
    return STATUS_OK;
}

static size_t draw(RngKey key, size_t pair, size_t which, size_t choices) {
    return (size_t)(rng_uniform(key, pair, which) * (double)choices);
}

Status verify_draw_pairs(const size_t classes[], size_t rows, size_t count, uint64_t seed, VerifyPair **pairs) {
    RngKey key = rng_key(seed, RNG_SPLIT, rng_hash("pairs"), 0);
    ByClass by;
    *pairs = NULL;
    Status status = sort_by_class(classes, rows, &by);
    if (status == STATUS_OK && (by.paired_count == 0 || by.first[classes[0] + 1] - by.first[classes[0]] == rows))
        status = status_fail(STATUS_FAILED, "pairs need a class with two examples, and two classes");
    if (status == STATUS_OK)
        status = memory_new(pairs, count, "pairs");
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        bool same = i % 2 == 0;
        size_t a = same ? by.paired[draw(key, i, 0, by.paired_count)] : draw(key, i, 0, rows);
        size_t first = by.first[classes[a]], members = by.first[classes[a] + 1] - first, b;
        if (same) { /* another one of the class: the place of a is left out */
            b = by.rows[first + draw(key, i, 1, members - 1)];
            b = b >= a ? by.rows[first + draw(key, i, 1, members - 1) + 1] : b;
        } else { /* the block of the class is left out */
            size_t place = draw(key, i, 1, rows - members);
            b = by.rows[place < first ? place : place + members];
        }
        (*pairs)[i] = (VerifyPair){a, b, same};
    }
    free_by_class(&by);
    return status;
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

typedef struct Scored {
    double score;
    size_t place; /* in the list of pairs */
    bool same;
} Scored;

static int by_score(const void *a, const void *b) {
    const Scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The threshold that judges most pairs right, of those outside places [from, to): the lowest score, the middle of two
 * that follow each other, or what is above all; of equally good ones the lowest. */
static double best_threshold(const Scored *sorted, size_t count, size_t from, size_t to) {
    long right = 0, best = -1;
    double threshold = 0, last = NAN;
    for (size_t i = 0; i < count; i++)
        right += (sorted[i].place < from || sorted[i].place >= to) && sorted[i].same;
    for (size_t i = 0; i < count; i++) {
        const Scored *pair = &sorted[i];
        if (pair->place >= from && pair->place < to)
            continue;
        if (pair->score != last && right > best) {
            best = right;
            threshold = isnan(last) ? pair->score : (last + pair->score) / 2;
        }
        right += pair->same ? -1 : 1;
        last = pair->score;
    }
    return right > best ? nextafter(last, INFINITY) : threshold;
}

static void measure_folds(const Scored *sorted, size_t count, VerifyResult *result) {
    double accuracy[VERIFY_FOLDS], mean = 0, square = 0;
    for (size_t f = 0; f < VERIFY_FOLDS; f++) {
        size_t from = f * count / VERIFY_FOLDS, to = (f + 1) * count / VERIFY_FOLDS, right = 0;
        double threshold = best_threshold(sorted, count, from, to);
        for (size_t i = 0; i < count; i++)
            right +=
                sorted[i].place >= from && sorted[i].place < to && (sorted[i].score >= threshold) == sorted[i].same;
        accuracy[f] = (double)right / (double)(to - from);
        mean += accuracy[f] / VERIFY_FOLDS;
    }
    for (size_t f = 0; f < VERIFY_FOLDS; f++)
        square += (accuracy[f] - mean) * (accuracy[f] - mean) / VERIFY_FOLDS;
    result->accuracy = mean;
    result->deviation = sqrt(square);
}

/* Along the ROC curve from the highest score down, over all pairs of one score at once: area by trapezoids, and the
 * first place where false acceptances are no fewer than false rejections. */
static void measure_curve(const Scored *sorted, size_t count, VerifyResult *result) {
    double same = (double)result->same, other = (double)(result->pairs - result->same);
    double fpr = 0, tpr = 0;
    result->auc = 0;
    result->eer = NAN;
    for (size_t i = count; i > 0;) {
        double score = sorted[i - 1].score, hits = 0, alarms = 0;
        for (; i > 0 && sorted[i - 1].score == score; i--) {
            hits += sorted[i - 1].same;
            alarms += !sorted[i - 1].same;
        }
        double dx = alarms / other, dy = hits / same, gap = 1 - fpr - tpr; /* rejections minus acceptances */
        if (isnan(result->eer) && gap - dx - dy <= 0)
            result->eer = fpr + dx * gap / (dx + dy);
        result->auc += dx * (tpr + dy / 2);
        fpr += dx;
        tpr += dy;
    }
}

Status verify_measure(const VerifyPair pairs[], const double scores[], size_t count, VerifyResult *result) {
    Scored *sorted;
    *result = (VerifyResult){.pairs = count};
    for (size_t i = 0; i < count; i++) {
        result->same += pairs[i].same;
        if (!isfinite(scores[i]))
            return status_fail(STATUS_FAILED, "the cosine of rows %zu and %zu is not a number: one of them is zero",
                               pairs[i].a, pairs[i].b);
    }
    if (count < VERIFY_FOLDS || result->same == 0 || result->same == count)
        return status_fail(STATUS_FAILED, "%zu pairs, %zu of them the same: at least %d of both kinds are needed",
                           count, result->same, VERIFY_FOLDS);
    TRY(memory_new(&sorted, count, "scores"));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (Scored){scores[i], i, pairs[i].same};
    qsort(sorted, count, sizeof *sorted, by_score);
    measure_folds(sorted, count, result);
    measure_curve(sorted, count, result);
    result->threshold = best_threshold(sorted, count, count, count);
    memory_free(sorted);
    return STATUS_OK;
}
