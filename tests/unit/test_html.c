/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML: texts from outside stay texts, bytes become base64, memory that is short is told at the end. */
#include "base/memory.h"
#include "io/html.h"
#include "support/assert_status.h"

static void texts_stay_texts(void **state) {
    (void)state;
    Html page = {.text = NULL};
    html_put(&page, "<p title=\"");
    html_text(&page, "a\"b'c");
    html_format(&page, "\">%d ", 7);
    html_text(&page, "</p><script>&\x01\t\xff\xc3\xa4\xed\xa0\x80\n");
    assert_ok(page.status);
    assert_string_equal(page.text,
                        "<p title=\"a&quot;b&#39;c\">7 &lt;/p&gt;&lt;script&gt;&amp;"
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n");
    assert_int_equal(page.size, strlen(page.text));
    html_free(&page);
}

/* RFC 4648, section 10. */
static void bytes_are_base64(void **state) {
    (void)state;
    static const char *const expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n <= 6; n++) {
        Html page = {.text = NULL};
        html_data(&page, "a/b", "foobar", n);
        assert_ok(page.status);
        assert_memory_equal(page.text, "data:a/b;base64,", 16);
        assert_string_equal(page.text + 16, expected[n]);
        html_free(&page);
    }
}

static void short_memory_is_told(void **state) {
    (void)state;
    static char large[100000];
    Html page = {.text = NULL};
    html_put(&page, "a");
    memory_fail_at(1);
    html_data(&page, "a/b", large, sizeof large);
    memory_fail_at(0);
    html_put(&page, "b");
    assert_int_equal(page.status, STATUS_FAILED);
    html_free(&page);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_stay_texts), cmocka_unit_test(bytes_are_base64),
                                       cmocka_unit_test(short_memory_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
