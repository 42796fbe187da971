/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations' names, parameters and defaults; from a list as text to operations; what fits which data. */
#include "base/memory.h"
#include "data/augment.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const fill_names[AUGMENT_FILLS] = {"constant", "nearest", "reflect", "mirror", "wrap"};

/* What the numbers behind a name mean. */
typedef enum NumberStyle {
    NUMBER_CHANCE,    /* P */
    NUMBER_SYMMETRIC, /* D: -D .. D;              LOW:HIGH */
    NUMBER_FACTOR,    /* F: 1 - F (at least the row's min) .. 1 + F;  LOW:HIGH */
    NUMBER_VALUE,     /* V: always V;             LOW:HIGH if `most` is 2 */
    NUMBER_RANGES,    /* LOW:HIGH:LOW:HIGH of two parameters */
    NUMBER_TWO        /* A:B of two parameters */
} NumberStyle;

enum { MOVES = 1, FILLS = 2, COLOURS = 4, CLIPS = 8, WHOLE = 16, ANY_SHAPE = 32 };

typedef struct Row {
    const char *name;
    AugmentKind kind;
    NumberStyle style;
    int flags; /* MOVES: fill=, nearest; FILLS: fill=NUMBER; COLOURS: 3 channels; CLIPS: values of 0 .. M; ... */
    size_t least, most; /* numbers that must, may be given */
    double min, max;    /* of each number */
    AugmentOperation standard;
    int axes;          /* of range[]: 1 x, 2 y, 3 both; 0: the first parameter */
    const char *usage; /* behind the name */
    const char *help;
} Row;

/* .standard */
#define USUAL(...)                                                                                                     \
    { .chance = 1, __VA_ARGS__ }
#define HALF(...)                                                                                                      \
    { .chance = 0.5, __VA_ARGS__ }

