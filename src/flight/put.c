/* SPDX-License-Identifier: Apache-2.0 */
/* DoPut: what changes something, parameters of prepared statements, and rows into tables. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "door/door.h"
#include "flight/service.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_PARAMETERS = 256 << 20 }; /* bytes of all rows of parameters of a statement */

struct put {
    struct wr_flight_door *door;
    struct wr_grpc_call *call;
    struct wr_flight_session *session;
    struct wr_ipc_decoder *decoder;
    struct wr_any command;
    struct wr_flight_data data; /* the message read last, of the call's memory */
    bool is_unread;             /* `data` was not looked at yet */
};

/* ---- Messages ---- */

/* *ret_end at the last message. */
static int read_data(struct put *put, bool *ret_end, struct weir_error *error) {
    const void *message = NULL;
    size_t length = 0;
    *ret_end = false;
    if (put->is_unread) {
        put->is_unread = false;
        return WEIR_OK;
    }
    WR_TRY(wr_grpc_read(put->call, &message, &length, error));
    if (!message) {
        *ret_end = true;
        return WEIR_OK;
    }
    return wr_flight_data_parse(message, length, &put->data, error);
}

/* The schema of what the client sends; release NULL: it sends none. */
static int read_schema(struct put *put, struct ArrowSchema *ret_schema, struct weir_error *error) {
    enum wr_ipc_message type;
    bool is_end = false;
    ret_schema->release = NULL;
    do {
        WR_TRY(read_data(put, &is_end, error));
        if (is_end) return WEIR_OK;
    } while (put->data.header.length == 0);
    return wr_ipc_decode(put->decoder, put->data.header.data, put->data.header.length,
                         put->data.body.data, put->data.body.length, &type, ret_schema, NULL,
                         error);
}

/* release NULL at the end. */
static int read_array(struct put *put, struct ArrowArray *ret_array, struct weir_error *error) {
    enum wr_ipc_message type;
    bool is_end = false;
    ret_array->release = NULL;
    do {
        WR_TRY(read_data(put, &is_end, error));
        if (is_end) return WEIR_OK;
    } while (put->data.header.length == 0);
    return wr_ipc_decode(put->decoder, put->data.header.data, put->data.header.length,
                         put->data.body.data, put->data.body.length, &type, NULL, ret_array, error);
}

static int answer(struct put *put, const void *message, struct weir_error *error) {
    Flight__PutResult result = FLIGHT__PUT_RESULT__INIT;
    struct wr_grpc_message outgoing;
    struct wr_bytes bytes;
    WR_TRY(wr_message_pack(message, &bytes, error));
    result.has_app_metadata = true;
    result.app_metadata = (ProtobufCBinaryData){bytes.length, (uint8_t *)bytes.data};
    int code = wr_message_outgoing(&result, &outgoing, error);
    wr_free((void *)bytes.data);
    return code ? code : wr_grpc_write(put->call, &outgoing, error);
}

static int answer_count(struct put *put, int64_t count, struct weir_error *error) {
    Flight__DoPutUpdateResult result = FLIGHT__DO_PUT_UPDATE_RESULT__INIT;
    result.has_record_count = true;
    result.record_count = count;
    return answer(put, &result, error);
}

/* ---- Statements ---- */

static int run(struct put *put, struct wr_flight_statement *statement, struct weir_error *error) {
    struct ArrowArrayStream rows;
    int64_t affected = -1;
    if (statement->is_query) {
        return wr_error_set(error, WEIR_INVALID_STATE, "42809",
                            "the statement is a query: it has rows and changes none");
    }
    WR_TRY(wr_flight_statement_run(statement, put->call, &rows, &affected, error));
    wr_arrow_release_stream(&rows);
    return answer_count(put, affected, error);
}

static int update(struct put *put, struct weir_error *error) {
    Flight__CommandStatement *command;
    struct wr_flight_statement *statement = NULL;
    char *sql = NULL;
    WR_TRY(WR_UNPACK(flight__command_statement, put->command.value, &command, error));
    int code = wr_flight_no_transaction(&command->transaction_id, error);
    if (!code) code = wr_message_text(&command->query, "the statement", &sql, error);
    wr_message_free(command);
    if (!code) code = wr_flight_session_enter(put->session, put->call, error);
    if (!code) {
        code = wr_flight_statement_new(put->door, put->session, sql, &statement, error);
        wr_flight_session_leave(put->session, put->call);
    }
    wr_free(sql);
    if (!code) code = run(put, statement, error);
    wr_flight_statement_release(statement);
    return code;
}

/* ---- Parameters ---- */

