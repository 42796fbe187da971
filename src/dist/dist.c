/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "dist/dist_internal.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BROADCAST_BYTES = 1 << 30, MESSAGE_BYTES = 2048 };

static void abort_all_ranks(int code) {
    MPI_Abort(MPI_COMM_WORLD, code);
}

/* ---- start and end ---- */

/* How many ranks whatever started this process means to have; 0: nobody says.  Open MPI's mpirun tells, and the
 * mpiexec of MPICH and Intel MPI; else, where no launcher is at work, a Slurm job has tasks.  To be asked before
 * MPI_Init, which sets such variables itself. */
static int ranks_meant(bool *by_slurm) {
    const char *ranks = getenv("OMPI_COMM_WORLD_SIZE");
    *by_slurm = false;
    if (!ranks)
        ranks = getenv("PMI_SIZE");
    if (!ranks && getenv("SLURM_JOB_ID") && !getenv("PMIX_RANK") && !getenv("PMI_RANK")) {
        *by_slurm = true;
        ranks = getenv("SLURM_STEP_NUM_TASKS"); /* of this srun; a batch script has none */
        if (!ranks)
            ranks = getenv("SLURM_NTASKS");
    }
    return ranks ? atoi(ranks) : 0;
}

/* Why this rank, which MPI sees alone, would train by itself and write what `meant` - 1 others write, too. */
static Status fail_alone(int meant, bool by_slurm) {
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    if (by_slurm)
        return status_fail(
            STATUS_USAGE,
            "Slurm gives this job %d tasks, but the program runs as a single process without MPI. Start it "
            "with 'srun --mpi=pmix %s ...' or 'mpirun %s ...' ('mpirun -np 1' for one rank).",
            meant, log_program(), log_program());
    MPI_Get_library_version(library, &length);
    return status_fail(STATUS_USAGE,
                       "this is one of %d processes, but MPI sees it alone: the mpirun (or mpiexec) that started it "
                       "belongs to another MPI than the program, which was built with %.*s. Use the mpirun of that.",
                       meant, (int)strcspn(library, ","), library);
}

/* Fills in where this rank is among those of `all` and sorts them by node.  node: the ranks of `all` on this rank's
 * node; *dist becomes its owner. */
static void find_place(Dist *dist, MPI_Comm all, MPI_Comm node) {
    int leader, length;
    dist->local = node;
    MPI_Comm_rank(node, &dist->local_rank);
    MPI_Comm_size(node, &dist->local_ranks);

    /* A node's key is its lowest rank; within a node MPI_Comm_split keeps the order of ranks. */
    MPI_Comm_rank(all, &leader);
    MPI_Bcast(&leader, 1, MPI_INT, 0, node);
    MPI_Comm_split(all, 0, leader, &dist->comm);
    MPI_Comm_rank(dist->comm, &dist->rank);
    MPI_Comm_size(dist->comm, &dist->ranks);

    int leads = dist->local_rank == 0, leaders_so_far;
    MPI_Scan(&leads, &leaders_so_far, 1, MPI_INT, MPI_SUM, dist->comm);
    dist->node = leaders_so_far - 1;
    dist->nodes = leaders_so_far;
    MPI_Bcast(&dist->nodes, 1, MPI_INT, dist->ranks - 1, dist->comm);
    MPI_Get_processor_name(dist->host, &length);
}

/* Until MPI tells: what is said while it starts is said with the rank that the launcher gave. */
static void name_rank(void) {
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    char host[256] = "";
    if (!rank)
        rank = getenv("PMIX_RANK");
    gethostname(host, sizeof host - 1);
    if (rank)
        log_set_rank(atoi(rank), INT_MAX, host);
}

Status dist_init(int *argc, char ***argv, Dist **out) {
    *out = NULL;
    bool by_slurm;
    int meant = ranks_meant(&by_slurm), provided, ranks;
    Dist *dist;
    MPI_Comm node;
    TRY(memory_new(&dist, 1, "communicator"));
    name_rank();
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    Status status = STATUS_OK;
    if (ranks == 1 && meant > 1)
        status = fail_alone(meant, by_slurm);
    else if (provided < MPI_THREAD_FUNNELED)
        status = status_fail(STATUS_FAILED, "this MPI library was built without support for threads");
    if (status != STATUS_OK) {
        MPI_Finalize();
        memory_free(dist);
        return status;
    }
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    find_place(dist, MPI_COMM_WORLD, node);
    log_set_rank(dist->rank, dist->ranks, dist->host);
    status_set_abort_hook(abort_all_ranks);
    *out = dist;
    return STATUS_OK;
}

Status dist_regroup(Dist *dist, int node, Dist **out) {
    MPI_Comm local;
    TRY(dist_agree(dist, memory_new(out, 1, "communicator")));
    MPI_Comm_split(dist->comm, node, 0, &local);
    find_place(*out, dist->comm, local);
    return STATUS_OK;
}

void dist_release(Dist *dist) {
    MPI_Comm_free(&dist->local);
    MPI_Comm_free(&dist->comm);
    memory_free(dist);
}

