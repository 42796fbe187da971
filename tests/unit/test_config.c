/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of cnn_train, its record, and what a resume makes of both. */
#include "base/memory.h"
#include "model/model.h"
#include "model/zoo/zoo.h"
#include "train/config.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

static int check_memory(void **state) {
    (void)state;
    if (memory_stats().live_count == 0)
        return 0;
    print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return -1;
}

/* Parses words separated by spaces. */
static Status parse(const char *line, Config *config, bool *exit_now) {
    static char copy[2048]; /* getopt keeps pointers into it */
    char *argv[64] = {"cnn_train"};
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return config_parse(argc, argv, config, exit_now);
}

static Config parsed(const char *line) {
    Config config;
    bool exit_now;
    if (parse(line, &config, &exit_now) != STATUS_OK)
        fail_msg("\"%s\": %s", line, status_message());
    assert_false(exit_now);
    return config;
}

/* The line is wrong usage, found by config_parse or config_fill, and the one-line message holds `text`. */
static void refuse(const char *line, const char *text) {
    Config config;
    bool exit_now;
    Status status = parse(line, &config, &exit_now);
    if (status == STATUS_OK)
        status = config_fill(&config, NULL);
    if (status != STATUS_USAGE)
        fail_msg("\"%s\": status %d", line, status);
    if (!strstr(status_message(), text) || strchr(status_message(), '\n'))
        fail_msg("\"%s\": message \"%s\" lacks \"%s\"", line, status_message(), text);
}

static void reads_every_type(void **state) {
    (void)state;
    Config c = parsed("--data a.h5 -m lenet5 -e 5 --batch-size=1e3 --lr 1e-2 --nesterov --optimizer sgd --momentum .9 "
                      "--max-time 1h30m --reduce mpi --seed 9007199254740993 --epo 7");
    assert_string_equal(c.data, "a.h5");
    assert_string_equal(c.model, "lenet5");
    assert_int_equal(c.epochs, 7); /* the last one wins; names may be cut short */
    assert_int_equal(c.batch_size, 1000);
    assert_true(c.schedule.lr == 0.01);
    assert_true(c.optimizer.nesterov);
    assert_int_equal(c.optimizer.kind, OPTIMIZER_SGD);
    assert_true(c.max_time == 5400);
    assert_int_equal(c.reduce, REDUCE_MPI);
    assert_true(c.seed == 9007199254740993u); /* no double in between */
    assert_true(config_given(&c, "lr"));
    assert_false(config_given(&c, "warmup"));
    assert_true(parsed("--max-time 90").max_time == 90);
    assert_true(parsed("--max-time 1d2m3s").max_time == 86523);
    assert_true(parsed("--max-time 1:30:05").max_time == 5405);
    assert_true(parsed("--max-time 90:00").max_time == 5400);
    assert_true(parsed("--max-time 1-00:00:01").max_time == 86401);
}

