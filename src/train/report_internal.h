/* SPDX-License-Identifier: Apache-2.0
 *
 * Between report_page.c, the page and its results, and report_facts.c, what the run was made with. */
#ifndef TRAIN_REPORT_INTERNAL_H
#define TRAIN_REPORT_INTERNAL_H
#include "io/html.h"
#include "train/report.h"

void report__section(Html *h, const char *title);

/* A row of a table with two columns. */
void report__fact(Html *h, const char *name, const char *value);

const History *report__history(const ReportPage *page);

/* Of a column over all epochs; what is no number does not count. */
double report__sum(const History *history, const char *name);

const char *report__duration(double seconds, char text[32]);

/* Network, options, machine (escaped already), commands. */
void report__put_facts(Html *h, const ReportPage *page, const char *machine);

#endif
