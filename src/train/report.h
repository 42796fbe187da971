/* SPDX-License-Identifier: Apache-2.0
 *
 * report.html of a run: one file that a browser shows without anything else, with the pictures in it.  What it says is
 * read from the run folder, so that it can be made anew at any time; what only the run itself knew (ranks, machine,
 * memory) is taken from the report that is replaced. */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H
#include "train/assess_write.h"
#include "train/plot.h"
#include "train/trained.h"

enum { REPORT_EXAMPLES = 2000, REPORT_MACHINE = 512 /* bytes of the machine's words */ };

/* What a page says.  All borrowed. */
typedef struct ReportPage {
    const char *folder;
    const char *path;        /* to write; NULL: report.html in the folder */
    const PlotRuns *runs;    /* the one run */
    const Config *config;    /* of the run */
    const char *network;     /* its name */
    const Graph *graph;      /* NULL: no table of layers */
    const char *environment; /* backend_describe of the run; NULL: not known */
    const char *machine;     /* in words: ranks, processor, memory; "": not known */
    /* the examples that the network was tried on; assessment NULL: none, because of `missing` (NULL: the run still
     * trains) */
    const Assessment *assessment;
    const char *missing;
    AssessNames names;
    AssessSource source;
    const char *split;      /* "test" */
    const char *checkpoint; /* file of the weights */
    uint64_t all;           /* examples of the split, of which some may have been tried */
} ReportPage;

/* Replaces the file by the page.  A machine that is not known is that of the report.html in the folder.  Not
 * collective.  Pictures that cannot be drawn (a build without cairo) are left out.  STATUS_FAILED: memory, cannot be
 * read or written. */
Status report_write(const ReportPage *page);

/* report_write of all that can be told of the run folder arguments->run, whose network, with the weights that
 * `arguments` say, is tried on up to `examples` examples (0: all) of the test data, else of the validation data, drawn
 * at random.  path, machine: as in ReportPage.  Where the run's data are gone, and `arguments` name no other, there are
 * no results, which the page and a warning say.  Collective, agreed.  STATUS_FAILED: as trained_open; no epoch is
 * over. */
Status report_make(Dist *dist, const TrainedArguments *arguments, uint64_t examples, const char *path,
                   const char *machine);

#endif