static void refuses_wrong_usage(void **state) {
    (void)state;
    refuse("--batch_size 3", "unknown option --batch_size. Did you mean --batch-size?");
    refuse("--epcohs 3", "Did you mean --epochs?");
    refuse("--zzzzzzzzz", "unknown option --zzzzzzzzz. See cnn_train --help.");
    refuse("--check 3", "ambiguous: --checkpoint-epochs, --checkpoint-steps, --checkpoint-minutes");
    refuse("-x", "unknown option -x");
    refuse("-vx", "unknown option -x");
    refuse("-:", "unknown option -:");
    refuse("mnist.h5", "mnist.h5: not an option");
    refuse("--lr", "option --lr needs an argument");
    refuse("-e", "option --epochs needs an argument");
    refuse("--quiet=1", "--quiet=1: must be true or false");
    refuse("--no-tensorboard", "unknown option --no-tensorboard. Write --tensorboard=false.");
    refuse("--batch-size 0", "--batch-size 0: must be at least 1");
    refuse("--epochs 0", "--epochs 0: must be at least 1");
    refuse("--epochs -3", "--epochs -3: must be at least 1");
    refuse("--epochs 1.5", "not a whole number");
    refuse("--epochs 3x", "not a whole number");
    refuse("--seed 99999999999999999999", "too large");
    refuse("--lr 0", "--lr 0: must be above 0");
    refuse("--lr -1", "--lr -1: must be above 0");
    refuse("--lr nan", "--lr nan: not a number");
    refuse("--momentum 1.5", "at least 0 and at most 1");
    refuse("--label-smoothing 2", "at most 1");
    refuse("--max-time soon", "not a time");
    refuse("--max-time 3w", "unknown unit 'w'");
    refuse("--max-time 1:30:", "not a time");
    refuse("--max-time 1:-30", "not a time");
    refuse("--max-time 1:2:3:4", "not a time");
    refuse("--stall-timeout -1", "stall-timeout");
    refuse("--prove run1 --resume run1", "exclude each other");
    refuse("--optimizer sgdd", "must be one of sgd, adam, adamw, rmsprop");
    refuse("--preprocess gray", "must be one of none, unit, tf, caffe, torch, dataset");
    refuse("--resume a --init-from b", "--resume and --init-from exclude each other");
    refuse("--resume a --overwrite", "exclude each other");
    refuse("-v -q", "exclude each other");
    refuse("--optimizer adam --momentum 0.9", "--momentum has no meaning with --optimizer adam");
    refuse("--optimizer sgd --nesterov", "--nesterov needs --momentum");
    refuse("--schedule step", "--decay-epochs");
    refuse("--schedule one-cycle --min-lr 0.1", "--min-lr has no meaning with --schedule one-cycle");
    refuse("--schedule cosine-restarts", "--decay-epochs");
    refuse("--decay-rate 0.5", "--decay-rate has no meaning with --schedule constant");
    refuse("--schedule cosine --min-lr 1 --lr 0.1", "--min-lr 1 is above --lr 0.1");
    refuse("--epochs 2 --warmup 3", "--warmup 3 is longer than --epochs 2");
    char longer[CLI_TEXT + 32] = "--out ";
    memset(longer + 6, 'x', CLI_TEXT);
    refuse(longer, "--out: longer than 1023 bytes");
}

static const ZooRecipe recipe = {.optimizer = "sgd",
                                 .schedule = "cosine",
                                 .lr = 0.1,
                                 .momentum = 0.9,
                                 .weight_decay = 1e-4,
                                 .batch_size = 128,
                                 .epochs = 200};

static void recipes_of_all_networks_fit_together(void **state) {
    (void)state;
    for (size_t i = 0; i < zoo_count; i++) {
        const ZooRecipe *r = zoo_entries[i].recipe;
        Config c = parsed("");
        if (config_fill(&c, r) != STATUS_OK)
            fail_msg("%s: %s", zoo_entries[i].name, status_message());
        assert_string_equal(c.loss_weights, r->loss_weights ? r->loss_weights : "");
        assert_true(c.schedule.lr == r->lr && c.epochs == r->epochs && c.batch_size == r->batch_size);
        assert_true(r->decay_rate == 0 || c.schedule.decay_rate == r->decay_rate);
    }
}

