/* SPDX-License-Identifier: Apache-2.0
 *
 * Import: from files in another format to a dataset file.  A kind is a small table (below) that knows one format: it
 * lists what there is, and reads any one example.  All else is done once for all kinds: names of classes, the part that
 * becomes val, many threads and ranks, progress, going on after a kill, examples that cannot be read
 * (data/import_job.h, train/importer.h).
 *
 * A new kind: its file data/import_<name>.c with `const ImportKind import_kind_<name>`, a word in IMPORT_KINDS, its
 * options in ImportOptions and in the table of tools/cnn_import.c.  Nothing here is collective. */
#ifndef DATA_IMPORT_H
#define DATA_IMPORT_H
#include "data/dataset.h"

enum { IMPORT_TEXT = 1024, IMPORT_CLASSES = 1 << 16 };

typedef enum ImportType { IMPORT_TYPE_AUTO, IMPORT_TYPE_UINT8, IMPORT_TYPE_FLOAT } ImportType;

/* What the command line says; a zeroed struct is one without options but for the defaults of tools/cnn_import.c. */
typedef struct ImportOptions {
    char *const *paths; /* the words after the kind, each shorter than IMPORT_TEXT; borrowed */
    size_t path_count;
    char output[IMPORT_TEXT];
    bool force, skip;               /* output may exist; examples that cannot be read are left out */
    char origin[IMPORT_TEXT];       /* where the data is from; "": not said */
    char class_names[IMPORT_TEXT];  /* "cat,dog": in the order of the class numbers */
    char classes_file[IMPORT_TEXT]; /* or a text file, one name a line */
    double validation_split;        /* this part of train becomes val, chosen by seed */
    size_t seed;
    size_t threads; /* per rank; 0: as fits */

    /* idx, npy */
    char images[DATASET_SPLITS][IMPORT_TEXT], labels[DATASET_SPLITS][IMPORT_TEXT];

    /* csv, series, npy */
    char split[DATASET_SPLITS][IMPORT_TEXT];                           /* --train FILE, --val FILE, --test FILE */
    char label[IMPORT_TEXT], target[IMPORT_TEXT], ignore[IMPORT_TEXT]; /* columns: one; numbers to predict; not read */
    char separator[IMPORT_TEXT];
    int header, type;        /* TextHeader; ImportType */
    char shape[IMPORT_TEXT]; /* "8x8x1": of an example */
    double value_max;        /* the largest value that x may have (a larger one is an error); 0: by the type */
    size_t channels;         /* of a series */
    bool planar, normalise;  /* the samples of a channel stand together; each series to mean 0, deviation 1 */

    bool coarse; /* cifar100: the 20 classes, not the 100 */

    /* wav: folders of files */
    char label_from[IMPORT_TEXT];            /* "{label}_*": labels are a part of file names; "none" */
    char match[DATASET_SPLITS][IMPORT_TEXT]; /* --val-match, --test-match: pattern of names */
    char list[DATASET_SPLITS][IMPORT_TEXT];  /* --val-list, --test-list: a text file of names */
    double window, hop, rate, seconds;       /* ms, ms, samples/s (0: of the first file), s */
    size_t bands;

    /* images; idx, cifar, npy of bytes; `channels`, too */
    char size[IMPORT_TEXT], resize[IMPORT_TEXT]; /* PictureRule, in words */
    bool keep_encoded;                           /* the files' bytes */
} ImportOptions;

/* What a kind found: filled in by open. */
typedef struct ImportSource {
    /* Used are shape, is_uint8, value_max, count, labels (name, kind, shape: DatasetInfo's), label_count, class_names,
     * class_name_count, origin.  What it points to belongs to the kind until close. */
    DatasetInfo info;
    char **skipped; /* messages: files that are left out and no examples; NULL: none */
    size_t skipped_count;
    uint64_t identity; /* hash of what decides the result beside the options' texts: import_note_file of every source */
    void *self;        /* the kind's own */
} ImportSource;

