/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/shared.h"
#include "base/memory.h"
#include "dist/dist_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, PATH = 1024 + 64, SPREAD_BYTES = 1 << 30 };

static unsigned forbidden;

void shared_forbid(unsigned ways) {
    forbidden = ways;
}

/* ---- the ways: each gives a file descriptor ---- */

/* What local rank 0 tells the others.  The stamp stands in the block's first page: containers with one host name look
 * like one node to MPI, and there the same path leads to something else. */
typedef struct Ticket {
    char path[PATH]; /* "": there is no block */
    uint64_t stamp;
} Ticket;

static int make_unnamed(const char *folder, Ticket *ticket) {
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : memfd_create("shared", MFD_CLOEXEC);
    if (fd >= 0)
        snprintf(ticket->path, PATH, "/proc/%d/fd/%d", (int)getpid(), fd);
    return fd;
}

static int open_unnamed(const char *path) {
    return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* whatever stands there: it does not block */
}

static void remove_unnamed(const char *path) {
    (void)path;
}

static int make_named(const char *folder, Ticket *ticket) {
    snprintf(ticket->path, PATH, "%s/cnn-%d-%016llx", folder ? folder : "", (int)getpid(),
             (unsigned long long)ticket->stamp);
    return folder ? open(ticket->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                  : shm_open(ticket->path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

static int open_named(const char *path) {
    return shm_open(path, O_RDWR, 0);
}

static void remove_named(const char *path) {
    shm_unlink(path);
}

static void remove_file(const char *path) {
    unlink(path);
}

typedef struct Way {
    unsigned bit;
    int (*make)(const char *folder, Ticket *ticket);
    int (*open)(const char *path);
    void (*remove)(const char *path);
} Way;

enum { WAYS = 2 };
static const Way memory_ways[WAYS] = {{SHARED_UNNAMED, make_unnamed, open_unnamed, remove_unnamed},
                                      {SHARED_NAMED, make_named, open_named, remove_named}};
static const Way file_ways[WAYS] = {{SHARED_UNNAMED, make_unnamed, open_unnamed, remove_unnamed},
                                    {SHARED_NAMED, make_named, open_unnamed, remove_file}};

/* ---- the block ---- */

/* Beyond `ulimit -f` the system would end the process. */
static bool may_be_so_large(size_t total) {
    struct rlimit limit;
    return total <= INT64_MAX &&
           (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || total <= limit.rlim_cur);
}

/* Maps the file, or returns NULL with errno.  A file of another size is not ours. */
static void *map(int fd, size_t total) {
    struct stat info;
    if (fstat(fd, &info) != 0)
        return NULL;
    if (!S_ISREG(info.st_mode) || (size_t)info.st_size != total) {
        errno = ENOENT;
        return NULL;
    }
    void *block = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return block == MAP_FAILED ? NULL : block;
}

/* Reserves memory for the bytes of the file; an errno or 0. */
static int reserve(int fd, size_t offset, size_t bytes) {
    int error;
    do
        error = bytes ? posix_fallocate(fd, (off_t)offset, (off_t)bytes) : 0;
    while (error == EINTR);
    return error;
}

/* Local rank 0's part of `attempt`: the block, its stamp, and what the others need to find it. */
static int make_block(const Way *way, const char *folder, Ticket *ticket, size_t total, void **block) {
    if (getrandom(&ticket->stamp, sizeof ticket->stamp, 0) != sizeof ticket->stamp)
        return -1;
    int fd = way->make(folder, ticket);
    if (fd < 0) {
        ticket->path[0] = '\0';
        return -1;
    }
    *block = ftruncate(fd, (off_t)total) == 0 && reserve(fd, 0, PAGE) == 0 ? map(fd, total) : NULL;
    if (*block)
        *(uint64_t *)*block = ticket->stamp;
    return fd;
}

/* Collective over the node: the block as this rank sees it, or NULL with *error on all ranks of the node. */
static void *attempt(Dist *dist, const Way *way, const char *folder, size_t total, size_t offset, size_t bytes,
                     int *error) {
    Ticket ticket = {0};
    void *block = NULL;
    int fd = -1;
    bool allowed = !(forbidden & way->bit) && may_be_so_large(total);
    errno = allowed ? 0 : EPERM;
    if (dist->local_rank == 0 && allowed)
        fd = make_block(way, folder, &ticket, total, &block);
    *error = errno;
    MPI_Bcast(&ticket, sizeof ticket, MPI_BYTE, 0, dist->local);
    if (dist->local_rank > 0 && allowed && ticket.path[0]) {
        fd = way->open(ticket.path);
        block = fd >= 0 ? map(fd, total) : NULL;
        *error = errno;
    }
    if (block)
        *error = *(uint64_t *)block == ticket.stamp ? reserve(fd, offset, bytes) : ENOENT;
    else if (*error == 0)
        *error = ENOENT;
    MPI_Allreduce(MPI_IN_PLACE, error, 1, MPI_INT, MPI_MAX, dist->local);
    if (dist->local_rank == 0 && ticket.path[0])
        way->remove(ticket.path);
    if (fd >= 0)
        close(fd);
    if (*error && block)
        munmap(block, total);
    return *error ? NULL : block;
}

Status shared_map(Dist *dist, size_t bytes, void **part, Shared *shared) {
    size_t ranks = (size_t)dist->local_ranks, me = (size_t)dist->local_rank, offset[ranks], total = PAGE;
    uint64_t mine = bytes, all[ranks];
    bool fits = true;
    int error = ENOMEM;
    *shared = (Shared){0};
    Status status = memory_note(bytes, "gradient slabs");
    bool counted = status == STATUS_OK;
    if (!counted)
        mine = UINT64_MAX; /* tells the others */
    MPI_Allgather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, dist->local);
    for (size_t r = 0; r < ranks; r++) {
        offset[r] = total;
        fits = fits && all[r] < SIZE_MAX - PAGE &&
               !__builtin_add_overflow(total, (all[r] + PAGE - 1) / PAGE * PAGE, &total);
    }
    void *block = NULL;
    for (size_t w = 0; fits && !block && w < WAYS; w++)
        block = attempt(dist, &memory_ways[w], NULL, total, offset[me], bytes, &error);
    if (!block) {
        if (counted)
            memory_forget(bytes);
        if (status == STATUS_OK)
            status = status_fail(STATUS_FAILED, "the ranks of this node cannot share memory: %s", strerror(error));
        return status;
    }
    *shared = (Shared){block, total, bytes};
    for (size_t r = 0; r < ranks; r++)
        part[r] = (char *)block + offset[r];
    return STATUS_OK;
}

Status shared_table(Dist *dist, const char *folder, size_t bytes, const char *what, void **table, Shared *shared) {
    size_t total = PAGE + bytes, mine = dist->local_rank == 0 ? bytes : 0, counted = folder ? 0 : mine;
    void *block = NULL;
    int error = ENOMEM;
    *shared = (Shared){0};
    Status status = memory_note(counted, what), noted = status;
    if (dist_agree_quiet(dist, status) == STATUS_OK)
        for (size_t w = 0; total > bytes && !block && w < WAYS; w++)
            block = attempt(dist, folder ? &file_ways[w] : &memory_ways[w], folder, total, PAGE, mine, &error);
    if (!block) {
        if (noted == STATUS_OK)
            memory_forget(counted);
        status = status_fail(STATUS_FAILED, "no room for %.0f MB of %s in %s: %s", (double)bytes / 1e6, what,
                             folder ? folder : "memory that the ranks of a node share", strerror(error));
    } else {
        *shared = (Shared){block, total, counted};
        *table = (char *)block + PAGE;
    }
    status = dist_agree_quiet(dist, status);
    if (status != STATUS_OK)
        shared_unmap(shared);
    return status;
}

void shared_spread(Dist *dist, void *table, size_t begin, size_t end) {
    enum { BEGIN, END, COUNT };
    uint64_t mine[COUNT] = {begin, end}, range[dist->nodes][COUNT];
    MPI_Comm leaders;
    MPI_Bcast(&mine[BEGIN], 1, MPI_UINT64_T, 0, dist->local);
    MPI_Bcast(&mine[END], 1, MPI_UINT64_T, dist->local_ranks - 1, dist->local);
    MPI_Barrier(dist->local); /* all of the node have written */
    MPI_Comm_split(dist->comm, dist->local_rank == 0 ? 0 : MPI_UNDEFINED, dist->rank, &leaders);
    if (leaders != MPI_COMM_NULL) {
        MPI_Allgather(mine, COUNT, MPI_UINT64_T, range, COUNT, MPI_UINT64_T, leaders);
        for (int node = 0; dist->nodes > 1 && node < dist->nodes; node++)
            for (uint64_t at = range[node][BEGIN], n; at < range[node][END]; at += n) {
                n = range[node][END] - at < SPREAD_BYTES ? range[node][END] - at : SPREAD_BYTES;
                MPI_Bcast((char *)table + at, (int)n, MPI_BYTE, node, leaders);
            }
        MPI_Comm_free(&leaders);
    }
    MPI_Barrier(dist->comm);
}

void shared_unmap(Shared *shared) {
    if (!shared->block)
        return;
    munmap(shared->block, shared->total);
    memory_forget(shared->own);
    *shared = (Shared){0};
}