/* clang-format off */
static const Row rows[] = {
    {"flip", AUGMENT_FLIP, NUMBER_CHANCE, 0, 0, 1, 0, 1, HALF(), 0, "[=P]", "mirror left to right (P 0.5)"},
    {"vflip", AUGMENT_VFLIP, NUMBER_CHANCE, 0, 0, 1, 0, 1, HALF(), 0, "[=P]", "turn upside down (P 0.5)"},
    {"crop", AUGMENT_CROP, NUMBER_VALUE, MOVES | WHOLE, 1, 1, 0, 4096, USUAL(), 0, "=N",
     "add N pixels on every side, cut out a window of the old size"},
    {"resized-crop", AUGMENT_RESIZED_CROP, NUMBER_RANGES, MOVES, 0, 4, 0.001, 100,
     USUAL(.range = {{0.08, 1}, {3.0 / 4, 4.0 / 3}}), 0, "[=LOW:HIGH[:LOW:HIGH]]",
     "enlarge a part: area (0.08:1), width/height (0.75:1.3333)"},
    {"rotate", AUGMENT_ROTATE, NUMBER_SYMMETRIC, MOVES, 1, 2, -360, 360, USUAL(), 0, "=D",
     "rotate by up to D degrees, counter-clockwise"},
    {"translate", AUGMENT_TRANSLATE, NUMBER_SYMMETRIC, MOVES, 1, 2, -0.9, 0.9, USUAL(), 3, "=F",
     "shift by up to F times the size, both ways"},
    {"translate-x", AUGMENT_TRANSLATE, NUMBER_SYMMETRIC, MOVES, 1, 2, -0.9, 0.9, USUAL(), 1, "=F", "right only"},
    {"translate-y", AUGMENT_TRANSLATE, NUMBER_SYMMETRIC, MOVES, 1, 2, -0.9, 0.9, USUAL(), 2, "=F", "down only"},
    {"shear", AUGMENT_SHEAR, NUMBER_SYMMETRIC, MOVES, 1, 2, -60, 60, USUAL(), 3, "=D",
     "shear by up to D degrees, both ways"},
    {"shear-x", AUGMENT_SHEAR, NUMBER_SYMMETRIC, MOVES, 1, 2, -60, 60, USUAL(), 1, "=D", "rows only"},
    {"shear-y", AUGMENT_SHEAR, NUMBER_SYMMETRIC, MOVES, 1, 2, -60, 60, USUAL(), 2, "=D", "columns only"},
    {"zoom", AUGMENT_ZOOM, NUMBER_FACTOR, MOVES, 1, 2, 0.1, 10, USUAL(.tied = true), 0, "=F",
     "enlarge by 1-F to 1+F"},

    {"brightness", AUGMENT_BRIGHTNESS, NUMBER_FACTOR, CLIPS, 1, 2, 0, 10, USUAL(), 0, "=F",
     "multiply by 1-F to 1+F"},
    {"contrast", AUGMENT_CONTRAST, NUMBER_FACTOR, CLIPS, 1, 2, 0, 10, USUAL(), 0, "=F",
     "distance from the mean grey times 1-F to 1+F"},
    {"saturation", AUGMENT_SATURATION, NUMBER_FACTOR, CLIPS | COLOURS, 1, 2, 0, 10, USUAL(), 0, "=F",
     "distance from grey times 1-F to 1+F"},
    {"hue", AUGMENT_HUE, NUMBER_SYMMETRIC, CLIPS | COLOURS, 1, 2, -0.5, 0.5, USUAL(), 0, "=F",
     "turn the hue by up to F of the circle"},
    {"sharpness", AUGMENT_SHARPNESS, NUMBER_FACTOR, CLIPS, 1, 2, 0, 10, USUAL(), 0, "=F",
     "distance from the smoothed image times 1-F to 1+F"},
    {"grayscale", AUGMENT_GRAYSCALE, NUMBER_CHANCE, COLOURS, 0, 1, 0, 1, {.chance = 0.1}, 0, "[=P]",
     "all channels grey (P 0.1)"},
    {"posterize", AUGMENT_POSTERIZE, NUMBER_VALUE, CLIPS | WHOLE, 1, 1, 1, 8, HALF(), 0, "=BITS",
     "keep the highest bits (P 0.5)"},
    {"solarize", AUGMENT_SOLARIZE, NUMBER_VALUE, CLIPS, 1, 1, 0, 256, HALF(), 0, "=T",
     "invert levels from T of 0..255 on (P 0.5)"},
    {"equalize", AUGMENT_EQUALIZE, NUMBER_CHANCE, CLIPS, 0, 1, 0, 1, HALF(), 0, "[=P]",
     "even out the histogram (P 0.5)"},
    {"invert", AUGMENT_INVERT, NUMBER_CHANCE, CLIPS, 0, 1, 0, 1, HALF(), 0, "[=P]", "negative (P 0.5)"},
    {"autocontrast", AUGMENT_AUTOCONTRAST, NUMBER_CHANCE, CLIPS, 0, 1, 0, 1, HALF(), 0, "[=P]",
     "stretch each channel to the whole range (P 0.5)"},
    {"blur", AUGMENT_BLUR, NUMBER_VALUE, 0, 1, 2, 0.05, 16, USUAL(), 0, "=S",
     "Gaussian blur, S pixels; LOW:HIGH is a random S"},
    {"noise", AUGMENT_NOISE, NUMBER_VALUE, ANY_SHAPE, 1, 2, 0, 1, USUAL(), 0, "=S",
     "add normal noise, S of the range of values"},
    {"cutout", AUGMENT_CUTOUT, NUMBER_VALUE, FILLS | WHOLE, 1, 1, 1, 4096, USUAL(), 0, "=N",
     "fill a square of N pixels at a random place"},
    {"erase", AUGMENT_ERASE, NUMBER_RANGES, FILLS, 0, 4, 0.001, 100, HALF(.range = {{0.02, 0.33}, {0.3, 3.3}}), 0,
     "[=LOW:HIGH[:LOW:HIGH]]", "fill a rectangle: area (0.02:0.33), width/height (0.3:3.3) (P 0.5)"},

    {"trivial", AUGMENT_TRIVIAL, NUMBER_CHANCE, MOVES | CLIPS, 0, 1, 0, 1, USUAL(), 0, "[=P]",
     "TrivialAugment (wide): one random operation of random strength"},
    {"rand", AUGMENT_RAND, NUMBER_TWO, MOVES | CLIPS | WHOLE, 0, 2, 0, 30, USUAL(.range = {{2, 2}, {9, 9}}), 0,
     "[=N:M]", "RandAugment: N random operations (2) of strength M of 0..30 (9)"},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof *rows };

