/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/onednn/api.h"
#include <math.h>

#if DNNL_VERSION_MAJOR < 3

dnnl_status_t api_desc_create(int rank, const dnnl_dims_t dims, dnnl_format_tag_t layout, ApiDesc *desc) {
    return dnnl_memory_desc_init_by_tag(&desc->value, rank, dims, dnnl_f32, layout);
}

void api_desc_destroy(ApiDesc *desc) {
    (void)desc;
}

ApiDescView api_desc_view(const ApiDesc *desc) {
    return &desc->value;
}

dnnl_status_t api_convolution(ApiPass pass, dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias,
                              ApiDescView y, const ApiWindow *g, const_dnnl_primitive_attr_t attr,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *chosen) {
    dnnl_convolution_desc_t d;
    dnnl_alg_kind_t method = dnnl_convolution_direct;
    dnnl_status_t status;
    if (pass == API_FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training, method, x, w, bias, y, g->stride,
                                                            g->dilation, g->before, g->after);
    else if (pass == API_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(&d, method, x, w, y, g->stride, g->dilation,
                                                                  g->before, g->after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(&d, method, x, w, bias, y, g->stride, g->dilation,
                                                                     g->before, g->after);
    return status == dnnl_success ? dnnl_primitive_desc_create(chosen, &d, attr, engine, forward) : status;
}

dnnl_status_t api_inner_product(dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias, ApiDescView y,
                                const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen) {
    dnnl_inner_product_desc_t d;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(&d, dnnl_forward_training, x, w, bias, y);
    return status == dnnl_success ? dnnl_primitive_desc_create(chosen, &d, attr, engine, NULL) : status;
}

dnnl_status_t api_matmul(dnnl_engine_t engine, ApiDescView a, ApiDescView b, ApiDescView product,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen) {
    dnnl_matmul_desc_t d;
    dnnl_status_t status = dnnl_matmul_desc_init(&d, a, b, NULL, product);
    return status == dnnl_success ? dnnl_primitive_desc_create(chosen, &d, attr, engine, NULL) : status;
}

dnnl_status_t api_append_relu(dnnl_post_ops_t ops, double max) {
    if (isinf(max))
        return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
    return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_clip, 0, (float)max);
}

dnnl_status_t api_append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1);
}

#else

dnnl_status_t api_desc_create(int rank, const dnnl_dims_t dims, dnnl_format_tag_t layout, ApiDesc *desc) {
    return dnnl_memory_desc_create_with_tag(&desc->value, rank, dims, dnnl_f32, layout);
}

void api_desc_destroy(ApiDesc *desc) {
    if (desc->value)
        dnnl_memory_desc_destroy(desc->value);
    desc->value = NULL;
}

ApiDescView api_desc_view(const ApiDesc *desc) {
    return desc->value;
}

dnnl_status_t api_convolution(ApiPass pass, dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias,
                              ApiDescView y, const ApiWindow *g, const_dnnl_primitive_attr_t attr,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *chosen) {
    dnnl_alg_kind_t method = dnnl_convolution_direct;
    if (pass == API_FORWARD)
        return dnnl_convolution_forward_primitive_desc_create(chosen, engine, dnnl_forward_training, method, x, w, bias,
                                                              y, g->stride, g->dilation, g->before, g->after, attr);
    if (pass == API_DATA)
        return dnnl_convolution_backward_data_primitive_desc_create(chosen, engine, method, x, w, y, g->stride,
                                                                    g->dilation, g->before, g->after, forward, attr);
    return dnnl_convolution_backward_weights_primitive_desc_create(chosen, engine, method, x, w, bias, y, g->stride,
                                                                   g->dilation, g->before, g->after, forward, attr);
}

dnnl_status_t api_inner_product(dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias, ApiDescView y,
                                const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen) {
    return dnnl_inner_product_forward_primitive_desc_create(chosen, engine, dnnl_forward_training, x, w, bias, y, attr);
}

dnnl_status_t api_matmul(dnnl_engine_t engine, ApiDescView a, ApiDescView b, ApiDescView product,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen) {
    return dnnl_matmul_primitive_desc_create(chosen, engine, a, b, NULL, product, attr);
}

dnnl_status_t api_append_relu(dnnl_post_ops_t ops, double max) {
    if (isinf(max))
        return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_clip, 0, (float)max);
}

dnnl_status_t api_append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}

#endif
