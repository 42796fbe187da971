/* SPDX-License-Identifier: Apache-2.0
 *
 * MPI for a single process, as far as src/dist calls it: a test that forks thousands of short runs cannot start the
 * real one in each, nor judge its allocations.  These definitions come before the library's. */
#include <limits.h>
#include <mpi.h>
#include <string.h>
#include <unistd.h>

static size_t size_of(MPI_Datatype type) {
    if (type == MPI_BYTE || type == MPI_CHAR)
        return 1;
    return type == MPI_INT || type == MPI_FLOAT ? 4 : 8;
}

static int copy(const void *from, void *to, int count, MPI_Datatype type) {
    if (from != MPI_IN_PLACE)
        memcpy(to, from, (size_t)count * size_of(type));
    return MPI_SUCCESS;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
    (void)argc, (void)argv;
    *provided = required;
    return MPI_SUCCESS;
}

int MPI_Finalize(void) {
    return MPI_SUCCESS;
}

int MPI_Abort(MPI_Comm comm, int code) {
    (void)comm;
    _exit(code);
}

int MPI_Comm_rank(MPI_Comm comm, int *rank) {
    (void)comm;
    *rank = 0;
    return MPI_SUCCESS;
}

int MPI_Comm_size(MPI_Comm comm, int *size) {
    (void)comm;
    *size = 1;
    return MPI_SUCCESS;
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *out) {
    (void)color, (void)key;
    *out = comm;
    return MPI_SUCCESS;
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *out) {
    (void)type, (void)key, (void)info;
    *out = comm;
    return MPI_SUCCESS;
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *out) {
    *out = comm;
    return MPI_SUCCESS;
}

int MPI_Comm_free(MPI_Comm *comm) {
    *comm = MPI_COMM_NULL;
    return MPI_SUCCESS;
}

int MPI_Get_processor_name(char *name, int *length) {
    strcpy(name, "here");
    *length = 4;
    return MPI_SUCCESS;
}

int MPI_Barrier(MPI_Comm comm) {
    (void)comm;
    return MPI_SUCCESS;
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    (void)data, (void)count, (void)type, (void)root, (void)comm;
    return MPI_SUCCESS;
}

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    (void)op, (void)comm;
    return copy(from, to, count, type);
}

int MPI_Scan(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    (void)op, (void)comm;
    return copy(from, to, count, type);
}

int MPI_Allgather(const void *from, int count, MPI_Datatype type, void *to, int to_count, MPI_Datatype to_type,
                  MPI_Comm comm) {
    (void)to_count, (void)to_type, (void)comm;
    return copy(from, to, count, type);
}

int MPI_Allgatherv(const void *from, int count, MPI_Datatype type, void *to, const int counts[], const int places[],
                   MPI_Datatype to_type, MPI_Comm comm) {
    (void)counts, (void)places, (void)to_type, (void)comm;
    return copy(from, to, count, type);
}