typedef struct ImportKind {
    const char *name;      /* "idx" */
    const char *arguments; /* the words after it: "FILE..." */
    const char *help;      /* one line: of what */
    const char *options;   /* which options it takes beside those of all kinds: "label shape", "" for none */

    /* Looks at the files and checks them; reads no examples.  names[name_count] are the classes asked for by
     * --class-names or --classes-file (name_count 0: not said), borrowed until close; a kind that knows classes by
     * names numbers them in that order, one that knows numbers gives them as names.
     * STATUS_USAGE: what the options say does not fit; STATUS_FAILED: no such file, damaged.  On failure `source` is
     * left for close, too. */
    Status (*open)(const ImportOptions *options, char **names, size_t name_count, ImportSource *source);
    void (*close)(ImportSource *source); /* accepts a source that open did not finish */

    /* Example i of a split: x[shape] in uint8_t or float, labels[k][shape of label k] in int64_t for LABEL_CLASS, else
     * float.  Called by several threads at once, in any order, more than once for an example.
     * STATUS_FAILED: this one cannot be read; the message names file and place. */
    Status (*read)(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]);

    /* Its x may be images that --size, --resize and --channels bring to another size: done for it. */
    bool resizes;

    /* NULL for examples of one size.  If info.is_encoded: bytes of example i's x, at least 1 (encoded pictures: the
     * file's size): x in the dataset is then uint8 [all bytes of the split], and an array x_end [n] (int64) says where
     * each example ends. */
    size_t (*bytes)(const ImportSource *source, DatasetSplit split, size_t i);
} ImportKind;

/* Adds path, size and time of change of a file to source->identity, so that an import does not go on with other files
 * than it began with.  STATUS_FAILED: cannot be opened, no plain file. */
Status import_note_file(ImportSource *source, const char *path);

/* The split that a file name tells: "train"; "test", "t10k"; "val"; DATASET_SPLITS: none of these. */
DatasetSplit import_split_of(const char *path);

/* path[split] = the file of each split, NULL for none, by --train, --val, --test and the names of the words after the
 * kind; a single one whose name says nothing is train.  Borrowed from `options`.  STATUS_USAGE: cannot tell, none. */
Status import_sort_paths(const ImportOptions *options, const char *path[DATASET_SPLITS]);

/* *shape = that of the text "28x28x1", whose product must be `width`; of "", {width}.  STATUS_USAGE. */
Status import_shape(const char *text, size_t width, Shape *shape);

/* One of the arrays that an import is put together from: x or the labels of a split, or a piece of them. */
typedef struct ImportPart {
    const char *name;   /* for messages */
    DatasetSplit split; /* DATASET_SPLITS: not told */
    bool is_labels;
    size_t count; /* examples */
    size_t first; /* of import_sort_parts: which of its split is the first of them */
} ImportPart;

/* Gives each part its split, and its place there: pieces of a split follow each other as they are given.  total[split]:
 * examples.  Where no x tells its split all are train; labels that do not tell belong to the only split of so many
 * examples.  *labelled: whether there are labels; else x is to be predicted.  STATUS_USAGE: cannot tell; a split
 * without labels beside others; labels without x.  STATUS_FAILED: counts differ. */
Status import_sort_parts(ImportPart parts[], size_t count, size_t total[DATASET_SPLITS], bool *labelled);

/* The part that holds example *i of x, or of the labels, of a split; *i becomes its number there.  It must exist. */
size_t import_find_part(const ImportPart parts[], bool is_labels, DatasetSplit split, size_t *i);

#define IMPORT_KINDS(X)      X(idx) X(cifar10) X(cifar100) X(images) X(csv) X(npy) X(series) X(wav)
#define IMPORT_DECLARE(name) extern const ImportKind import_kind_##name;
IMPORT_KINDS(IMPORT_DECLARE)
#undef IMPORT_DECLARE

/* All kinds, NULL at the end; the one of that name, or NULL. */
extern const ImportKind *const import_kinds[];
const ImportKind *import_find(const char *name);

#endif
