/* SPDX-License-Identifier: Apache-2.0 */
/* What weir_python_host.so gives the loader. */
#include "host/host.h"

/* 1: registered; 0: not. Imports nothing of the user's. */
static int host_find(const char *name, struct weir_error *error) {
    struct wp_gil gil;
    if (!wp_gil_take(&gil, NULL))
        return wp_error(error, WEIR_NOT_FOUND, "42704", "Python is going away");
    PyObject *function = wpy_glue("is_registered");
    PyObject *known = function ? PyObject_CallFunction(function, "(s)", name) : NULL;
    int truth = known ? PyObject_IsTrue(known) : -1;
    Py_XDECREF(known);
    Py_XDECREF(function);
    int code = truth > 0 ? WEIR_OK : WEIR_NOT_FOUND;
    if (truth < 0)
        code = wpy_error(error, "looking for registered data sources");
    else if (truth == 0)
        wp_error(error, WEIR_NOT_FOUND, "42704", "no data source is registered as \"%s\"", name);
    wp_gil_give(&gil);
    return code;
}

static const struct wp_runtime runtime = {
    .size = sizeof runtime,
    .open = wp_table_open,
    .close = wp_table_close,
    .schema = wp_table_schema,
    .statistics = wp_table_statistics,
    .classify = wp_table_classify,
    .scan = wp_table_scan,
    .insert = wp_table_insert,
    .metrics = wp_scan_metrics,
    .hold = wp_scan_hold,
    .scan_plan = wp_scan_plan,
    .find = host_find,
};

WEIR_EXPORT int weir_python_host_init(const char *directory, bool embedded,
                                      const struct wp_watches *watches,
                                      const struct wp_runtime **ret_runtime,
                                      struct weir_error *error);

int weir_python_host_init(const char *directory, bool embedded, const struct wp_watches *watches,
                          const struct wp_runtime **ret_runtime, struct weir_error *error) {
    wp_watches = *watches;
    WP_TRY(wp_glue_load(directory, embedded, error));
    *ret_runtime = &runtime;
    return WEIR_OK;
}
