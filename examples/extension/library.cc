// SPDX-License-Identifier: Apache-2.0
/*
 * An extension in C++: a table of an SQLite database, in the form REMOTE. The engine pushes
 * filters, projections, limits, sorts, aggregates and joins of such tables as SQL, and SQLite runs
 * them.
 *
 *     c++ -std=c++17 -shared -fPIC $(pkg-config --cflags weir sqlite3) -o library.so library.cc
 *         $(pkg-config --libs sqlite3)
 *     weir sql "LOAD './library.so'; SELECT * FROM library(path => 'my.db', name => 'books')"
 *
 * It knows whole numbers, floating-point numbers and texts, of STRICT tables: elsewhere SQLite lets
 * any value stand in any column.
 */
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <sqlite3.h>
#include <weir_extension.h>

namespace {

// What went wrong: thrown inside, caught by `guard` before it would reach weir.
struct Failure {
    int code;
    const char *sqlstate;
    std::string message;
};

template <typename Body> int guard(weir_error *error, Body body) noexcept {
    Failure failure{WEIR_INTERNAL, "53200", ""};
    try {
        body();
        return WEIR_OK;
    } catch (const Failure &thrown) {
        try {
            failure = thrown;
        } catch (const std::bad_alloc &) {
        }
    } catch (const std::bad_alloc &) {
    }
    if (error) {
        *error = {};
        error->code = failure.code;
        std::strncpy(error->sqlstate, failure.sqlstate, sizeof error->sqlstate - 1);
        const char *message = failure.message.empty() ? "out of memory" : failure.message.c_str();
        std::strncpy(error->message, message, sizeof error->message - 1);
    }
    return failure.code;
}

struct Close {
    void operator()(sqlite3 *database) const { sqlite3_close(database); }
    void operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

std::shared_ptr<sqlite3> open_database(const std::string &path) {
    sqlite3 *opened = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    Database database(opened);
    if (code != SQLITE_OK)
        throw Failure{WEIR_NOT_FOUND, "58P01", path + ": " + sqlite3_errstr(code)};
    return std::shared_ptr<sqlite3>(std::move(database));
}

Statement prepare(sqlite3 *database, const std::string &sql) {
    sqlite3_stmt *statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
        throw Failure{WEIR_INVALID_DATA, "42601", sql + ": " + sqlite3_errmsg(database)};
    return Statement(statement);
}

std::string quoted(const std::string &name) {
    std::string text = "\"";
    for (char c : name)
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
}

// ---- Columns, and their schema in Arrow's C data interface ----

struct Column {
    std::string name;
    char format; // 'l', 'g' or 'u'
};

struct Schema {
    std::vector<Column> columns;
    std::vector<std::string> formats;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema *> pointers;
};

void give_schema(const std::vector<Column> &columns, ArrowSchema *out) {
    auto schema = std::make_unique<Schema>();
    schema->columns = columns;
    for (const Column &column : columns)
        schema->formats.emplace_back(1, column.format);
    schema->children.resize(columns.size());
    for (size_t i = 0; i < columns.size(); i++) {
        ArrowSchema &child = schema->children[i];
        child.format = schema->formats[i].c_str();
        child.name = schema->columns[i].name.c_str();
        child.flags = ARROW_FLAG_NULLABLE;
        child.release = [](ArrowSchema *self) { self->release = nullptr; };
        schema->pointers.push_back(&child);
    }
    *out = {};
    out->format = "+s";
    out->name = "";
    out->n_children = static_cast<int64_t>(columns.size());
    out->children = schema->pointers.data();
    out->release = [](ArrowSchema *self) {
        delete static_cast<Schema *>(self->private_data);
        self->release = nullptr;
    };
    out->private_data = schema.release();
}

// ---- Rows ----

struct Values {
    std::vector<uint8_t> valid;
    std::vector<int64_t> integers;
    std::vector<double> numbers;
    std::vector<int32_t> offsets{0};
    std::string text;
    const void *buffers[3];
    ArrowArray array{};
};

struct Batch {
    std::vector<Values> columns;
    std::vector<ArrowArray *> pointers;
    const void *none[1]{};
};

void append(Values &values, char format, sqlite3_stmt *row, int column, size_t at) {
    bool is_null = sqlite3_column_type(row, column) == SQLITE_NULL;
    if (at % 8 == 0) values.valid.push_back(0);
    if (!is_null) values.valid.back() |= static_cast<uint8_t>(1 << at % 8);
    if (format == 'l') values.integers.push_back(sqlite3_column_int64(row, column));
    if (format == 'g') values.numbers.push_back(sqlite3_column_double(row, column));
    if (format != 'u') return;
    if (const unsigned char *text = is_null ? nullptr : sqlite3_column_text(row, column))
        values.text.append(reinterpret_cast<const char *>(text),
                           static_cast<size_t>(sqlite3_column_bytes(row, column)));
    values.offsets.push_back(static_cast<int32_t>(values.text.size()));
}

void finish(Values &values, char format, int64_t length) {
    values.buffers[0] = values.valid.data();
    values.buffers[1] = format == 'l'   ? static_cast<const void *>(values.integers.data())
                        : format == 'g' ? static_cast<const void *>(values.numbers.data())
                                        : values.offsets.data();
    values.buffers[2] = values.text.data();
    values.array.length = length;
    values.array.null_count = -1;
    values.array.n_buffers = format == 'u' ? 3 : 2;
    values.array.buffers = values.buffers;
    values.array.release = [](ArrowArray *self) { self->release = nullptr; };
}

// What one statement gives. It has a connection of its own, so that any thread may read it.
struct Rows {
    std::shared_ptr<sqlite3> database;
    Statement statement;
    std::vector<Column> columns;
    std::string error;
    bool done = false; // another step would begin anew

