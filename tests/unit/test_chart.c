/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts: what stands at their axes, how large they are, that each format is written, that odd values and texts do no
 * harm. */
#include "base/memory.h"
#include "io/chart.h"
#include "io/chart_internal.h"
#include "io/file.h"
#include "support/tmpdir.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const double rates[] = {1e-5, 1e-3, 1e-1, 10}, losses[] = {2.25, 2, NAN, 4}, none[] = {NAN, NAN, INFINITY, NAN};

/* The axis of values from low to high, as "0.0 0.5 1.0". */
static void expect_ticks(bool log, double low, double high, ChartFit fit, const char *expected) {
    ChartAxis axis = {.log = log, .from = 0, .to = 100};
    char text[CHART_TICK], all[CHART_MAX_TICKS * CHART_TICK] = "";
    axis.low = chart__unit(&axis, low);
    axis.high = chart__unit(&axis, high);
    chart__fit_axis(&axis, fit);
    for (size_t k = 0; k < axis.tick_count; k++) {
        assert_true(chart__pixel(&axis, axis.ticks[k]) > -1e-6 && chart__pixel(&axis, axis.ticks[k]) < 100 + 1e-6);
        strcat(strcat(all, k ? " " : ""), chart__tick_text(&axis, axis.ticks[k], text));
    }
    assert_string_equal(all, expected);
}

static void ticks_are_round_numbers(void **state) {
    (void)state;
    const ChartFit x = {.whole = true, .count = 7}, y = {.round = true, .count = 5};
    expect_ticks(false, 0.013, 0.997, y, "0.0 0.2 0.4 0.6 0.8 1.0");
    expect_ticks(false, 0.9031, 0.9312, y, "0.90 0.91 0.92 0.93 0.94");
    expect_ticks(false, -1, 1, y, "-1.0 -0.5 0.0 0.5 1.0");
    expect_ticks(false, 1, 1, x, "1");
    expect_ticks(false, 1, 3, x, "1 2 3");
    expect_ticks(false, 1, 300, x, "50 100 150 200 250 300");
    expect_ticks(false, 0.001, 0.001, y, "0.0009 0.00095 0.001 0.00105 0.0011");
    expect_ticks(false, 0, 0, y, "-1.0 -0.5 0.0 0.5 1.0");
    expect_ticks(false, 12000, 61000, y, "10000 20000 30000 40000 50000 60000 70000");
    expect_ticks(false, 1e299, 2e299, y, "1e+299 1.2e+299 1.4e+299 1.6e+299 1.8e+299 2e+299");
    expect_ticks(true, 1e-5, 10, y, "0.0001 0.01 1");
    expect_ticks(true, 1e-5, 10, x, "1e-05 0.0001 0.001 0.01 0.1 1 10");
    expect_ticks(true, 0.02, 1.4, y, "0.02 0.05 0.1 0.2 0.5 1");
    expect_ticks(true, 2, 2, y, "2");
}

static void expect_png_size(const unsigned char *bytes, unsigned width, unsigned height) {
    assert_memory_equal(bytes, "\x89PNG", 4);
    assert_int_equal(bytes[16] << 24 | bytes[17] << 16 | bytes[18] << 8 | bytes[19], width);
    assert_int_equal(bytes[20] << 24 | bytes[21] << 16 | bytes[22] << 8 | bytes[23], height);
}

