/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages and files of events: encodings and checksums against published ones, records that are cut back. */
#include "base/memory.h"
#include "io/event_file.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static void expect(Message *m, const char *bytes, size_t size) {
    assert_ok(m->status);
    assert_int_equal(m->size, size);
    assert_memory_equal(m->bytes, bytes, size);
    memory_free(m->bytes);
    *m = (Message){0};
}

/* The examples of protobuf.dev/programming-guides/encoding, and edges. */
static void encoding(void **state) {
    (void)state;
    Message m = {0};
    message_integer(&m, 1, 150);
    expect(&m, "\x08\x96\x01", 3);
    message_text(&m, 2, "testing");
    expect(&m, "\x12\x07testing", 9);
    size_t inner = message_begin(&m, 3);
    message_integer(&m, 1, 150);
    message_end(&m, inner);
    expect(&m, "\x1a\x03\x08\x96\x01", 5);
    message_integer(&m, 1, -2);
    expect(&m, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    message_float(&m, 2, 1.0f);
    expect(&m, "\x15\x00\x00\x80\x3f", 5);
    message_double(&m, 1, -2.5);
    expect(&m, "\x09\x00\x00\x00\x00\x00\x00\x04\xc0", 9);
    message_doubles(&m, 6, (double[]){1, 0}, 2);
    expect(&m, "\x32\x10\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x00", 18);
    message_integer(&m, 100, 0);
    expect(&m, "\xa0\x06\x00", 3);
    inner = message_begin(&m, 1); /* a length of two bytes */
    static char zeros[300];
    message_raw(&m, zeros, 300);
    message_end(&m, inner);
    assert_int_equal(m.size, 303);
    assert_memory_equal(m.bytes, "\x0a\xac\x02", 3);
    memory_free(m.bytes);
}

static void decoding(void **state) {
    (void)state;
    MessageField f;
    const unsigned char bytes[] = "\x08\x96\x01\x12\x03"
                                  "abc\x15\x00\x00\x80\x3f\x09\x00\x00\x00\x00\x00\x00\x04\xc0";
    size_t at = 0, size = sizeof bytes - 1;
    assert_true(message_next(bytes, size, &at, &f));
    assert_int_equal(f.field, 1);
    assert_int_equal(f.number, 150);
    assert_true(message_next(bytes, size, &at, &f));
    assert_int_equal(f.size, 3);
    assert_memory_equal(f.bytes, "abc", 3);
    assert_true(message_next(bytes, size, &at, &f));
    assert_int_equal(f.number, 0x3f800000);
    assert_true(message_next(bytes, size, &at, &f));
    assert_int_equal(f.field, 1);
    assert_int_equal(at, size);
    assert_false(message_next(bytes, size, &at, &f));
    for (size_t cut = 1; cut < size; cut++) { /* never reads behind the end (sanitizers), never goes on for ever */
        unsigned char *copy = malloc(cut);
        memcpy(copy, bytes, cut);
        for (at = 0; message_next(copy, cut, &at, &f);)
            assert_true(at <= cut);
        free(copy);
    }
    const unsigned char longer[] = "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                   "a";
    at = 0;
    assert_false(message_next(longer, sizeof longer - 1, &at, &f));
    at = 0;
    assert_false(message_next((const unsigned char *)"\x0b", 1, &at, &f)); /* a group: long gone */
}

static void memory_is_short(void **state) {
    (void)state;
    Message m = {0};
    memory_fail_at(1);
    size_t inner = message_begin(&m, 1);
    message_text(&m, 1, "x");
    message_end(&m, inner);
    memory_fail_at(0);
    message_text(&m, 1, "y");
    assert_int_equal(m.status, STATUS_FAILED);
    assert_int_equal(m.size, 0);
    memory_free(m.bytes);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* RFC 3720, B.4, masked. */
static void checksums(void **state) {
    (void)state;
    static const unsigned char zeros[32];
    uint32_t crc = 0x8a9136aaU;
    assert_int_equal(event_checksum(zeros, 32), (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8U));
    crc = 0xe3069283U; /* of "123456789", the usual check value */
    assert_int_equal(event_checksum("123456789", 9), (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8U));
}

static void add(EventFile *file, int64_t step, const char *tag) {
    Message records = {0};
    size_t event = event_begin(&records, step), summary = message_begin(&records, EVENT_SUMMARY);
    size_t value = message_begin(&records, SUMMARY_VALUE);
    message_text(&records, VALUE_TAG, tag);
    message_float(&records, VALUE_SCALAR, 0.5f);
    message_end(&records, value);
    message_end(&records, summary);
    event_end(&records, event);
    assert_ok(event_file_append(file, &records));
    memory_free(records.bytes);
}

typedef struct Seen {
    int64_t most; /* what is_up_to takes */
    size_t count;
    int64_t last;
    char tag[32];
} Seen;

static bool is_up_to(void *user, const EventHead *head) {
    Seen *seen = user;
    if (head->step > seen->most)
        return false;
    seen->count++;
    seen->last = head->step;
    snprintf(seen->tag, sizeof seen->tag, "%.*s", (int)head->tag_size, head->tag);
    return true;
}

/* What is in the folder's only file beside an empty one of the number before; its name must end so. */
static Seen contents(const char *number, bool whole) {
    Seen seen = {.most = INT64_MAX};
    char *path;
    assert_int_equal(tmpdir_entries("events"), strcmp(number, ".000001") == 0 ? 1 : 2);
    assert_ok(event_file_find(tmpdir_path("events"), &path));
    assert_string_equal(path + strlen(path) - strlen(number), number);
    long size = tmpdir_size(path + strlen(tmpdir_path("")));
    unsigned char *bytes = malloc((size_t)size);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    fclose(file);
    size_t end = event_walk(bytes, (size_t)size, is_up_to, &seen);
    assert_true((end == (size_t)size) == whole);
    free(bytes);
    memory_free(path);
    return seen;
}

static EventFile *reopen(int64_t most) {
    EventFile *file;
    Seen seen = {.most = most};
    assert_ok(event_file_open(tmpdir_path("events"), is_up_to, &seen, &file));
    return file;
}

static void is_cut_back(void **state) {
    (void)state;
    EventFile *file = reopen(0);
    for (int64_t step = 1; step <= 5; step++)
        add(file, step, "loss");
    event_file_close(file);
    Seen seen = contents(".000001", true);
    assert_int_equal(seen.count, 2 + 5); /* behind the version and the start */
    assert_int_equal(seen.last, 5);
    assert_string_equal(seen.tag, "loss");
    file = reopen(3); /* another branch */
    add(file, 4, "other");
    event_file_close(file);
    seen = contents(".000002", true);
    assert_int_equal(seen.count, 2 + 4);
    assert_string_equal(seen.tag, "other");
}

/* A file that ends in the middle of a record, at each of its bytes, or whose bytes have changed. */
static void torn(void **state) {
    (void)state;
    char number[64];
    EventFile *file = reopen(0);
    add(file, 1, "loss");
    event_file_close(file);
    long before = tmpdir_size("events/events.out.tfevents.000001"), after;
    file = reopen(9);
    add(file, 2, "loss");
    event_file_close(file);
    after = tmpdir_size("events/events.out.tfevents.000002");
    assert_true(after > before + 16);
    for (long size = before; size < after; size++) {
        long n = 2 + size - before;
        snprintf(number, sizeof number, "events/events.out.tfevents.%06ld", n);
        assert_int_equal(truncate(tmpdir_path(number), size), 0);
        file = reopen(9);
        add(file, 2, "loss");
        event_file_close(file);
        snprintf(number, sizeof number, ".%06ld", n + 1);
        assert_int_equal(contents(number, true).count, 4);
    }
}

static void changed_byte(void **state) {
    (void)state;
    EventFile *file = reopen(0);
    add(file, 1, "loss");
    add(file, 2, "loss");
    event_file_close(file);
    long size = tmpdir_size("events/events.out.tfevents.000001");
    FILE *f = fopen(tmpdir_path("events/events.out.tfevents.000001"), "r+b");
    fseek(f, size - 8, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, size - 8, SEEK_SET);
    fputc(byte ^ 1, f);
    fclose(f);
    assert_int_equal(contents(".000001", false).last, 1);
    event_file_close(reopen(9));
    assert_int_equal(contents(".000002", true).last, 1);
}

static void rubbish(void **state) {
    (void)state;
    event_file_close(reopen(0));
    tmpdir_write("events/events.out.tfevents.000001", "no events at all, but a text", 28);
    EventFile *file = reopen(9);
    add(file, 1, "loss");
    event_file_close(file);
    assert_int_equal(contents(".000002", true).count, 3);
    assert_ok(event_file_remove(tmpdir_path("events")));
    assert_int_equal(access(tmpdir_path("events"), F_OK), -1);
    assert_ok(event_file_remove(tmpdir_path("events")));
    tmpdir_write("file", "", 0);
    assert_fails(event_file_open(tmpdir_path("file/x"), NULL, NULL, &file), "cannot make the folder");
}

/* The file is gone, as a full disk would have it: the next one works. */
static void failed_append(void **state) {
    (void)state;
    Message records = {0};
    EventFile *file = reopen(0);
    event_end(&records, event_begin(&records, 1));
    assert_int_equal(rename(tmpdir_path("events"), tmpdir_path("away")), 0);
    assert_fails(event_file_append(file, &records), "000001");
    assert_int_equal(rename(tmpdir_path("away"), tmpdir_path("events")), 0);
    FILE *f = fopen(tmpdir_path("events/events.out.tfevents.000001"), "ab");
    fputs("half a rec", f); /* what a disk that became full has left */
    fclose(f);
    assert_ok(event_file_append(file, &records));
    assert_int_equal(contents(".000001", true).count, 3);
    event_file_close(file);
    memory_free(records.bytes);
}

#define test(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        test(encoding), test(decoding),     test(memory_is_short), test(checksums),     test(is_cut_back),
        test(torn),     test(changed_byte), test(rubbish),         test(failed_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
