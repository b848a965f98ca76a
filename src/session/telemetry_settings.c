/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where spans are sent: telemetry.otlp.endpoint, or the environment, as OpenTelemetry's
 * specification has it (OTLP exporter configuration; SDK environment variables). That is not asked
 * where it names another exporter, or gRPC, which is not spoken here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "session/telemetry_internal.h"

enum { MOST_BYTES = 64 << 10, MOST_HEADERS = 64, TIMEOUT_MS = 10000 };
#define PATH "/v1/traces"

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool is(const char *name, const char *text) {
    const char *value = variable(name);
    return value && strcmp(value, text) == 0;
}

static bool environment_is_meant(void) {
    const char *exporter = variable("OTEL_TRACES_EXPORTER");
    return (!exporter || strcmp(exporter, "otlp") == 0) && !is("OTEL_SDK_DISABLED", "true") &&
           !is("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") &&
           !is("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc");
}

/* A path is added to what is an address of all signals. */
static int find_url(const struct wr_config *config, char **ret_url, struct weir_error *error) {
    const char *base = wr_config_text(config, "telemetry.otlp.endpoint"), *whole = NULL;
    if (!base && environment_is_meant()) {
        whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    if (!whole && !base) return WEIR_OK;
    struct wr_buffer url;
    wr_buffer_init(&url, MOST_BYTES);
    size_t length = whole ? strlen(whole) : strlen(base);
    while (!whole && length > 0 && base[length - 1] == '/')
        length--;
    wr_buffer_add(&url, whole ? whole : base, length);
    if (!whole) wr_buffer_text(&url, PATH);
    *ret_url = wr_buffer_take(&url);
    return *ret_url ? WEIR_OK : wr_error_memory(error);
}

/* "key=value,key=value" with values in percent encoding: both are cut out of `list` in place. NULL:
 * there is no more. A pair without '=' is passed over. */
static char *next_pair(char **list, char **ret_value) {
    for (char *pair; (pair = strsep(list, ","));) {
        pair += strspn(pair, " \t");
        char *equals = strchr(pair, '=');
        if (!equals || equals == pair) continue;
        *equals = '\0';
        *ret_value = equals + 1;
        pair[strcspn(pair, " \t")] = '\0';
        if (wr_percent_decode(*ret_value)) return pair;
    }
    return NULL;
}

static int add_header(struct wr_telemetry_settings *settings, const char *key, const char *value,
                      struct weir_error *error) {
    struct weir_option *header = &settings->headers[settings->n_headers];
    header->key = wr_strdup(key);
    header->value = wr_strdup(value);
    settings->n_headers++;
    return header->key && header->value ? WEIR_OK : wr_error_memory(error);
}

static int read_headers(struct wr_telemetry_settings *settings, struct weir_error *error) {
    const char *given = variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS");
    if (!given) given = variable("OTEL_EXPORTER_OTLP_HEADERS");
    settings->headers = wr_calloc(MOST_HEADERS, sizeof *settings->headers);
    if (!settings->headers) return wr_error_memory(error);
    WR_TRY(add_header(settings, "content-type", "application/json", error));
    if (!given) return WEIR_OK;
    char *copy = wr_strdup(given), *rest = copy, *value = NULL;
    int code = copy ? WEIR_OK : wr_error_memory(error);
    for (char *key;
         code == WEIR_OK && settings->n_headers < MOST_HEADERS && (key = next_pair(&rest, &value));)
        code = add_header(settings, key, value, error);
    wr_free(copy);
    return code;
}

/* The resource, whose attributes the environment may add to, and the scope. */
static int make_head(struct wr_telemetry_settings *settings, struct weir_error *error) {
    const char *given = variable("OTEL_RESOURCE_ATTRIBUTES"), *own = variable("OTEL_SERVICE_NAME");
    char *copy = given ? wr_strdup(given) : NULL, *rest = copy, *value = NULL;
    if (given && !copy) return wr_error_memory(error);
    struct wr_buffer head;
    wr_buffer_init(&head, MOST_BYTES);
    wr_buffer_text(&head, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    wr_telemetry_write_attribute(&head, "service.version", weir_version(), 0, "");
    for (char *key; (key = next_pair(&rest, &value));) {
        bool is_name = strcmp(key, "service.name") == 0;
        if (is_name && !own) own = value;
        if (!is_name) wr_telemetry_write_attribute(&head, key, value, 0, ",");
    }
    wr_telemetry_write_attribute(&head, "service.name", own ? own : "weir", 0, ",");
    wr_buffer_text(&head, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"weir\"},\"spans\":[");
    wr_free(copy);
    settings->head = wr_buffer_take(&head);
    return settings->head ? WEIR_OK : wr_error_memory(error);
}

static int64_t timeout_ms(void) {
    const char *given = variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT");
    if (!given) given = variable("OTEL_EXPORTER_OTLP_TIMEOUT");
    long long ms = given ? strtoll(given, NULL, 10) : 0;
    return ms > 0 ? ms : TIMEOUT_MS;
}

int wr_telemetry_settings_read(const struct wr_config *config,
                               struct wr_telemetry_settings *ret_settings,
                               struct weir_error *error) {
    struct wr_telemetry_settings settings = {.timeout_ms = timeout_ms()};
    int code = find_url(config, &settings.url, error);
    if (code == WEIR_OK && settings.url) code = read_headers(&settings, error);
    if (code == WEIR_OK && settings.url) code = make_head(&settings, error);
    if (code) {
        wr_telemetry_settings_reset(&settings);
        return code;
    }
    *ret_settings = settings;
    return WEIR_OK;
}

void wr_telemetry_settings_reset(struct wr_telemetry_settings *settings) {
    for (size_t i = 0; i < settings->n_headers; i++) {
        wr_free((char *)settings->headers[i].key);
        wr_free((char *)settings->headers[i].value);
    }
    wr_free(settings->headers);
    wr_free(settings->url);
    wr_free(settings->head);
    *settings = (struct wr_telemetry_settings){0};
}
