/* SPDX-License-Identifier: Apache-2.0 */
#include "io/event_file.h"
#include "base/memory.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "events.out.tfevents."
enum { HEADER = 12, FOOTER = 4, SESSION_STATUS = 1, SESSION_START = 1 };

struct EventFile {
    char *path;
    uint64_t size; /* of what is known to be whole */
    bool torn;     /* there may be more: a write failed */
};

/* ---- records ----------------------------------------------------------------------------------------------------- */

uint32_t event_checksum(const void *bytes, size_t size) {
    const unsigned char *byte = bytes;
    uint32_t table[16], crc = UINT32_MAX; /* four bits at a time */
    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (int bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78U : 0);
    }
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 4 ^ table[(crc ^ byte[i]) & 15];
        crc = crc >> 4 ^ table[(crc ^ byte[i] >> 4) & 15];
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

static void put_little(unsigned char *to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_little(const unsigned char *from, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

size_t event_begin(Message *records, int64_t step) {
    static const unsigned char place[HEADER];
    struct timespec now;
    size_t begun = records->size;
    clock_gettime(CLOCK_REALTIME, &now);
    message_raw(records, place, sizeof place);
    message_double(records, EVENT_WALL_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    if (step != 0) /* proto3: a zero is not written */
        message_integer(records, EVENT_STEP, step);
    return begun;
}

void event_end(Message *records, size_t begun) {
    unsigned char footer[FOOTER];
    if (records->status != STATUS_OK)
        return;
    unsigned char *header = records->bytes + begun;
    size_t size = records->size - begun - HEADER;
    put_little(header, size, 8);
    put_little(header + 8, event_checksum(header, 8), 4);
    put_little(footer, event_checksum(header + HEADER, size), FOOTER);
    message_raw(records, footer, FOOTER);
}

/* The tag of a Summary's first value. */
static void read_tag(const MessageField *summary, EventHead *head) {
    MessageField value, field;
    size_t at = 0, in_value = 0;
    if (!message_next(summary->bytes, summary->size, &at, &value) || value.field != SUMMARY_VALUE)
        return;
    while (message_next(value.bytes, value.size, &in_value, &field))
        if (field.field == VALUE_TAG && field.bytes) {
            head->tag = (const char *)field.bytes;
            head->tag_size = field.size;
        }
}

static EventHead read_head(const unsigned char *bytes, size_t size) {
    EventHead head = {.tag = ""};
    MessageField field;
    for (size_t at = 0; message_next(bytes, size, &at, &field);) {
        if (field.field == EVENT_STEP)
            head.step = (int64_t)field.number;
        head.graph |= field.field == EVENT_GRAPH;
        if (field.field == EVENT_SUMMARY)
            read_tag(&field, &head);
    }
    return head;
}

size_t event_walk(const unsigned char *bytes, size_t size, EventKeep *keep, void *user) {
    size_t at = 0;
    while (size - at >= HEADER + FOOTER) {
        const unsigned char *header = bytes + at, *event = header + HEADER;
        uint64_t length = get_little(header, 8);
        if (length > size - at - HEADER - FOOTER || get_little(header + 8, 4) != event_checksum(header, 8) ||
            get_little(event + length, FOOTER) != event_checksum(event, (size_t)length))
            break;
        EventHead head = read_head(event, (size_t)length);
        if (keep && !keep(user, &head))
            break;
        at += HEADER + (size_t)length + FOOTER;
    }
    return at;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool is_events(const char *name) {
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

Status event_file_find(const char *folder, char **path) {
    char **names;
    size_t count;
    const char *last = NULL;
    *path = NULL;
    TRY(file_list(folder, &names, &count));
    for (size_t i = 0; i < count; i++)
        if (is_events(names[i]) && (last == NULL || strcmp(names[i], last) > 0))
            last = names[i];
    Status status = last ? memory_format(path, "%s/%s", folder, last) : STATUS_OK;
    memory_free(names);
    return status;
}

Status event_file_remove(const char *folder) {
    char **names;
    size_t count;
    Status status = file_list(folder, &names, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (is_events(names[i]))
            status = file_remove(folder, names[i]);
    memory_free(names);
    if (status == STATUS_OK)
        rmdir(folder); /* others' files stay, and their folder */
    return status;
}

/* Cuts the file at `path` to `size` bytes. */
static Status cut(const char *path, uint64_t size) {
    int rc;
    do
        rc = truncate(path, (off_t)size);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? STATUS_OK : status_fail(STATUS_FAILED, "cannot shorten %s: %s", path, strerror(errno));
}

/* Removes the events of earlier numbers than those of `path`. */
static Status remove_older(const char *folder, const char *path) {
    char **names;
    size_t count;
    TRY(file_list(folder, &names, &count));
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (is_events(names[i]) && strcmp(names[i], strrchr(path, '/') + 1) != 0)
            status = file_remove(folder, names[i]);
    memory_free(names);
    return status;
}

/* The file gets the next number: see the header.  In one rename, so that no event is there twice.  An empty file of the
 * old name stays for a reader that would stumble over its absence. */
static Status renumber(EventFile *file, const char *folder) {
    char *path;
    const char *number = strrchr(file->path, '.');
    TRY(remove_older(folder, file->path));
    TRY(memory_format(&path, "%s/" PREFIX "%06lu", folder, strtoul(number + 1, NULL, 10) % 999999 + 1));
    if (rename(file->path, path) != 0) {
        memory_free(path);
        return status_fail(STATUS_FAILED, "cannot rename %s: %s", file->path, strerror(errno));
    }
    int empty = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (empty >= 0)
        close(empty);
    memory_free(file->path);
    file->path = path;
    return STATUS_OK;
}

/* Keeps of the file that is there what shall stay. */
static Status take_up(EventFile *file, const char *folder, EventKeep *keep, void *user) {
    unsigned char *bytes;
    size_t size;
    TRY(file_read(file->path, &bytes, &size));
    file->size = event_walk(bytes, size, keep, user);
    memory_free(bytes);
    if (file->size < size)
        TRY(cut(file->path, file->size));
    return renumber(file, folder);
}

/* The first records: the format's version, and that a writer starts here, whereupon a reader forgets what it had of a
 * file cut back (SessionLog.START). */
static Status begin_file(EventFile *file) {
    Message records = {0};
    size_t event = event_begin(&records, 0);
    message_text(&records, EVENT_VERSION, "brain.Event:2");
    event_end(&records, event);
    event = event_begin(&records, 0);
    size_t session = message_begin(&records, EVENT_SESSION);
    message_integer(&records, SESSION_STATUS, SESSION_START);
    message_end(&records, session);
    event_end(&records, event);
    Status status = records.status;
    if (status == STATUS_OK)
        status = file_write(file->path, 1, &(FilePart){records.bytes, records.size});
    if (status == STATUS_OK)
        file->size = records.size;
    memory_free(records.bytes);
    return status;
}

static Status open_file(EventFile *file, const char *folder, EventKeep *keep, void *user) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return status_fail(STATUS_FAILED, "cannot make the folder %s: %s", folder, strerror(errno));
    TRY(file_remove_leftovers(folder));
    TRY(event_file_find(folder, &file->path));
    if (file->path)
        TRY(take_up(file, folder, keep, user));
    else
        TRY(memory_format(&file->path, "%s/" PREFIX "%06d", folder, 1));
    return file->size == 0 ? begin_file(file) : STATUS_OK;
}

Status event_file_open(const char *folder, EventKeep *keep, void *user, EventFile **out) {
    TRY(memory_new(out, 1, "file of events"));
    Status status = open_file(*out, folder, keep, user);
    if (status != STATUS_OK) {
        event_file_close(*out);
        *out = NULL;
    }
    return status;
}

void event_file_close(EventFile *file) {
    if (file)
        memory_free(file->path);
    memory_free(file);
}

/* Takes back what a failed write has left. */
static Status mend(EventFile *file) {
    if (file->torn)
        TRY(cut(file->path, file->size));
    file->torn = false;
    return STATUS_OK;
}

Status event_file_append(EventFile *file, const Message *records) {
    char why[512];
    TRY(records->status);
    TRY(mend(file));
    Status status = file_append(file->path, records->bytes, records->size);
    if (status == STATUS_OK) {
        file->size += records->size;
        return STATUS_OK;
    }
    snprintf(why, sizeof why, "%s", status_message());
    file->torn = true;
    mend(file); /* if not now, before the next one */
    return status_fail(STATUS_FAILED, "%s", why);
}