static void fills_from_recipe_then_defaults(void **state) {
    (void)state;
    Config c = parsed("--epochs 3");
    assert_ok(config_fill(&c, &recipe));
    assert_int_equal(c.epochs, 3);
    assert_int_equal(c.batch_size, 128);
    assert_int_equal(c.optimizer.kind, OPTIMIZER_SGD);
    assert_int_equal(c.schedule.kind, SCHEDULE_COSINE);
    assert_true(c.schedule.lr == 0.1 && c.optimizer.momentum == 0.9 && c.optimizer.weight_decay == 1e-4);
    assert_true(c.optimizer.epsilon == 1e-7);
    assert_int_equal(c.keep, 3);
    assert_string_equal(c.loss, "auto");

    c = parsed("--optimizer adam"); /* sgd's learning rate would be far too high */
    assert_ok(config_fill(&c, &recipe));
    assert_int_equal(c.batch_size, 128);
    assert_true(c.schedule.lr == 0.001 && c.optimizer.momentum == 0 && c.optimizer.weight_decay == 0);
    assert_int_equal(c.schedule.kind, SCHEDULE_CONSTANT);

    c = parsed("--optimizer sgd --lr 0.5"); /* the recipe's own optimizer */
    assert_ok(config_fill(&c, &recipe));
    assert_true(c.schedule.lr == 0.5 && c.optimizer.momentum == 0.9);

    c = parsed("--optimizer adamw");
    assert_ok(config_fill(&c, NULL));
    assert_true(c.schedule.lr == 0.001 && c.optimizer.weight_decay == 0.004);
    c = parsed("--optimizer sgd");
    assert_ok(config_fill(&c, NULL));
    assert_true(c.schedule.lr == 0.01 && c.optimizer.weight_decay == 0);
    assert_int_equal(c.epochs, 10);
}

static void learning_rate_is_scaled_when_asked(void **state) {
    (void)state;
    Config c = parsed("--optimizer sgd --lr 0.1 --batch-size 96");
    assert_ok(config_fill(&c, NULL));
    assert_true(config_schedule(&c).lr == 0.1);
    c = parsed("--optimizer sgd --lr 0.5 --batch-size 96 --scale-lr 64 --schedule cosine --min-lr 0.6");
    assert_ok(config_fill(&c, NULL)); /* min-lr is below the scaled rate */
    assert_true(c.schedule.lr == 0.5 && config_schedule(&c).lr == 0.75 && config_schedule(&c).min_lr == 0.6);
}

static void json_round_trip(void **state) {
    (void)state;
    char *text, *again;
    Config c = parsed(
               "--data \xc3\xa4\"\\.h5 --lr 0.1 --clip-norm 1e-300 --no-shuffle --seed 9223372036854775807 --loss "
               "a=mse --loss b=mae --out run1 --quiet --max-time 60"),
           back = {0};
    assert_string_equal(c.loss, "a=mse,b=mae");

    assert_ok(config_fill(&c, &recipe));
    assert_ok(config_to_json(&c, &text));
    assert_null(strstr(text, "\"out\""));
    assert_null(strstr(text, "\"max-time\""));
    assert_non_null(strstr(text, "\"nesterov\": false"));
    assert_non_null(strstr(text, "\"lr\": 0.1,"));
    assert_ok(config_from_json(&back, text, "config.json", SOURCE_FILE));
    assert_true(back.schedule.lr == 0.1 && back.optimizer.clip_norm == 1e-300 && back.optimizer.weight_decay == 1e-4);
    assert_true(back.seed == 9223372036854775807u && back.no_shuffle && back.epochs == 200 && !back.quiet);
    assert_string_equal(back.data, c.data);
    assert_ok(config_to_json(&back, &again));
    assert_string_equal(again, text);
    memory_free(again);
    memory_free(text);
    c = parsed("--data \xff.h5");
    assert_int_equal(config_to_json(&c, &text), STATUS_USAGE);
    assert_null(text);
}

static void json_is_checked(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"lr\": ", "file, line 1"},
        {"[1]", "not a JSON object"},
        {"{\"lr\": -1}", "file: --lr -1: must be above 0"},
        {"{\"lr\": \"1\"}", "\"lr\": must be a number"},
        {"{\"epochs\": 1.5}", "not a whole number"},
        {"{\"model\": 5}", "\"model\": must be a text"},
        {"{\"no-shuffle\": 1}", "\"no-shuffle\": must be true or false"},
        {"{\"optimizer\": \"x\"}", "must be one of"},
        {"{\"epoch\": 1}", "unknown option \"epoch\"; did you mean epochs"},
        {"{\"lr\": 1, \"lr\": 2}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = {0};
        assert_int_equal(config_from_json(&c, cases[i][0], "file", SOURCE_FILE), STATUS_USAGE);
        if (!strstr(status_message(), cases[i][1]))
            fail_msg("%s: \"%s\" lacks \"%s\"", cases[i][0], status_message(), cases[i][1]);
    }
}