    bool next(ArrowArray *out) {
        constexpr size_t most_rows = 4096, most_text = 64 << 20;
        auto batch = std::make_unique<Batch>();
        size_t length = 0, text = 0;
        int code = SQLITE_ROW;
        batch->columns.resize(columns.size());
        while (!done && length < most_rows && text < most_text &&
               (code = sqlite3_step(statement.get())) == SQLITE_ROW) {
            text = 0;
            for (size_t i = 0; i < columns.size(); i++) {
                append(batch->columns[i], columns[i].format, statement.get(), static_cast<int>(i),
                       length);
                text += batch->columns[i].text.size();
            }
            length++;
        }
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            error = sqlite3_errmsg(database.get());
            return false;
        }
        done = code == SQLITE_DONE;
        *out = {};
        if (length == 0) return true;
        for (size_t i = 0; i < columns.size(); i++) {
            finish(batch->columns[i], columns[i].format, static_cast<int64_t>(length));
            batch->pointers.push_back(&batch->columns[i].array);
        }
        out->length = static_cast<int64_t>(length);
        out->n_buffers = 1;
        out->buffers = batch->none;
        out->n_children = static_cast<int64_t>(columns.size());
        out->children = batch->pointers.data();
        out->release = [](ArrowArray *self) {
            delete static_cast<Batch *>(self->private_data);
            self->release = nullptr;
        };
        out->private_data = batch.release();
        return true;
    }
};

void give_stream(std::unique_ptr<Rows> rows, ArrowArrayStream *out) {
    *out = {};
    out->get_schema = [](ArrowArrayStream *self, ArrowSchema *schema) {
        auto *read = static_cast<Rows *>(self->private_data);
        return guard(nullptr, [&] { give_schema(read->columns, schema); }) ? ENOMEM : 0;
    };
    out->get_next = [](ArrowArrayStream *self, ArrowArray *array) {
        bool good = false;
        auto *read = static_cast<Rows *>(self->private_data);
        return guard(nullptr, [&] { good = read->next(array); }) ? ENOMEM : good ? 0 : EIO;
    };
    out->get_last_error = [](ArrowArrayStream *self) {
        const std::string &error = static_cast<Rows *>(self->private_data)->error;
        return error.empty() ? "out of memory" : error.c_str();
    };
    out->release = [](ArrowArrayStream *self) {
        delete static_cast<Rows *>(self->private_data);
        self->release = nullptr;
    };
    out->private_data = rows.release();
}

// ---- The table ----

struct Table {
    std::string path, backend, name;
    std::vector<Column> columns;
};

char format_of(const std::string &declared) {
    if (sqlite3_strlike("%int%", declared.c_str(), 0) == 0) return 'l';
    if (sqlite3_strlike("%real%", declared.c_str(), 0) == 0) return 'g';
    return 'u';
}

int open_table(const weir_definition *definition, void **ret_table, weir_error *error) {
    return guard(error, [&] {
        auto table = std::make_unique<Table>();
        for (size_t i = 0; i < definition->n_options; i++)
            (std::strcmp(definition->options[i].key, "path") == 0 ? table->path : table->name) =
                definition->options[i].value;
        table->backend = "library:" + table->path;
        std::shared_ptr<sqlite3> database = open_database(table->path);
        Statement info = prepare(database.get(), "PRAGMA table_info(" + quoted(table->name) + ")");
        while (sqlite3_step(info.get()) == SQLITE_ROW) {
            auto text = [&](int at) {
                return std::string(reinterpret_cast<const char *>(sqlite3_column_text(info.get(), at)));
            };
            table->columns.push_back({text(1), format_of(text(2))});
        }
        if (table->columns.empty())
            throw Failure{WEIR_NOT_FOUND, "42P01", table->path + " has no table " + table->name};
        table->name = quoted(table->name);
        *ret_table = table.release();
    });
}

// The statements of one scan, a partition each.
struct Scan {
    std::string path;
    std::vector<std::string> statements;
    std::vector<Column> columns;
};

int open_partition(weir_scan *scan, int32_t partition, ArrowArrayStream *ret_rows,
                   weir_error *error) {
    return guard(error, [&] {
        const Scan &planned = *static_cast<Scan *>(scan->private_data);
        auto rows = std::make_unique<Rows>();
        rows->database = open_database(planned.path);
        rows->statement =
            prepare(rows->database.get(), planned.statements[static_cast<size_t>(partition)]);
        rows->columns = planned.columns;
        give_stream(std::move(rows), ret_rows);
    });
}

int execute(void *data, const char *const *statements, size_t n_statements,
            const ArrowSchema *schema, weir_scan *ret_scan, weir_error *error) {
    return guard(error, [&] {
        auto scan = std::make_unique<Scan>();
        scan->path = static_cast<Table *>(data)->path;
        scan->statements.assign(statements, statements + n_statements);
        for (int64_t i = 0; i < schema->n_children; i++) {
            const ArrowSchema *column = schema->children[i];
            // Other types are made of these by the engine.
            bool integer = std::strchr("cCsSiIlLb", column->format[0]) && !column->format[1];
            bool number = std::strchr("efg", column->format[0]) && !column->format[1];
            scan->columns.push_back({column->name, integer ? 'l' : number ? 'g' : 'u'});
        }
        *ret_scan = {};
        ret_scan->n_partitions = static_cast<int32_t>(n_statements);
        ret_scan->open = open_partition;
        ret_scan->release = [](weir_scan *self) {
            delete static_cast<Scan *>(self->private_data);
            self->release = nullptr;
        };
        ret_scan->private_data = scan.release();
    });
}

int table_form(void *data, weir_form *ret_form, weir_error *error) {
    return guard(error, [&] {
        const Table &table = *static_cast<Table *>(data);
        *ret_form = {};
        ret_form->type = WEIR_FORM_REMOTE;
        ret_form->remote.dialect = "sqlite";
        ret_form->remote.backend = table.backend.c_str();
        ret_form->remote.table = table.name.c_str();
        ret_form->remote.execute = execute;
        give_schema(table.columns, &ret_form->schema);
        ret_form->release = [](weir_form *self) {
            if (self->schema.release) self->schema.release(&self->schema);
            self->release = nullptr;
        };
    });
}

const weir_option_spec options[] = {
    {"path", WEIR_OPTION_TEXT, 1, "the database's file"},
    {"name", WEIR_OPTION_TEXT, 1, "the table's name there"},
};

weir_table_kind make_kind() {
    weir_table_kind kind{};
    kind.size = sizeof kind;
    kind.name = "library";
    kind.summary = "a table of an SQLite database";
    kind.options = options;
    kind.n_options = 2;
    kind.open = open_table;
    kind.close = [](void *data) { delete static_cast<Table *>(data); };
    kind.form = table_form;
    return kind;
}

const weir_table_kind kind = make_kind();

} // namespace

extern "C" int weir_extension_init(const weir_host *host, weir_extension *ret_extension,
                                   weir_error *error) {
    *ret_extension = {};
    ret_extension->size = sizeof *ret_extension;
    ret_extension->abi = WEIR_EXTENSION_ABI;
    ret_extension->name = "library";
    ret_extension->version = "1.0";
    return host->register_kind(host->context, &kind, error);
}
