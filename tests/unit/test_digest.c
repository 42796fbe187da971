/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests: equal for what is equal, different for every difference that decides. */
#include "base/memory.h"
#include "io/digest.h"
#include "support/assert_status.h"
#include <math.h>

static int finish(void **state) {
    (void)state;
    if (memory_stats().live_count == 0)
        return 0;
    print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return -1;
}

/* The network of these tests; every part may be changed by a test, which makes a new one. */
typedef struct Sample {
    Real kernel[2], bias[1];
    CheckpointTensor fc[2], slot[1];
    CheckpointLayer layers[2], trained[1];
    CheckpointSlot slots[1];
    Checkpoint checkpoint;
} Sample;

static void make(Sample *s) {
    *s = (Sample){.kernel = {(Real)1.5, (Real)-0.0}, .bias = {(Real)0.25}};
    s->fc[0] = (CheckpointTensor){"kernel", NULL, SHAPE(1, 2), s->kernel};
    s->fc[1] = s->slot[0] = (CheckpointTensor){"bias", NULL, SHAPE(1), s->bias};
    s->layers[0] = (CheckpointLayer){"fc", s->fc, 2};
    s->layers[1] = (CheckpointLayer){"flat", NULL, 0};
    s->trained[0] = (CheckpointLayer){"fc", s->slot, 1};
    s->slots[0] = (CheckpointSlot){"momentum", s->trained, 1};
    s->checkpoint = (Checkpoint){.model_config = "{}",
                                 .state = "{\"step\": 7, \"a\": [1, {\"b\": 0.1}]}",
                                 .layers = s->layers,
                                 .layer_count = 2,
                                 .slots = s->slots,
                                 .slot_count = 1};
}

static void known_values(void **state) {
    (void)state;
    Digest *digest;
    char hex[DIGEST_HEX];
    Sample s;
    assert_ok(digest_create(&digest));
    assert_ok(digest_bytes(digest, "a", 1));
    assert_ok(digest_bytes(digest, "bc", 2));
    assert_ok(digest_finish(digest, hex)); /* FIPS 180-4's example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_destroy(digest);
    make(&s); /* computed with Python's struct and hashlib from the description in digest.h */
    assert_ok(digest_weights(&s.checkpoint, hex));
    assert_string_equal(hex, "1c6068a98b3e2c88ad5f1e28e6b22891da200bd1fdca9252fee8fc078ceca8ee");
    assert_ok(digest_state(&s.checkpoint, 0, NULL, hex));
    assert_string_equal(hex, "061285502e4f045f1516e239715f942a5dd5961163ec0b5231ae4cb3509a6278");
}

/* Whether the digest of weights, or of the state, differs from that of the unchanged sample. */
static bool weights_differ(const Sample *changed) {
    char a[DIGEST_HEX], b[DIGEST_HEX];
    Sample s;
    make(&s);
    assert_ok(digest_weights(&s.checkpoint, a));
    assert_ok(digest_weights(&changed->checkpoint, b));
    return strcmp(a, b) != 0;
}

static bool states_differ(const Sample *changed, size_t count, const char *const *left_out) {
    char a[DIGEST_HEX], b[DIGEST_HEX];
    Sample s;
    make(&s);
    assert_ok(digest_state(&s.checkpoint, count, left_out, a));
    assert_ok(digest_state(&changed->checkpoint, count, left_out, b));
    return strcmp(a, b) != 0;
}

static void every_change_of_weights_shows(void **state) {
    (void)state;
    Sample s;
    make(&s);
    assert_false(weights_differ(&s));
    s.kernel[1] = 0; /* was -0 */
    assert_true(weights_differ(&s));
    make(&s);
    s.bias[0] = (Real)nextafter(0.25, 1) + (Real)1e-7;
    assert_true(weights_differ(&s));
    make(&s);
    s.fc[0].name = "kernem";
    assert_true(weights_differ(&s));
    make(&s);
    s.layers[0].name = "fd";
    assert_true(weights_differ(&s));
    make(&s);
    s.fc[0].shape = SHAPE(2, 1);
    assert_true(weights_differ(&s));
    make(&s);
    s.layers[0].count = 1;
    assert_true(weights_differ(&s));
    make(&s);
    s.checkpoint.layer_count = 0;
    assert_true(weights_differ(&s));
    make(&s); /* what is no weight does not count, nor a layer without weights */
    s.checkpoint.layer_count = 1;
    s.checkpoint.state = "{}";
    s.checkpoint.slot_count = 0;
    s.checkpoint.model_config = NULL;
    s.fc[0].stored = "fc_1/kernel:0";
    assert_false(weights_differ(&s));
}

static void the_state_counts_without_what_is_left_out(void **state) {
    (void)state;
    static const char *const left_out[] = {"seconds", "host"};
    Sample s;
    make(&s);
    assert_false(states_differ(&s, 0, NULL));
    s.slots[0].name = "velocity";
    assert_true(states_differ(&s, 0, NULL));
    make(&s);
    s.checkpoint.slot_count = 0;
    assert_true(states_differ(&s, 0, NULL));
    make(&s);
    s.checkpoint.model_config = "{\"layers\": []}";
    assert_true(states_differ(&s, 0, NULL));
    make(&s); /* the same in another order and with other white space */
    s.checkpoint.state = "{\"a\":[1,{\"b\":0.1000}],\n\"step\":7}";
    assert_false(states_differ(&s, 0, NULL));
    s.checkpoint.state = "{\"a\":[1,{\"b\":0.10000000000000002}],\"step\":7}"; /* the next double */
    assert_true(states_differ(&s, 0, NULL));
    s.checkpoint.state = "{\"a\":[1,{\"b\":0.1}],\"step\":8}";
    assert_true(states_differ(&s, 0, NULL));
    s.checkpoint.state = "{\"a\":[1,{\"b\":0.1, \"seconds\":1.5}],\"step\":7,\"host\":{\"name\":\"node7\"}}";
    assert_true(states_differ(&s, 0, NULL));
    assert_true(states_differ(&s, 1, left_out));
    assert_false(states_differ(&s, 2, left_out));
}

static void bad_json_is_told(void **state) {
    (void)state;
    Sample s;
    char hex[DIGEST_HEX];
    make(&s);
    s.checkpoint.state = "{\"step\":";
    assert_fails(digest_state(&s.checkpoint, 0, NULL, hex), "not JSON");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_change_of_weights_shows),
        cmocka_unit_test(the_state_counts_without_what_is_left_out),
        cmocka_unit_test(bad_json_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