static void config_file_lies_under_the_command_line(void **state) {
    (void)state;
    char path[] = "/tmp/test_config_XXXXXX", line[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs("{\"lr\": 0.5, \"epochs\": 9, \"optimizer\": \"sgd\", \"beta-1\": 0.8, \"max-time\": \"2m\"}", file);
    fclose(file);
    snprintf(line, sizeof line, "--config %s --lr 0.25", path);
    Config c = parsed(line);
    unlink(path);
    assert_true(c.schedule.lr == 0.25 && c.epochs == 9 && c.max_time == 120);
    assert_true(config_given(&c, "epochs"));
    assert_ok(config_fill(&c, NULL)); /* a record also holds what another optimizer would need */
    bool exit_now;
    assert_int_equal(parse("--config /nonexistent/x.json", &c, &exit_now), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "/nonexistent/x.json"));
}

static void resume_takes_and_compares(void **state) {
    (void)state;
    char *changes;
    Config saved = parsed("--data a.h5 --model lenet5 --batch-size 64 --lr 0.1 --optimizer sgd --epochs 5 --keep 7");
    assert_ok(config_fill(&saved, NULL));
    saved.micro_batches = 8; /* by the trainer: as many as ranks */
    char *record;
    assert_ok(config_to_json(&saved, &record));
    saved = (Config){0};
    assert_ok(config_from_json(&saved, record, "run1", SOURCE_FILE));
    memory_free(record);

    Config c = parsed("--resume run1"); /* everything comes from the record */
    assert_ok(config_resume(&c, &saved, "run1", &changes));
    assert_string_equal(changes, "");
    memory_free(changes);
    assert_ok(config_fill(&c, &recipe));
    assert_int_equal(c.batch_size, 64);
    assert_int_equal(c.epochs, 5);
    assert_int_equal(c.micro_batches, 8);
    assert_true(c.schedule.lr == 0.1 && c.optimizer.momentum == 0);
    assert_string_equal(c.data, "a.h5");
    assert_string_equal(c.resume, "run1");

    c = parsed(
        "--resume run1 --lr 0.01 --epochs 8 --batch-size 64 --keep 2 --data b.h5 --decay-epochs 2 --schedule step");
    assert_ok(config_resume(&c, &saved, "run1", &changes));
    assert_string_equal(changes, "epochs 5 -> 8, lr 0.1 -> 0.01, schedule constant -> step, decay-epochs none -> 2");
    memory_free(changes);
    assert_ok(config_fill(&c, &recipe));
    assert_true(c.schedule.lr == 0.01 && c.epochs == 8 && c.keep == 2);

    c = parsed("--resume run1 --batch-size 32 --seed 1 --no-shuffle --lr 1");
    assert_int_equal(config_resume(&c, &saved, "run1", &changes), STATUS_USAGE);
    assert_null(changes);
    assert_non_null(strstr(status_message(), "run1 was trained with no-shuffle false, not true, batch-size 64, not 32, "
                                             "seed 0, not 1. Leave"));

    Config old = {0}; /* a record from before most options existed: they had their defaults */
    assert_ok(config_from_json(&old, "{\"epochs\": 5}", "old", SOURCE_FILE));
    c = parsed("--resume run1 --label-smoothing 0.1");
    assert_int_equal(config_resume(&c, &old, "run1", &changes), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "label-smoothing 0, not 0.1"));

    c = parsed("--resume run1 --preprocess none"); /* the record has no choice, which is another than "none" */
    assert_int_equal(config_resume(&c, &saved, "run1", &changes), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "preprocess not given, not none"));
}

