/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts: an SVG file says in words what was drawn. */
#include "base/memory.h"
#include "io/chart.h"
#include "io/file.h"
#include "support/tmpdir.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const double rates[] = {1e-5, 1e-3, 1e-1, 10}, losses[] = {2.25, 2, NAN, 4}, none[] = {NAN, NAN, NAN, NAN};

static void charts_are_written(void **state) {
    (void)state;
    ChartSeries series[] = {{"first", rates, losses, 4}, {"second", rates, losses, 2}};
    Chart chart = {.title = "a title",
                   .x_label = "rate",
                   .y_label = "loss",
                   .log_x = true,
                   .series = series,
                   .series_count = 2,
                   .mark = 1e-3};
    unsigned char *bytes;
    size_t size;
    if (!chart_available()) {
        assert_int_equal(chart_write(&chart, tmpdir_path("a.png")), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "without cairo"));
        return;
    }
    assert_int_equal(chart_write(&chart, tmpdir_path("a.png")), STATUS_OK);
    assert_int_equal(file_read(tmpdir_path("a.png"), &bytes, &size), STATUS_OK);
    assert_true(size > 2000);
    assert_memory_equal(bytes, "\x89PNG", 4);
    assert_memory_equal(bytes + 16, "\0\0\x03\xc0\0\0\x02\x58", 8); /* 960 x 600 */
    memory_free(bytes);
    assert_int_equal(chart_write(&chart, tmpdir_path("a.svg")), STATUS_OK);
    assert_int_equal(file_read(tmpdir_path("a.svg"), &bytes, &size), STATUS_OK);
    assert_non_null(strstr((char *)bytes, "<svg"));
    memory_free(bytes);
    chart.log_x = false;
    assert_int_equal(chart_write(&chart, tmpdir_path("b.png")), STATUS_OK);
    assert_int_equal(chart_write(&chart, "/nonexistent/b.png"), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "/nonexistent/b.png"));
    series[0].y = series[1].y = none;
    assert_int_equal(chart_write(&chart, tmpdir_path("c.png")), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "nothing to draw"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(charts_are_written)};
    tmpdir_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tmpdir_remove();
    return failed;
}
