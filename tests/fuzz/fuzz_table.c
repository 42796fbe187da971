/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of numbers as text. */
#include "base/memory.h"
#include "data/label_set.h"
#include "data/text_table.h"
#include "fuzz/fuzz.h"

static void read_rows(const TextTable *table, TextField *fields, LabelSet *labels) {
    double value;
    for (size_t row = 0; row < table->count; row++) {
        if (text_table_fields(table, row, fields) != STATUS_OK)
            continue;
        (void)label_set_add(labels, fields[0].at, fields[0].length);
        for (size_t i = 0; i < table->columns; i++)
            (void)text_table_number(table, row, i, fields[i], &value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    TextTable table;
    TextField *fields;
    LabelSet labels = {0};
    size_t column;
    if (text_table_open(fuzz_path(data, size), 0, TEXT_HEADER_AUTO, &table) != STATUS_OK)
        return 0;
    (void)text_table_column(&table, "label", &column);
    if (memory_new(&fields, table.columns, "fields") == STATUS_OK) {
        read_rows(&table, fields, &labels);
        (void)label_set_settle(&labels, NULL, 0);
        memory_free(fields);
    }
    label_set_free(&labels);
    text_table_close(&table);
    return 0;
}
