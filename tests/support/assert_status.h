/* SPDX-License-Identifier: Apache-2.0
 *
 * Assertions on Status for cmocka tests of one process; brings <cmocka.h>. */
#ifndef TESTS_ASSERT_STATUS_H
#define TESTS_ASSERT_STATUS_H
#include "base/status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Prints the message of the failure. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

/* The call fails with that code, and the message holds `text`. */
#define assert_fails_with(code, call, text)                                                                            \
    do {                                                                                                               \
        assert_int_equal((call), (code));                                                                              \
        if (strstr(status_message(), (text)) == NULL)                                                                  \
            fail_msg("%s: message \"%s\" lacks \"%s\"", #call, status_message(), (text));                              \
    } while (0)
#define assert_fails(call, text) assert_fails_with(STATUS_FAILED, call, text)

#define assert_contains(string, text)                                                                                  \
    do {                                                                                                               \
        if (strstr((string), (text)) == NULL)                                                                          \
            fail_msg("\"%s\" lacks \"%s\"", (string), (text));                                                         \
    } while (0)

#endif
