/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of verification against scikit-learn's (golden/make_verify.py), reading pairs, drawing pairs. */
#include "base/memory.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include "train/verify.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 1000 };

static const struct Golden {
    size_t count;
    int steps; /* scores are rounded down to multiples of 1 / steps; 0: not */
    double accuracy, deviation, threshold, auc, eer;
} golden[] = {
#include "golden/verify.inc"
};

static void make_pairs(const struct Golden *g, VerifyPair *pairs, double *scores) {
    for (size_t i = 0; i < g->count; i++) {
        bool same = i * i % 7 < 3;
        double score = (double)(i * 7919 % 997) / 997 * 0.7 + 0.2 * same;
        pairs[i] = (VerifyPair){i, i + 1, same};
        scores[i] = g->steps ? floor(score * g->steps) / g->steps : score;
    }
}

static void near(double ours, double expected, const char *what, size_t number) {
    if (!(fabs(ours - expected) <= 1e-12))
        fail_msg("case %zu: %s is %.17g, not %.17g", number, what, ours, expected);
}

static void figures(void **state) {
    (void)state;
    static VerifyPair pairs[MOST];
    static double scores[MOST];
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const struct Golden *g = &golden[i];
        VerifyResult r;
        make_pairs(g, pairs, scores);
        assert_ok(verify_measure(pairs, scores, g->count, &r));
        near(r.accuracy, g->accuracy, "accuracy", i);
        near(r.deviation, g->deviation, "deviation", i);
        near(r.threshold, g->threshold, "threshold", i);
        near(r.auc, g->auc, "auc", i);
        near(r.eer, g->eer, "eer", i);
    }
    VerifyResult r;
    scores[3] = NAN;
    assert_int_equal(verify_measure(pairs, scores, 20, &r), STATUS_FAILED);
    assert_int_equal(verify_measure(pairs, scores, 2, &r), STATUS_FAILED);
}

static Status read_text(const char *text, VerifyPair **pairs, size_t *count) {
    tmpdir_write("pairs.csv", text, strlen(text));
    return verify_read_pairs(tmpdir_path("pairs.csv"), 100, pairs, count);
}

static void reading(void **state) {
    (void)state;
    VerifyPair *pairs;
    size_t count;
    assert_ok(read_text("row_a,row_b,same\n0,99,1\r\n7, 8,0\n\n1,2,1", &pairs, &count));
    assert_int_equal(count, 3);
    assert_true(pairs[0].a == 0 && pairs[0].b == 99 && pairs[0].same);
    assert_true(pairs[1].a == 7 && pairs[1].b == 8 && !pairs[1].same);
    assert_true(pairs[2].a == 1 && pairs[2].b == 2 && pairs[2].same);
    memory_free(pairs);
    const char *bad[] = {"1,2,1\n1,100,1\n", "1,2,1\n1,2\n",    "1,2,1\n1,2,2\n",
                         "1,2,1\n1,-2,1\n",  "1,2,1\n1,2,1,\n", "1,2,1\n99999999999999999999999,2,1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(bad[i], &pairs, &count), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "line 2"));
        memory_free(pairs);
    }
}

static void drawing(void **state) {
    enum { ROWS = 60, COUNT = 4000 };
    (void)state;
    size_t classes[ROWS], met[ROWS] = {0};
    VerifyPair *pairs, *again;
    for (size_t i = 0; i < ROWS; i++)
        classes[i] = i == 17 ? 9 : i * i % 5 * 2; /* one class has one example; some have none */
    assert_ok(verify_draw_pairs(classes, ROWS, COUNT, 3, &pairs));
    assert_ok(verify_draw_pairs(classes, ROWS, COUNT, 3, &again));
    assert_memory_equal(pairs, again, COUNT * sizeof *pairs);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(pairs[i].a < ROWS && pairs[i].b < ROWS && pairs[i].a != pairs[i].b);
        assert_int_equal(pairs[i].same, i % 2 == 0);
        assert_int_equal(pairs[i].same, classes[pairs[i].a] == classes[pairs[i].b]);
        met[pairs[i].b]++;
    }
    for (size_t i = 0; i < ROWS; i++)
        assert_true(met[i] > 0);
    memory_free(pairs);
    memory_free(again);
    memset(classes, 0, sizeof classes);
    assert_int_equal(verify_draw_pairs(classes, ROWS, COUNT, 3, &pairs), STATUS_FAILED);
    for (size_t i = 0; i < ROWS; i++)
        classes[i] = i;
    assert_int_equal(verify_draw_pairs(classes, ROWS, COUNT, 3, &pairs), STATUS_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(figures), cmocka_unit_test(reading), cmocka_unit_test(drawing)};
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
