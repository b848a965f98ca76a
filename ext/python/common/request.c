/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

static void put_filter(struct wp_out *out, const struct weir_filter *filter) {
    struct wp_out value = {0};
    /* A value that cannot be sent leaves a filter that no source is told of. */
    bool has_value =
        filter->type && filter->value && wp_flat_put(filter->type, filter->value, &value) == 0;
    bool is_lost = filter->value && !has_value;
    wp_put_text(out, filter->column);
    wp_put_number(out, is_lost ? WEIR_OPERATOR_NONE : filter->op);
    wp_put_number(out, has_value);
    if (has_value) {
        wp_put_schema(out, filter->type);
        wp_put(out, value.data, value.length);
    }
    out->failed |= value.failed;
    wp_out_reset(&value);
}

void wp_put_filters(struct wp_out *out, const struct weir_filter *filters, size_t n_filters) {
    wp_put_number(out, (int64_t)n_filters);
    for (size_t i = 0; i < n_filters; i++)
        put_filter(out, &filters[i]);
}

void wp_put_request(struct wp_out *out, const struct weir_scan_request *request) {
    wp_put_number(out, request->all_columns);
    wp_put_number(out, request->limit);
    wp_put_bytes(out, request->columns,
                 request->all_columns ? 0 : request->n_columns * sizeof *request->columns);
    wp_put_filters(out, request->filters, request->n_filters);
}

void wp_request_reset(struct wp_request *request) {
    for (size_t i = 0; i < request->request.n_filters; i++) {
        wp_release_schema(&request->types[i]);
        wp_release_array(&request->values[i]);
    }
    free((void *)request->request.filters);
    free((void *)request->request.columns);
    free(request->types);
    free(request->values);
    *request = (struct wp_request){0};
}

static int get_filter(struct wp_in *in, struct weir_filter *filter, struct ArrowSchema *type,
                      struct ArrowArray *value) {
    filter->column = wp_get_text(in);
    filter->op = (int32_t)wp_get_number(in);
    if (wp_get_number(in) != 1) return in->failed ? EBADMSG : 0;
    int number = wp_get_schema(in, type);
    if (!number) number = wp_flat_get(type, in, value);
    if (number) return number;
    filter->type = type;
    filter->value = value;
    return 0;
}

/* Texts stay the message's. */
int wp_get_filters(struct wp_in *in, struct wp_request *ret_request) {
    int64_t n_filters = wp_get_number(in);
    if (in->failed || n_filters < 0 || (uint64_t)n_filters > in->length) return EBADMSG;
    struct weir_filter *filters = calloc((size_t)n_filters + 1, sizeof *filters);
    ret_request->types = calloc((size_t)n_filters + 1, sizeof *ret_request->types);
    ret_request->values = calloc((size_t)n_filters + 1, sizeof *ret_request->values);
    ret_request->request.filters = filters;
    ret_request->request.n_filters = 0;
    if (!filters || !ret_request->types || !ret_request->values) return ENOMEM;
    ret_request->request.n_filters = (size_t)n_filters;
    for (int64_t i = 0; i < n_filters; i++) {
        int number = get_filter(in, &filters[i], &ret_request->types[i], &ret_request->values[i]);
        if (number) return number;
    }
    return 0;
}

int wp_get_request(struct wp_in *in, struct wp_request *ret_request) {
    size_t size;
    struct weir_scan_request *request = &ret_request->request;
    *ret_request = (struct wp_request){0};
    request->size = sizeof *request;
    request->all_columns = (int32_t)wp_get_number(in);
    request->limit = wp_get_number(in);
    const uint8_t *columns = wp_get_bytes(in, &size);
    int32_t *copy = columns ? malloc(size + 1) : NULL;
    if (!copy) return EBADMSG;
    memcpy(copy, columns, size);
    request->columns = copy;
    request->n_columns = size / sizeof *copy;
    return wp_get_filters(in, ret_request);
}
