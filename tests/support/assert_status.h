/* SPDX-License-Identifier: Apache-2.0
 *
 * Assertions on Status for cmocka tests of one process; include after <cmocka.h>. */
#ifndef TESTS_ASSERT_STATUS_H
#define TESTS_ASSERT_STATUS_H
#include "base/status.h"
#include <string.h>

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

#endif