void augment_help(FILE *stream) {
    fprintf(stream, "--augment LIST: random changes of training images, in the list's order, for example\n"
                    "  --augment flip,crop=4             --augment resized-crop=0.2:1,flip,trivial,erase\n"
                    "  --augment rotate=15:fill=reflect,brightness=0.2:p=0.5\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        int used = fprintf(stream, "  %s%s", rows[i].name, rows[i].usage);
        fprintf(stream, "%s%*s%s\n", used < 18 ? "" : "\n", used < 18 ? 18 - used : 18, "", rows[i].help);
    }
    fprintf(stream, "\n"
                    "Where one number gives a range (rotate=15: -15 to 15; brightness=0.2: 0.8 to 1.2),\n"
                    "two give its ends: rotate=0:30. Behind them, each after a colon:\n"
                    "  p=P               chance that an example is changed (1, or as said above)\n"
                    "  fill=MODE         outside of the image: a number from 0 to 1 (0), nearest, reflect,\n"
                    "                    mirror (reflect without the border pixel twice), wrap\n"
                    "  nearest           do not interpolate between pixels\n"
                    "none: no augmentation, also on --resume.\n");
}

/* ---- reading ---- */

typedef struct Numbers {
    double value[4];
    size_t count;
} Numbers;

static const Row *find_row(const char *name, size_t length) {
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

static bool read_number(const char *text, size_t length, double *value) {
    char copy[40], *end;
    if (length == 0 || length >= sizeof copy || isspace((unsigned char)text[0]))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value);
}

