/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"
#include "base/memory.h"
#include "base/pulse.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A system call again while a signal interrupts it; network file systems can be interrupted anywhere. */
#define RETRY(call)                                                                                                    \
    ({                                                                                                                 \
        __typeof__(call) retry_result;                                                                                 \
        do                                                                                                             \
            retry_result = (call);                                                                                     \
        while (retry_result < 0 && errno == EINTR);                                                                    \
        retry_result;                                                                                                  \
    })

/* Of one call: Linux takes no more than 2 GB, and who watches sees that it goes on (base/pulse.h). */
enum { WRITE_MAX = 1 << 26 };

/* Of a network file system: the file was replaced on the server after it was opened here. */
enum { STALE_TRIES = 5 };

static Status read_failed(const char *path, int code, bool *stale) {
    *stale = code == ESTALE;
    return status_fail(STATUS_FAILED, "cannot read %s: %s", path, strerror(code));
}

static Status read_all(int fd, const char *path, unsigned char *bytes, size_t size, bool *stale) {
    for (size_t done = 0; done < size;) {
        ssize_t n = RETRY(read(fd, bytes + done, size - done < WRITE_MAX ? size - done : WRITE_MAX));
        if (n < 0)
            return read_failed(path, errno, stale);
        if (n == 0)
            return status_fail(STATUS_FAILED, "cannot read %s: it ends after %zu of %zu bytes: is it being written?",
                               path, done, size);
        done += (size_t)n;
        pulse();
    }
    return STATUS_OK;
}

static Status read_once(const char *path, unsigned char **bytes, size_t *size, bool *stale) {
    Status status = STATUS_OK;
    struct stat about;
    *bytes = NULL;
    *size = 0;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    *stale = fd < 0 && errno == ESTALE;
    if (fd < 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &about) != 0)
        TRY_GOTO(read_failed(path, errno, stale), done);
    if (!S_ISREG(about.st_mode))
        TRY_GOTO(status_fail(STATUS_FAILED, "cannot read %s: not a plain file", path), done);
    TRY_GOTO(memory_alloc((size_t)about.st_size + 1, 1, "file's content", (void **)bytes), done);
    *size = (size_t)about.st_size;
    TRY_GOTO(read_all(fd, path, *bytes, *size, stale), done);
done:
    close(fd);
    if (status != STATUS_OK) {
        memory_free(*bytes);
        *bytes = NULL;
        *size = 0;
    }
    return status;
}

Status file_read(const char *path, unsigned char **bytes, size_t *size) {
    bool stale;
    Status status = read_once(path, bytes, size, &stale);
    for (int i = 1; i < STALE_TRIES && stale; i++)
        status = read_once(path, bytes, size, &stale);
    return status;
}