struct batches {
    struct wr_shared_batch **items;
    size_t n_items;
    size_t n_bytes;
};

static void free_batches(struct batches *batches) {
    for (size_t i = 0; i < batches->n_items; i++)
        wr_shared_batch_release(batches->items[i]);
    wr_free(batches->items);
}

static int keep(struct batches *batches, struct ArrowArray *array, struct weir_error *error) {
    struct wr_shared_batch **items =
        wr_reallocarray(batches->items, batches->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    batches->items = items;
    WR_TRY(wr_shared_batch_new(array, &items[batches->n_items], error));
    batches->n_items++;
    return WEIR_OK;
}

static int read_batches(struct put *put, struct batches *batches, struct weir_error *error) {
    for (;;) {
        struct ArrowArray array;
        WR_TRY(read_array(put, &array, error));
        if (!array.release) return WEIR_OK;
        batches->n_bytes += put->data.body.length;
        int code =
            batches->n_bytes > MOST_PARAMETERS
                ? wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000",
                               "the parameters are more than 256 MiB: load rows by an ingest")
                : keep(batches, &array, error);
        wr_arrow_release_array(&array);
        WR_TRY(code);
    }
}

static bool has_field(const struct ArrowSchema *schema, const char *name) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->name && strcmp(schema->children[i]->name, name) == 0) return true;
    }
    return false;
}

/*
 * Columns that are all named as parameters are, each once, are those. Else they are meant by their
 * places: many a client numbers its columns from "0" on, which would make the second one $1.
 */
static int name_columns(struct put *put, struct wr_flight_statement *statement,
                        struct ArrowSchema *schema, struct weir_error *error) {
    struct ArrowSchema parameters;
    WR_TRY(wr_flight_session_enter(statement->session, put->call, error));
    int code = weir_statement_parameters(statement->statement, &parameters, error);
    wr_flight_session_leave(statement->session, put->call);
    if (code) return code;
    bool is_named = true;
    for (int64_t i = 0; i < parameters.n_children; i++)
        is_named = is_named && has_field(schema, parameters.children[i]->name);
    for (int64_t i = 0; !is_named && !code && i < schema->n_children; i++) {
        if (i >= parameters.n_children) break;
        if (ArrowSchemaSetName(schema->children[i], parameters.children[i]->name))
            code = wr_error_memory(error);
    }
    wr_arrow_release_schema(&parameters);
    return code;
}

/* Without columns there is nothing to bind: what was bound stays. */
static int bind(struct put *put, struct wr_flight_statement *statement, struct weir_error *error) {
    struct ArrowSchema schema;
    struct batches batches = {0};
    WR_TRY(read_schema(put, &schema, error));
    if (!schema.release) return WEIR_OK;
    int code = read_batches(put, &batches, error);
    if (!code) code = name_columns(put, statement, &schema, error);
    if (!code && schema.n_children > 0) {
        /* Bound are rows, also when there are none. */
        if (!batches.items) batches.items = wr_calloc(1, sizeof *batches.items);
        if (batches.items) {
            wr_flight_statement_bind(statement, &schema, batches.items, batches.n_items);
            return WEIR_OK;
        }
        code = wr_error_memory(error);
    }
    free_batches(&batches);
    wr_arrow_release_schema(&schema);
    return code;
}

static int prepared(struct put *put, bool runs, struct weir_error *error) {
    Flight__CommandPreparedStatement *command;
    struct wr_flight_statement *statement = NULL;
    WR_TRY(WR_UNPACK(flight__command_prepared_statement, put->command.value, &command, error));
    int code = wr_flight_statement_get(put->door->prepared, put->session, "prepared statement",
                                       &command->prepared_statement_handle, &statement, error);
    if (!code) code = bind(put, statement, error);
    if (!code && runs) code = run(put, statement, error);
    if (!code && !runs) {
        Flight__DoPutPreparedStatementResult result =
            FLIGHT__DO_PUT_PREPARED_STATEMENT_RESULT__INIT;
        result.has_prepared_statement_handle = true;
        result.prepared_statement_handle = command->prepared_statement_handle;
        code = answer(put, &result, error);
    }
    wr_flight_statement_release(statement);
    wr_message_free(command);
    return code;
}

/* ---- Ingest ---- */

static int next_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    return read_array(context, ret_array, error);
}

typedef Flight__CommandStatementIngest Ingest;