static void same_results_are_recognised(void **state) {
    (void)state;
    const char *const same[] = {"--lr 0.1", "--lr 0.1 --seed 0 --keep 9 --data b.h5 --quiet --max-time 3"};
    const char *const other[] = {"--epochs 3", "--lr 0.1 --nesterov --optimizer sgd --momentum 0.5",
                                 "--lr 0.1 --preprocess none", "--lr 0.1 --micro-batches 2"};
    Config saved = parsed("--lr 0.1 --data a.h5 --keep 2");
    assert_ok(config_fill(&saved, NULL));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        Config c = parsed(same[i]);
        assert_ok(config_fill(&c, NULL));
        assert_true(config_same(&c, &saved) && config_same(&saved, &c));
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        Config c = parsed(other[i]);
        assert_ok(config_fill(&c, NULL));
        assert_false(config_same(&c, &saved) || config_same(&saved, &c));
    }
}

static void losses_by_output(void **state) {
    (void)state;
    const char *outputs[] = {"a", "b"};
    int kinds[2];
    double weights[2];
    Config c = parsed("--loss sparse-categorical-crossentropy");
    assert_ok(config_losses(&c, outputs, 1, kinds, weights));
    assert_int_equal(kinds[0], LOSS_SPARSE_CROSSENTROPY);
    assert_true(weights[0] == 1);
    c = parsed("--loss b=mse --loss-weights b=0.5");
    assert_ok(config_losses(&c, outputs, 2, kinds, weights));
    assert_int_equal(kinds[0], MODEL_LOSS_AUTO);
    assert_int_equal(kinds[1], LOSS_MEAN_SQUARED_ERROR);
    assert_true(weights[0] == 1 && weights[1] == 0.5);
    c = parsed("--loss mae,huber --loss-weights 2,3");
    assert_ok(config_losses(&c, outputs, 2, kinds, weights));
    assert_int_equal(kinds[0], LOSS_MEAN_ABSOLUTE_ERROR);
    assert_int_equal(kinds[1], LOSS_HUBER);
    assert_true(weights[0] == 2 && weights[1] == 3);
    c = parsed("--loss binary_crossentropy");
    assert_ok(config_losses(&c, outputs, 2, kinds, weights));
    assert_int_equal(kinds[1], LOSS_BINARY_CROSSENTROPY);
    c = parsed("--epochs 1");
    assert_ok(config_fill(&c, NULL));
    assert_ok(config_losses(&c, outputs, 2, kinds, weights));
    assert_int_equal(kinds[0], MODEL_LOSS_AUTO);

    static const char *const wrong[][2] = {
        {"--loss c=mse", "no output c"},      {"--loss a=mse,a=mae", "two values for output a"},
        {"--loss a=mse,mae", "before none"},  {"--loss mse,mae,mse", "3 values for 2 outputs"},
        {"--loss nonsense", "--loss"},        {"--loss-weights 1,x", "--loss-weights x"},
        {"--loss-weights a=-1", "at least 0"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        c = parsed(wrong[i][0]);
        assert_int_equal(config_losses(&c, outputs, 2, kinds, weights), STATUS_USAGE);
        if (!strstr(status_message(), wrong[i][1]))
            fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i][0], status_message(), wrong[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_every_type, check_memory),
        cmocka_unit_test_teardown(refuses_wrong_usage, check_memory),
        cmocka_unit_test_teardown(recipes_of_all_networks_fit_together, check_memory),
        cmocka_unit_test_teardown(fills_from_recipe_then_defaults, check_memory),
        cmocka_unit_test_teardown(learning_rate_is_scaled_when_asked, check_memory),
        cmocka_unit_test_teardown(json_round_trip, check_memory),
        cmocka_unit_test_teardown(json_is_checked, check_memory),
        cmocka_unit_test_teardown(config_file_lies_under_the_command_line, check_memory),
        cmocka_unit_test_teardown(resume_takes_and_compares, check_memory),
        cmocka_unit_test_teardown(same_results_are_recognised, check_memory),
        cmocka_unit_test_teardown(losses_by_output, check_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