/* The folder of a path, "." where it has none. */
static Status folder_of(const char *path, char **folder) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_strdup(".", folder);
    return memory_format(folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* ".", the name, ".", host, "-", process, FILE_LEFTOVER: it says who writes, for a person who finds one.  Host names
 * may be long and file names may not. */
static Status temporary_name(const char *path, char **out) {
    char host[64] = "";
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    gethostname(host, sizeof host - 1);
    return memory_format(out, "%.*s.%s.%s-%ld" FILE_LEFTOVER, (int)(name - path), path, name, host, (long)getpid());
}

/* Says what went wrong with `path` and what to do about it. */
static Status write_failed(const char *path, int code) {
    const char *way_out = "";
    if (code == ENOSPC || code == EDQUOT)
        way_out = ". Free some space (or ask for a larger quota); what was written earlier is whole";
    else if (code == EIO)
        way_out = ". The disk or the file server failed; what was written earlier is whole";
    else if (code == EFBIG)
        way_out = ". Raise the limit on file sizes (ulimit -f)";
    else if (code == EACCES || code == EPERM || code == EROFS)
        way_out = ". Choose a folder that you may write (--out)";
    return status_fail(STATUS_FAILED, "cannot write %s: %s%s", path, strerror(code), way_out);
}

Status file_sync(const char *path) {
    int fd = RETRY(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return write_failed(path, errno);
    int failed = RETRY(fsync(fd)), code = errno;
    close(fd);
    /* Some file systems cannot synchronise a folder and say so in one of these ways; they do it by themselves or not at
     * all. */
    if (failed != 0 && code != EINVAL && code != EBADF && code != EOPNOTSUPP)
        return write_failed(path, code);
    return STATUS_OK;
}

static Status write_all(int fd, const char *path, const FilePart *part) {
    for (size_t done = 0; done < part->size;) {
        size_t left = part->size - done;
        ssize_t n = RETRY(write(fd, (const char *)part->bytes + done, left < WRITE_MAX ? left : WRITE_MAX));
        if (n <= 0)
            return write_failed(path, n < 0 ? errno : EIO);
        done += (size_t)n;
        pulse();
    }
    return STATUS_OK;
}

/* Writes the parts to an open file, synchronises it if asked to, and closes it. */
static Status write_and_close(int fd, const char *path, size_t count, const FilePart parts[], bool sync) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_all(fd, path, &parts[i]);
    if (status == STATUS_OK && sync && RETRY(fsync(fd)) != 0)
        status = write_failed(path, errno);
    /* Network file systems may tell a full quota only now. */
    if (close(fd) != 0 && errno != EINTR && status == STATUS_OK)
        status = write_failed(path, errno);
    return status;
}

static Status remove_if_there(const char *temporary, const char *path) {
    return RETRY(unlink(temporary)) == 0 || errno == ENOENT ? STATUS_OK : write_failed(path, errno);
}

/* An older temporary is removed, never emptied: it may be a second name of a good file (file_link). */
static Status write_temporary(const char *temporary, const char *path, size_t count, const FilePart parts[]) {
    TRY(remove_if_there(temporary, path));
    int fd = RETRY(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    return fd < 0 ? write_failed(path, errno) : write_and_close(fd, path, count, parts, true);
}

Status file_put_in_place(const char *temporary, const char *path) {
    char *folder;
    TRY(folder_of(path, &folder));
    Status status = RETRY(rename(temporary, path)) == 0 ? file_sync(folder) : write_failed(path, errno);
    memory_free(folder);
    return status;
}

Status file_write(const char *path, size_t count, const FilePart parts[]) {
    char *temporary;
    TRY(temporary_name(path, &temporary));
    Status status = write_temporary(temporary, path, count, parts);
    if (status == STATUS_OK)
        status = file_put_in_place(temporary, path);
    if (status != STATUS_OK)
        unlink(temporary); /* already reported; after a rename it is gone */
    memory_free(temporary);
    return status;
}

Status file_append(const char *path, const void *bytes, size_t size) {
    int fd = RETRY(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
    return fd < 0 ? write_failed(path, errno) : write_and_close(fd, path, 1, &(FilePart){bytes, size}, false);
}

Status file_link(const char *existing, const char *path) {
    char *temporary;
    TRY(temporary_name(path, &temporary));
    Status status = remove_if_there(temporary, path);
    if (status == STATUS_OK && RETRY(link(existing, temporary)) != 0)
        status = write_failed(path, errno);
    if (status == STATUS_OK)
        status = file_put_in_place(temporary, path);
    unlink(temporary); /* rename leaves it where both are already names of one file */
    memory_free(temporary);
    return status;
}

Status file_copy(const char *existing, const char *path) {
    unsigned char *bytes;
    size_t size;
    if (file_link(existing, path) == STATUS_OK)
        return STATUS_OK;
    TRY(file_read(existing, &bytes, &size));
    Status status = file_write(path, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    return status;
}

/* The next name in the folder that is not "." or "..", or NULL: at the end errno is 0. */
static const char *next_name(DIR *directory) {
    struct dirent *entry;
    errno = 0;
    do
        entry = readdir(directory);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry != NULL ? entry->d_name : NULL;
}

static Status list_failed(const char *folder, int code) {
    return status_fail(STATUS_FAILED, "cannot read the folder %s: %s", folder, strerror(code));
}

/* What readdir gives is taken twice: to count, and to copy; files that come between the two are left out. */
static Status list(DIR *directory, const char *folder, char ***names, size_t *count) {
    size_t total = 0, bytes = 0;
    const char *name;
    while ((name = next_name(directory)) != NULL) {
        total++;
        bytes += strlen(name) + 1;
    }
    if (errno != 0)
        return list_failed(folder, errno);
    TRY(memory_alloc(total * sizeof(char *) + bytes, 1, "list of files", (void **)names));
    char *text = (char *)(*names + total);
    rewinddir(directory);
    while ((name = next_name(directory)) != NULL) {
        size_t length = strlen(name) + 1;
        if (*count == total || length > bytes)
            return STATUS_OK;
        (*names)[(*count)++] = memcpy(text, name, length);
        text += length;
        bytes -= length;
    }
    return errno == 0 ? STATUS_OK : list_failed(folder, errno);
}

Status file_list(const char *folder, char ***names, size_t *count) {
    *names = NULL;
    *count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return errno == ENOENT ? memory_alloc(0, 1, "list of files", (void **)names) : list_failed(folder, errno);
    Status status = list(directory, folder, names, count);
    closedir(directory);
    if (status != STATUS_OK) {
        memory_free(*names);
        *names = NULL;
        *count = 0;
    }
    return status;
}

Status file_remove(const char *folder, const char *name) {
    char *path;
    TRY(memory_format(&path, "%s/%s", folder, name));
    Status status = STATUS_OK;
    if (RETRY(unlink(path)) != 0 && errno != ENOENT)
        status = status_fail(STATUS_FAILED, "cannot remove %s: %s", path, strerror(errno));
    memory_free(path);
    return status;
}

Status file_remove_leftovers(const char *folder) {
    char **names;
    size_t count;
    Status status = file_list(folder, &names, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        size_t length = strlen(names[i]), tail = sizeof FILE_LEFTOVER - 1;
        if (names[i][0] == '.' && length > tail && strcmp(names[i] + length - tail, FILE_LEFTOVER) == 0)
            status = file_remove(folder, names[i]);
    }
    memory_free(names);
    return status;
}
