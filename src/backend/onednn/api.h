/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between the C interfaces of oneDNN 2 (structs describe an operation) and 3 (one function describes and
 * chooses): the folder's only place that knows the version.  All else is written against functions that both have.
 *
 * A library's descriptor of a tensor (data type, extents in the library's order, layout) is called a desc here.
 * All functions return the library's status. */
#ifndef BACKEND_ONEDNN_API_H
#define BACKEND_ONEDNN_API_H
#include <dnnl.h>
#include <stdbool.h>

/* A desc that is only looked at. */
#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *ApiDescView;
#else
typedef const_dnnl_memory_desc_t ApiDescView;
#endif

/* A desc that is owned: of floats, made with a layout, or with dnnl_format_tag_any, which lets an operation choose. */
typedef struct ApiDesc {
    dnnl_memory_desc_t value;
} ApiDesc;

dnnl_status_t api_desc_create(int rank, const dnnl_dims_t dims, dnnl_format_tag_t layout, ApiDesc *desc);
void api_desc_destroy(ApiDesc *desc);
ApiDescView api_desc_view(const ApiDesc *desc);

typedef enum ApiPass { API_FORWARD, API_DATA, API_WEIGHTS } ApiPass;

/* Height and width: how a convolution's window moves.  dilation as the library counts it: 0 is none. */
typedef struct ApiWindow {
    dnnl_dims_t stride, dilation, before, after;
} ApiWindow;

/* Each chooses the implementation of one operation; the caller destroys *chosen.  `forward`: the choice for the forward
 * pass, for the passes backward; there x, w, y are the gradients' descs where the pass writes those.  bias may be NULL.
 * inner_product: the forward pass, y = x w + bias.  matmul: product = a b. */
dnnl_status_t api_convolution(ApiPass pass, dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias,
                              ApiDescView y, const ApiWindow *window, const_dnnl_primitive_attr_t attr,
                              const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *chosen);
dnnl_status_t api_inner_product(dnnl_engine_t engine, ApiDescView x, ApiDescView w, ApiDescView bias, ApiDescView y,
                                const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen);
dnnl_status_t api_matmul(dnnl_engine_t engine, ApiDescView a, ApiDescView b, ApiDescView product,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *chosen);

/* What is done with a result before it is written: min(max(result, 0), max); result + what was there. */
dnnl_status_t api_append_relu(dnnl_post_ops_t ops, double max);
dnnl_status_t api_append_sum(dnnl_post_ops_t ops);

#endif