/* What the two options ask for together. */
static int mode_of(const struct put *put, const Ingest *command, const struct wr_door_table *table,
                   int *ret_mode, struct weir_error *error) {
    const Flight__CommandStatementIngest__TableDefinitionOptions *options =
        command->table_definition_options;
    int absent = options ? options->if_not_exist : 0, present = options ? options->if_exists : 0;
    bool creates = absent != 2;
    if (absent < 0 || absent > 2 || present < 0 || present > 3)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "table_definition_options has a value that is not known");
    if (present == 0) present = 1;
    if (!creates && present == 1) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "the table may neither be there nor be absent: nothing can be done");
    }
    if (creates) {
        *ret_mode = present == 1   ? WR_DOOR_CREATE
                    : present == 2 ? WR_DOOR_CREATE_APPEND
                                   : WR_DOOR_REPLACE;
        return WEIR_OK;
    }
    if (present == 3) {
        struct ArrowSchema schema;
        WR_TRY(wr_door_table_schema(put->session->session, table, &schema, error));
        wr_arrow_release_schema(&schema);
    }
    *ret_mode = present == 2 ? WR_DOOR_APPEND : WR_DOOR_REPLACE;
    return WEIR_OK;
}

/* With the session entered. */
static int load(struct put *put, const Ingest *command, int64_t *ret_n_rows,
                struct weir_error *error) {
    struct wr_door_table table = {command->catalog, command->schema, command->table};
    struct ArrowSchema schema;
    struct ArrowArrayStream rows;
    int mode = 0;
    WR_TRY(mode_of(put, command, &table, &mode, error));
    WR_TRY(read_schema(put, &schema, error));
    if (!schema.release) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "an ingest begins with the schema of its rows");
    }
    int code = wr_arrow_callback_stream(&schema, next_batch, NULL, put, &rows, error);
    wr_arrow_release_schema(&schema);
    if (code) return code;
    return wr_door_ingest(put->session->session, &table, mode, command->temporary, &rows,
                          ret_n_rows, error);
}

static int check_ingest(const Ingest *command, struct weir_error *error) {
    WR_TRY(wr_flight_no_transaction(&command->transaction_id, error));
    if (!command->table || !*command->table)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42602", "the ingest names no table");
    if (command->n_options > 0) {
        const char *key = command->options[0]->key;
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "there is no option \"%s\" of an ingest", key ? key : "");
    }
    return WEIR_OK;
}

static int ingest(struct put *put, struct weir_error *error) {
    Ingest *command;
    int64_t n_rows = -1;
    WR_TRY(WR_UNPACK(flight__command_statement_ingest, put->command.value, &command, error));
    int code = check_ingest(command, error);
    if (!code) code = wr_flight_session_enter(put->session, put->call, error);
    if (!code) {
        code = load(put, command, &n_rows, error);
        wr_flight_session_leave(put->session, put->call);
    }
    wr_message_free(command);
    return code ? code : answer_count(put, n_rows, error);
}

/* ---- The call ---- */

static int dispatch(struct put *put, struct weir_error *error) {
    const char *name = put->command.name;
    if (strcmp(name, "CommandStatementUpdate") == 0) return update(put, error);
    if (strcmp(name, "CommandPreparedStatementUpdate") == 0) return prepared(put, true, error);
    if (strcmp(name, "CommandPreparedStatementQuery") == 0) return prepared(put, false, error);
    if (strcmp(name, "CommandStatementIngest") == 0) return ingest(put, error);
    return wr_flight_unsupported(name, error);
}

/* What the first message asks for. */
static int begin(struct put *put, struct weir_error *error) {
    Flight__FlightDescriptor *descriptor;
    bool is_end;
    WR_TRY(read_data(put, &is_end, error));
    if (is_end || !put->data.descriptor.data) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "the first message has no descriptor");
    }
    WR_TRY(WR_UNPACK(flight__flight_descriptor, put->data.descriptor, &descriptor, error));
    struct wr_bytes bytes = {descriptor->cmd.data, descriptor->cmd.len};
    int code = wr_any_unpack(bytes, &put->command, error);
    wr_message_free(descriptor);
    put->is_unread = true;
    return code;
}

int wr_flight_do_put(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    struct put put = {.door = context, .call = call};
    int code = wr_flight_session_of(put.door, call, &put.session, error);
    if (!code) code = wr_ipc_decoder_new(&put.decoder, error);
    if (!code) code = begin(&put, error);
    if (!code) code = dispatch(&put, error);
    wr_any_free(&put.command);
    wr_ipc_decoder_free(put.decoder);
    wr_flight_session_release(put.session);
    return wr_flight_error(code, error);
}

int wr_flight_do_exchange(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    (void)context;
    (void)call;
    return wr_flight_error(
        wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                     "DoExchange is not done: rows come by DoGet and go by DoPut"),
        error);
}
