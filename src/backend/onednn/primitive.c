/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/onednn/primitive.h"

static dnnl_engine_t cores;
static dnnl_stream_t stream;

Status primitive_check(dnnl_status_t status, const char *what) {
    if (status == dnnl_success)
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "oneDNN failed to %s: %s. --backend openblas does without it.", what,
                       status == dnnl_out_of_memory   ? "out of memory"
                       : status == dnnl_unimplemented ? "this is not implemented for this CPU"
                                                      : "the library refused the arguments");
}

Status primitive_engine(dnnl_engine_t *engine) {
    if (!cores)
        TRY(primitive_check(dnnl_engine_create(&cores, dnnl_cpu, 0), "start"));
    if (!stream)
        TRY(primitive_check(dnnl_stream_create(&stream, cores, dnnl_stream_default_flags), "start"));
    *engine = cores;
    return STATUS_OK;
}

Status primitive_attr(bool relu, double relu_max, bool sum, dnnl_primitive_attr_t *attr) {
    dnnl_post_ops_t ops = NULL;
    *attr = NULL;
    dnnl_status_t status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(attr);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && relu)
        status = api_append_relu(ops, relu_max);
    if (status == dnnl_success && sum)
        status = api_append_sum(ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops); /* copies */
    if (ops)
        dnnl_post_ops_destroy(ops);
    return primitive_check(status, "describe an operation");
}

ApiDescView primitive_desc(const Primitive *p, int role) {
    return dnnl_primitive_desc_query_md(p->chosen, dnnl_query_exec_arg_md, role);
}

size_t primitive_bytes(const Primitive *p, int role) {
    ApiDescView desc = p->chosen ? primitive_desc(p, role) : NULL;
    return desc ? dnnl_memory_desc_get_size(desc) : 0;
}

size_t primitive_scratch_bytes(const Primitive *p) {
    return primitive_bytes(p, DNNL_ARG_SCRATCHPAD);
}

static Status add_tensor(Primitive *p, int role) {
    dnnl_exec_arg_t *arg = &p->args[p->count++];
    arg->arg = role;
    return primitive_check(dnnl_memory_create(&arg->memory, primitive_desc(p, role), cores, DNNL_MEMORY_NONE),
                           "describe a tensor");
}

Status primitive_create(Primitive *p, const int *roles) {
    TRY(primitive_check(dnnl_primitive_create(&p->primitive, p->chosen), "prepare an operation"));
    for (; *roles; roles++)
        TRY(add_tensor(p, *roles));
    return add_tensor(p, DNNL_ARG_SCRATCHPAD);
}

Status primitive_create_copy(Primitive *p, ApiDescView from, ApiDescView to, bool sum) {
    dnnl_primitive_attr_t attr;
    Status status;
    TRY_GOTO(primitive_attr(false, 0, sum, &attr), done);
    TRY_GOTO(primitive_check(dnnl_reorder_primitive_desc_create(&p->chosen, from, cores, to, cores, attr),
                             "describe a change of layout"),
             done);
    status = primitive_create(p, (int[]){DNNL_ARG_FROM, DNNL_ARG_TO, 0});
done:
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

void primitive_run(Primitive *p, const void *const *tensors, void *scratch) {
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < p->count && status == dnnl_success; i++) {
        const void *pointer = i < p->count - 1 ? tensors[i] : scratch;
        if (pointer != p->bound[i])
            status = dnnl_memory_set_data_handle(p->args[i].memory, (void *)pointer);
        p->bound[i] = pointer;
    }
    if (status == dnnl_success)
        status = dnnl_primitive_execute(p->primitive, stream, p->count, p->args);
    CHECK(status == dnnl_success, "oneDNN failed to run an operation: status %d", (int)status);
}

void primitive_release(Primitive *p) {
    for (int i = 0; i < p->count; i++)
        if (p->args[i].memory)
            dnnl_memory_destroy(p->args[i].memory);
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    if (p->chosen)
        dnnl_primitive_desc_destroy(p->chosen);
    *p = (Primitive){0};
}