static void charts_are_written(void **state) {
    (void)state;
    ChartSeries series[] = {{.name = "first \xff\x01", .x = rates, .y = losses, .count = 4, .mark = 2},
                            {.name = "second", .x = rates, .y = losses, .count = 2, .dashed = true}};
    Chart chart[2] = {{.title = "a title",
                       .x_label = "rate",
                       .y_label = "loss",
                       .log_x = true,
                       .series = series,
                       .series_count = 2,
                       .mark = 1e-3}};
    ChartPicture picture = {.charts = chart, .chart_count = 1};
    unsigned char *bytes;
    size_t size;
    if (!drawing_available()) {
        assert_int_equal(chart_write(&picture, tmpdir_path("a.png")), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "without cairo"));
        return;
    }
    assert_int_equal(chart_write(&picture, tmpdir_path("a.png")), STATUS_OK);
    assert_int_equal(file_read(tmpdir_path("a.png"), &bytes, &size), STATUS_OK);
    assert_true(size > 2000);
    expect_png_size(bytes, 800, 500);
    memory_free(bytes);
    chart[1] = chart[0];
    chart[1].series_count = 0; /* says that it has no values */
    picture = (ChartPicture){.charts = chart, .chart_count = 2, .columns = 2, .dark = true};
    assert_int_equal(chart_render(&picture, DRAWING_PNG, "a chart", &bytes, &size), STATUS_OK);
    expect_png_size(bytes, 1600, 500);
    memory_free(bytes);
    assert_int_equal(chart_write(&picture, tmpdir_path("a.svg")), STATUS_OK);
    assert_int_equal(file_read(tmpdir_path("a.svg"), &bytes, &size), STATUS_OK);
    assert_non_null(strstr((char *)bytes, "<svg"));
    assert_non_null(strstr((char *)bytes, "</svg>"));
    memory_free(bytes);
    assert_int_equal(chart_render(&picture, DRAWING_PDF, "a chart", &bytes, &size), STATUS_OK);
    assert_memory_equal(bytes, "%PDF-", 5);
    memory_free(bytes);
    assert_int_equal(chart_write(&picture, "/nonexistent/b.png"), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "/nonexistent/b.png"));
    assert_int_equal(chart_write(&picture, tmpdir_path("b.gif")), STATUS_USAGE);
    assert_non_null(strstr(status_message(), ".png, .svg or .pdf"));
    series[0].y = series[1].y = none;
    assert_int_equal(chart_write(&picture, tmpdir_path("c.png")), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "nothing to draw"));
}

/* From 2 classes to so many that neither numbers nor all names fit. */
static void heat_maps_have_room(void **state) {
    (void)state;
    static double values[300 * 300];
    unsigned char *bytes;
    size_t size;
    for (size_t i = 0; i < 300 * 300; i++)
        values[i] = (double)(i % 7);
    for (size_t n = 1; n <= 300 && drawing_available(); n = 2 * n + 1) {
        ChartHeat heat = {.rows = n, .columns = n, .values = values};
        Chart chart = {.title = "confusion", .x_label = "predicted", .y_label = "true", .heat = &heat};
        ChartPicture picture = {.charts = &chart, .chart_count = 1};
        assert_int_equal(chart_render(&picture, DRAWING_PNG, "a chart", &bytes, &size), STATUS_OK);
        unsigned width = (unsigned)(bytes[18] << 8 | bytes[19]), height = (unsigned)(bytes[22] << 8 | bytes[23]);
        assert_in_range(width, 250, 1800);
        assert_in_range(height, 300, 1800);
        memory_free(bytes);
        heat.rows = CHART_MAX_CLASSES + 1;
        assert_int_equal(chart_render(&picture, DRAWING_PNG, "a chart", &bytes, &size), STATUS_FAILED);
    }
}

#if HAVE_CAIRO
static void measure(cairo_t *c, void *user, double *width, double *height) {
    (void)c, (void)user;
    *width = *height = 100;
}

static void crash(cairo_t *c, const void *user, double width, double height) {
    (void)user, (void)width, (void)height;
    cairo_set_line_width(c, 1);
    raise(SIGSEGV);
}

static void draw_nothing(cairo_t *c, const void *user, double width, double height) {
    (void)c, (void)user, (void)width, (void)height;
}

/* In a child, in which nothing can be drawn afterwards. */
static void a_crash_costs_the_picture_alone(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    int how;
    pid_t child = fork();
    if (child == 0) {
        bool drawn = drawing_render(DRAWING_PNG, measure, draw_nothing, NULL, "a.png", &bytes, &size) == STATUS_OK;
        bool failed = drawing_render(DRAWING_SVG, measure, crash, NULL, "b.svg", &bytes, &size) == STATUS_FAILED;
        bool said = strstr(status_message(), "cannot write b.svg: the libraries that draw have crashed") != NULL;
        bool nothing =
            drawing_render(DRAWING_PNG, measure, draw_nothing, NULL, "c.png", &bytes, &size) == STATUS_FAILED;
        _exit(drawn && failed && said && nothing ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#if HAVE_CAIRO
        cmocka_unit_test(a_crash_costs_the_picture_alone), /* first: cmocka takes the handlers away */
#endif
        cmocka_unit_test(ticks_are_round_numbers),
        cmocka_unit_test(charts_are_written),
        cmocka_unit_test(heat_maps_have_room)
    };
    tmpdir_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tmpdir_remove();
    return failed;
}