static bool is_word(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static Status read_fill(const Row *row, const char *text, size_t length, AugmentOperation *op) {
    if (!(row->flags & (MOVES | FILLS)))
        return status_fail(STATUS_USAGE, "%s fills nothing", row->name);
    if (read_number(text, length, &op->fill_value) && op->fill_value >= 0 && op->fill_value <= 1) {
        op->fill = FILL_CONSTANT;
        return STATUS_OK;
    }
    for (op->fill = 0; op->fill < AUGMENT_FILLS && row->flags & MOVES; op->fill++)
        if (is_word(text, length, fill_names[op->fill])) {
            op->fill_value = 0;
            return STATUS_OK;
        }
    return status_fail(STATUS_USAGE, "fill must be a number from 0 to 1%s",
                       row->flags & MOVES ? ", nearest, reflect, mirror or wrap" : "");
}

/* One of the values behind a name. */
static Status read_value(const Row *row, const char *text, size_t length, AugmentOperation *op, Numbers *numbers) {
    double value;
    if (length > 2 && memcmp(text, "p=", 2) == 0) {
        if (!read_number(text + 2, length - 2, &op->chance) || !(op->chance >= 0 && op->chance <= 1))
            return status_fail(STATUS_USAGE, "p must be a number from 0 to 1");
        return STATUS_OK;
    }
    if (length > 5 && memcmp(text, "fill=", 5) == 0)
        return read_fill(row, text + 5, length - 5, op);
    if (row->flags & MOVES && (is_word(text, length, "nearest") || is_word(text, length, "bilinear"))) {
        op->nearest = text[0] == 'n';
        return STATUS_OK;
    }
    if (!read_number(text, length, &value))
        return status_fail(STATUS_USAGE, "\"%.*s\" is no number, and not p=, fill=, nearest or bilinear", (int)length,
                           text);
    if (numbers->count == row->most)
        return status_fail(STATUS_USAGE, "more than %zu number%s", row->most, row->most == 1 ? "" : "s");
    numbers->value[numbers->count++] = value;
    return STATUS_OK;
}

static Status check_numbers(const Row *row, const Numbers *numbers) {
    if (numbers->count < row->least)
        return status_fail(STATUS_USAGE, "needs a number: %s%s", row->name, row->usage);
    for (size_t i = 0; i < numbers->count; i++) {
        double value = numbers->value[i];
        if (!(value >= row->min && value <= row->max))
            return status_fail(STATUS_USAGE, "%g is not between %g and %g", value, row->min, row->max);
        if (row->flags & WHOLE && value != floor(value))
            return status_fail(STATUS_USAGE, "%g is not a whole number", value);
    }
    if (row->style == NUMBER_RANGES && numbers->count % 2 != 0)
        return status_fail(STATUS_USAGE, "needs a lowest and a highest number: %s%s", row->name, row->usage);
    for (size_t i = 0; i + 1 < numbers->count && row->style != NUMBER_TWO; i += 2)
        if (numbers->value[i] > numbers->value[i + 1])
            return status_fail(STATUS_USAGE, "%g is above %g", numbers->value[i], numbers->value[i + 1]);
    if (row->style == NUMBER_RANGES && numbers->count > 1 && numbers->value[1] > 1)
        return status_fail(STATUS_USAGE, "a share of the area is at most 1, not %g", numbers->value[1]);
    return STATUS_OK;
}

/* From the numbers, which have been checked, to the operation's ranges. */
static void set_ranges(const Row *row, const Numbers *numbers, AugmentOperation *op) {
    const double *v = numbers->value;
    double low = numbers->count == 2 ? v[0] : 0, high = numbers->count == 2 ? v[1] : 0;
    if (numbers->count == 0)
        return;
    if (numbers->count == 1) {
        double one = fabs(v[0]);
        low = row->style == NUMBER_SYMMETRIC ? -one : row->style == NUMBER_FACTOR ? fmax(row->min, 1 - one) : v[0];
        high = row->style == NUMBER_SYMMETRIC ? one : row->style == NUMBER_FACTOR ? 1 + one : v[0];
    }
    switch (row->style) {
    case NUMBER_CHANCE:
        op->chance = v[0];
        break;
    case NUMBER_RANGES:
        for (size_t i = 0; i < numbers->count; i++)
            op->range[i / 2][i % 2] = v[i];
        break;
    case NUMBER_TWO:
        for (size_t i = 0; i < numbers->count; i++)
            op->range[i][0] = op->range[i][1] = v[i];
        break;
    default:
        for (int k = 0; k < 2; k++)
            if (row->axes ? row->axes >> k & 1 : k == 0)
                op->range[k][0] = low, op->range[k][1] = high;
    }
}

/* One operation: text[0 .. length-1]. */
static Status read_operation(const char *text, size_t length, Augment *out) {
    size_t name = 0;
    while (name < length && text[name] != '=' && text[name] != ':')
        name++;
    const Row *row = find_row(text, name);
    if (length == 0)
        return status_fail(STATUS_USAGE, "two commas, or one at an end: an operation is missing");
    if (row == NULL)
        return status_fail(STATUS_USAGE, "unknown operation; --augment help lists what there is");
    AugmentOperation op = row->standard;
    Numbers numbers = {0};
    op.kind = row->kind;
    for (size_t at = name; at < length;) {
        size_t end = ++at; /* behind the '=' or ':' */
        while (end < length && text[end] != ':')
            end++;
        TRY(read_value(row, text + at, end - at, &op, &numbers));
        at = end;
    }
    TRY(check_numbers(row, &numbers));
    set_ranges(row, &numbers, &op);
    return augment_add(out, &op);
}

Status augment_parse(const char *text, Augment *out) {
    *out = (Augment){0};
    if (text[0] == '\0' || strcmp(text, "none") == 0)
        return STATUS_OK;
    for (size_t at = 0, end; at == 0 || text[at - 1] == ','; at = end + 1) {
        at += strspn(text + at, " ");
        end = at + strcspn(text + at, ",");
        size_t length = end - at;
        while (length > 0 && text[at + length - 1] == ' ')
            length--;
        if (read_operation(text + at, length, out) != STATUS_OK)
            return status_context(STATUS_USAGE, "--augment %.*s", length < 60 ? (int)length : 60, text + at);
        if (text[end] == '\0')
            break;
    }
    return STATUS_OK;
}

Status augment_add(Augment *augment, const AugmentOperation *operation) {
    if (augment->count == AUGMENT_MAX_OPERATIONS)
        return status_fail(STATUS_USAGE, "more than %d operations", AUGMENT_MAX_OPERATIONS);
    augment->operations[augment->count++] = *operation;
    return STATUS_OK;
}

/* ---- does it fit the data ---- */

static const Row *row_of_kind(AugmentKind kind) {
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

/* For operations that clip: bytes are in their range; of float data 64 examples are looked at. */
static Status check_values(const Row *row, Dataset *dataset) {
    enum { LOOK_AT = 64 };
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape), count = info->count[DATASET_TRAIN];
    Real *x;
    if (info->is_uint8)
        return STATUS_OK;
    TRY(memory_new(&x, width, "an example"));
    Status status = STATUS_OK;
    for (size_t i = 0; i < LOOK_AT && status == STATUS_OK && count > 0; i++) {
        uint64_t at = i * count / LOOK_AT;
        status = dataset_read(dataset, DATASET_TRAIN, &at, 1, NULL, x, NULL);
        for (size_t k = 0; k < width && status == STATUS_OK; k++)
            if (!(x[k] >= 0 && (double)x[k] <= info->value_max))
                status = status_fail(STATUS_USAGE,
                                     "--augment %s takes pixel values from 0 to %g (value_max); %s has %g in training "
                                     "example %llu",
                                     row->name, info->value_max, info->path, (double)x[k], (unsigned long long)at);
    }
    memory_free(x);
    return status;
}

/* Pixels: not so many that little of the image is left. */
static Status check_size(const AugmentOperation *op, const DatasetInfo *info) {
    const size_t *dim = info->shape.dim;
    double side = (double)(dim[0] < dim[1] ? dim[0] : dim[1]), most = INFINITY;
    char shape[SHAPE_TEXT];
    if (op->kind == AUGMENT_CROP)
        most = floor(side / 2);
    else if (op->kind == AUGMENT_CUTOUT)
        most = side - 1;
    else if (op->kind == AUGMENT_BLUR)
        most = side / 4;
    if (op->range[0][1] <= most)
        return STATUS_OK;
    return status_fail(STATUS_USAGE, "--augment %s=%g is too much for images of %s: at most %g",
                       row_of_kind(op->kind)->name, op->range[0][1], shape_format(&info->shape, shape), most);
}

/* dataset NULL: bytes, which need not be looked at. */
static Status check(const Augment *augment, const DatasetInfo *info, Dataset *dataset) {
    const Row *clips = NULL;
    char shape[SHAPE_TEXT];
    for (size_t i = 0; i < augment->count; i++) {
        const Row *row = row_of_kind(augment->operations[i].kind);
        const char *name = row ? row->name : "of the network's layers";
        int flags = row ? row->flags : 0;
        if (info->shape.rank != 3 && !(flags & ANY_SHAPE))
            return status_fail(STATUS_USAGE,
                               "--augment %s is for images [height, width, channels]; %s has examples of %s", name,
                               info->path, shape_format(&info->shape, shape));
        if (info->shape.rank == 3 && info->shape.dim[2] > PREPROCESS_CHANNELS)
            return status_fail(STATUS_USAGE, "--augment takes at most %d channels; %s has %zu", PREPROCESS_CHANNELS,
                               info->path, info->shape.dim[2]);
        if (flags & COLOURS && info->shape.dim[2] != 3)
            return status_fail(STATUS_USAGE, "--augment %s is for colour images of 3 channels; %s has %zu", name,
                               info->path, info->shape.dim[2]);
        if (info->shape.rank == 3)
            TRY(check_size(&augment->operations[i], info));
        clips = flags & CLIPS && clips == NULL ? row : clips;
    }
    return clips && dataset ? check_values(clips, dataset) : STATUS_OK;
}

Status augment_check(const Augment *augment, Dataset *dataset) {
    return check(augment, dataset_info(dataset), dataset);
}

Status augment_check_bytes(const Augment *augment, const DatasetInfo *info) {
    return check(augment, info, NULL);
}