void dist_finish(Dist *dist) {
    if (!dist)
        return;
    dist_release(dist);
    status_set_abort_hook(_exit);
    MPI_Finalize();
}

int dist_rank(const Dist *dist) {
    return dist->rank;
}

int dist_ranks(const Dist *dist) {
    return dist->ranks;
}

int dist_node(const Dist *dist) {
    return dist->node;
}

int dist_nodes(const Dist *dist) {
    return dist->nodes;
}

int dist_local_rank(const Dist *dist) {
    return dist->local_rank;
}

int dist_local_ranks(const Dist *dist) {
    return dist->local_ranks;
}

const char *dist_host(const Dist *dist) {
    return dist->host;
}

/* ---- agreement ---- */

/* *code = what the lowest failing rank passes (STATUS_OK: nobody failed); returns that rank. */
static int lowest_failing(Dist *dist, Status status, Status *code) {
    int64_t mine = status == STATUS_OK ? INT64_MAX : (int64_t)dist->rank * 256 + (int64_t)status, lowest;
    MPI_Allreduce(&mine, &lowest, 1, MPI_INT64_T, MPI_MIN, dist->comm);
    *code = lowest == INT64_MAX ? STATUS_OK : (Status)(lowest % 256);
    return lowest == INT64_MAX ? -1 : (int)(lowest / 256);
}

Status dist_agree(Dist *dist, Status status) {
    Status code;
    int failing = lowest_failing(dist, status, &code);
    if (code == STATUS_OK)
        return STATUS_OK;
    if (failing == dist->rank && *status_message())
        log_error("%s", status_message());
    return status_fail(code, "%s", "");
}

Status dist_agree_quiet(Dist *dist, Status status) {
    Status code;
    char text[MESSAGE_BYTES] = "";
    int failing = lowest_failing(dist, status, &code);
    if (code == STATUS_OK)
        return STATUS_OK;
    if (failing == dist->rank && *status_message())
        snprintf(text, sizeof text, "%s%s", log_rank_prefix(), status_message());
    MPI_Bcast(text, (int)sizeof text, MPI_CHAR, failing, dist->comm);
    return status_fail(code, "%s", text);
}

/* ---- small exchanges ---- */

void dist_broadcast(Dist *dist, void *data, size_t bytes) {
    for (size_t done = 0; done < bytes; done += BROADCAST_BYTES) { /* MPI counts are int */
        size_t rest = bytes - done;
        MPI_Bcast((char *)data + done, rest < BROADCAST_BYTES ? (int)rest : BROADCAST_BYTES, MPI_BYTE, 0, dist->comm);
    }
}

Status dist_broadcast_text(Dist *dist, char **text) {
    bool root = dist->rank == 0;
    uint64_t bytes = root && *text ? strlen(*text) + 1 : 0; /* 0 stands for NULL */
    dist_broadcast(dist, &bytes, sizeof bytes);
    char *copy = root ? *text : NULL;
    Status status = STATUS_OK;
    if (!root && bytes)
        status = memory_new(&copy, bytes, "text from rank 0");
    status = dist_agree(dist, status);
    if (status != STATUS_OK) {
        if (!root) {
            memory_free(copy);
            *text = NULL;
        }
        return status;
    }
    dist_broadcast(dist, copy, bytes);
    *text = copy;
    return STATUS_OK;
}

void dist_gather_all(Dist *dist, const void *mine, size_t bytes, void *all, size_t all_bytes) {
    CHECK(all_bytes <= INT_MAX, "%zu bytes in one exchange", all_bytes);
    int layout[2 * dist->ranks], *counts = layout, *offsets = layout + dist->ranks, count = (int)bytes;
    MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, dist->comm);
    size_t total = 0;
    for (int r = 0; r < dist->ranks; r++) {
        offsets[r] = (int)total;
        total += (size_t)counts[r];
    }
    CHECK(bytes <= INT_MAX && total == all_bytes, "%zu bytes from all ranks, not %zu", total, all_bytes);
    MPI_Allgatherv(mine, count, MPI_BYTE, all, counts, offsets, MPI_BYTE, dist->comm);
}

int dist_max_int(Dist *dist, int value) {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, dist->comm);
    return value;
}

void dist_sum(Dist *dist, uint64_t *values, size_t count) {
    CHECK(count <= INT_MAX, "%zu counters in one sum", count);
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_UINT64_T, MPI_SUM, dist->comm);
}

void dist_hand_over(Dist *dist, int from, void *data, size_t bytes) {
    for (size_t done = 0, n; done < bytes; done += n) { /* MPI counts are int */
        n = bytes - done < BROADCAST_BYTES ? bytes - done : BROADCAST_BYTES;
        if (dist->rank == 0)
            MPI_Recv((char *)data + done, (int)n, MPI_BYTE, from, 0, dist->comm, MPI_STATUS_IGNORE);
        else if (dist->rank == from)
            MPI_Send((char *)data + done, (int)n, MPI_BYTE, 0, 0, dist->comm);
    }
}

void dist_barrier(Dist *dist) {
    MPI_Barrier(dist->comm);
}

double dist_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
