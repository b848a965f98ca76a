// SPDX-License-Identifier: Apache-2.0
// What a tool on JDBC does with the Flight SQL door: connects, asks all of the metadata, prepares, binds, reads every
// type, cancels. Each check prints "ok NAME" or "not ok NAME: why"; the test beside it reads that.

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;

public class FlightJdbc {
    interface Check {
        void run() throws Exception;
    }

    static void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            Throwable cause = problem instanceof InvocationTargetException ? problem.getCause() : problem;
            System.out.println("not ok " + name + ": " + String.valueOf(cause).replace('\n', ' '));
            if (System.getenv("TRACE") != null) cause.printStackTrace();
        }
    }

    static void same(Object wanted, Object got) {
        if (!Objects.deepEquals(wanted, got)) throw new AssertionError("wanted " + show(wanted) + ", got " + show(got));
    }

    static String show(Object value) {
        String type = value == null ? "" : " (" + value.getClass().getSimpleName() + ")";
        return (value instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(value)) + type;
    }

    static void that(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    // Rows as lists of values by name of column.
    static List<Map<String, Object>> rows(ResultSet result) throws SQLException {
        List<Map<String, Object>> rows = new ArrayList<>();
        ResultSetMetaData columns = result.getMetaData();
        while (result.next()) {
            Map<String, Object> row = new LinkedHashMap<>();
            for (int i = 1; i <= columns.getColumnCount(); i++) row.put(columns.getColumnName(i), result.getObject(i));
            rows.add(row);
        }
        result.close();
        return rows;
    }

    static Connection connection;

    static Object one(String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            that(result.next(), "no row");
            Object value = result.getObject(1);
            // The memory of an array is the result's.
            if (value instanceof java.sql.Array array) value = Arrays.asList((Object[]) array.getArray());
            that(!result.next(), "a second row");
            return value;
        }
    }

    // ---- Metadata ----

    // Answers that stand for "the driver does not do it", and not for this server.
    static boolean isOfDriver(Throwable problem) {
        return problem instanceof SQLFeatureNotSupportedException || problem instanceof UnsupportedOperationException
            || problem instanceof AbstractMethodError;
    }

    static void everySimpleCall(DatabaseMetaData meta) {
        for (Method method : DatabaseMetaData.class.getMethods()) {
            if (method.getParameterCount() > 0) continue;
            check("metadata " + method.getName(), () -> {
                try {
                    Object answer = method.invoke(meta);
                    if (answer instanceof ResultSet result) rows(result);
                } catch (InvocationTargetException problem) {
                    if (!isOfDriver(problem.getCause())) throw problem;
                }
            });
        }
    }

    static void metadata(DatabaseMetaData meta) {
        everySimpleCall(meta);
        check("product", () -> {
            same("weir", meta.getDatabaseProductName());
            same("\"", meta.getIdentifierQuoteString());
            that(!meta.supportsTransactions(), "transactions");
            that(meta.getSQLKeywords().contains("ATTACH"), "keywords");
            that(meta.getStringFunctions().contains("substr"), "functions");
            that(meta.supportsConvert(Types.INTEGER, Types.VARCHAR), "convert");
            that(!meta.supportsConvert(Types.DATE, Types.INTEGER), "convert of a date");
            that(meta.supportsOuterJoins() && meta.supportsUnionAll() && meta.supportsSubqueriesInExists(), "SQL");
            that(!meta.isReadOnly(), "read only");
        });
        check("catalogs", () -> {
            Set<Object> names = new TreeSet<>();
            for (Map<String, Object> row : rows(meta.getCatalogs())) names.add(row.get("TABLE_CAT"));
            that(names.contains("weir") && names.contains("system"), names.toString());
        });
        check("schemas", () -> {
            Set<Object> names = new TreeSet<>();
            for (Map<String, Object> row : rows(meta.getSchemas())) names.add(row.get("TABLE_CATALOG") + "." + row.get("TABLE_SCHEM"));
            that(names.contains("weir.public"), names.toString());
            same(1, rows(meta.getSchemas("weir", "publ%")).size());
            same(0, rows(meta.getSchemas("weir", "publ_")).size());
        });
        check("table types", () -> {
            Set<Object> names = new TreeSet<>();
            for (Map<String, Object> row : rows(meta.getTableTypes())) names.add(row.get("TABLE_TYPE"));
            that(names.contains("TABLE") && names.contains("VIEW"), names.toString());
        });
        check("tables", () -> {
            List<Map<String, Object>> found = rows(meta.getTables("weir", "public", "every%", null));
            same(2, found.size());
            same("every_type", found.get(0).get("TABLE_NAME"));
            same("TABLE", found.get(0).get("TABLE_TYPE"));
            same("every_view", found.get(1).get("TABLE_NAME"));
            same("VIEW", found.get(1).get("TABLE_TYPE"));
            same(1, rows(meta.getTables(null, null, "every%", new String[] {"VIEW"})).size());
            same(0, rows(meta.getTables("nowhere", null, "%", null)).size());
            same(0, rows(meta.getTables("weir", "public", "every\\%", null)).size());
        });
        check("columns", () -> {
            List<Map<String, Object>> found = rows(meta.getColumns("weir", "public", "every_type", "%"));
            same("i8", found.get(0).get("COLUMN_NAME"));
            same(1, found.get(0).get("ORDINAL_POSITION"));
            Map<Object, Object> types = new HashMap<>();
            for (Map<String, Object> column : found) types.put(column.get("COLUMN_NAME"), column.get("DATA_TYPE"));
            same(Types.BIGINT, types.get("i64"));
            same(Types.VARCHAR, types.get("s"));
            same(Types.DECIMAL, types.get("dec"));
            same(Types.DATE, types.get("d"));
            same(1, rows(meta.getColumns("weir", "public", "every_type", "i6_")).size());
        });
        check("keys", () -> {
            List<Map<String, Object>> keys = rows(meta.getPrimaryKeys("weir", "public", "parent"));
            same(1, keys.size());
            same("id", keys.get(0).get("COLUMN_NAME"));
            rows(meta.getImportedKeys("weir", "public", "parent"));
            rows(meta.getExportedKeys("weir", "public", "parent"));
            rows(meta.getCrossReference("weir", "public", "parent", "weir", "public", "every_type"));
        });
    }

    // ---- Types ----

    static void value(String name, String sql, Object wanted) {
        check("type " + name, () -> {
            same(wanted, one("SELECT " + sql + " AS v"));
        });
        check("null of type " + name, () -> {
            try (Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("SELECT CASE WHEN i = 2 THEN " + sql + " END AS v FROM (VALUES (1)) AS t(i)")) {
                that(result.next(), "no row");
                same(null, result.getObject(1));
                that(result.wasNull(), "wasNull");
            }
        });
    }

    static void types() {
        value("boolean", "true", true);
        value("int8", "arrow_cast(-8, 'Int8')", (byte) -8);
        value("int16", "arrow_cast(-16, 'Int16')", (short) -16);
        value("int32", "arrow_cast(-32, 'Int32')", -32);
        value("int64", "9223372036854775807", Long.MAX_VALUE);
        value("float", "arrow_cast(0.25, 'Float32')", 0.25); // the driver's own choice of Double
        value("double", "1.5e300", 1.5e300);
        value("text", "'née 🙂'", "née 🙂");
        value("large text", "arrow_cast('x', 'LargeUtf8')", "x");
        value("binary", "arrow_cast('ab', 'Binary')", new byte[] {'a', 'b'});
        value("decimal", "arrow_cast('-12345.678', 'Decimal128(20, 3)')", new BigDecimal("-12345.678"));
        value("decimal256", "arrow_cast('12.50', 'Decimal256(60, 2)')", new BigDecimal("12.50"));
        value("list", "[1, NULL, 3]", Arrays.asList(1L, null, 3L));
        check("type date", () -> same("2024-02-29", one("SELECT DATE '2024-02-29'").toString()));
        check("type time", () -> same("12:34:56", one("SELECT TIME '12:34:56'").toString()));
        check("type timestamp", () -> that(one("SELECT TIMESTAMP '2024-01-02 03:04:05'").toString().startsWith("2024-01-02"), "timestamp"));
        check("type struct", () -> that(one("SELECT named_struct('a', 1, 'b', 'x')").toString().contains("x"), "struct"));
        check("type map", () -> that(one("SELECT map(['k'], [7])").toString().contains("7"), "map"));
        check("type interval", () -> that(one("SELECT INTERVAL '1 month 2 days'") != null, "interval"));
        check("type duration", () -> that(one("SELECT arrow_cast(5, 'Duration(Second)')") != null, "duration"));
        // Of an unsigned byte the driver makes a signed one: a small value shows the rest.
        for (String type : List.of("UInt8", "UInt16", "UInt32", "UInt64"))
            check("type " + type, () -> same("100", one("SELECT arrow_cast(100, '" + type + "')").toString()));
    }

    // ---- Statements ----

    static void statements() {
        check("update", () -> {
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("CREATE TABLE t (i BIGINT, s VARCHAR)");
                same(3, statement.executeUpdate("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')"));
                that(statement.execute("SELECT * FROM t ORDER BY i"), "a result");
                same(3, rows(statement.getResultSet()).size());
                that(!statement.execute("INSERT INTO t VALUES (4, 'd')"), "no result");
                same(1, statement.getUpdateCount());
            }
        });
        check("prepared query", () -> {
            try (PreparedStatement prepared = connection.prepareStatement("SELECT i, s FROM t WHERE i >= $1 AND i < $2 ORDER BY i")) {
                same(2, prepared.getParameterMetaData().getParameterCount());
                same(2, prepared.getMetaData().getColumnCount());
                for (long from = 1; from < 4; from++) {
                    prepared.setLong(1, from);
                    prepared.setLong(2, from + 1);
                    List<Map<String, Object>> found = rows(prepared.executeQuery());
                    same(1, found.size());
                    same(from, found.get(0).get("i"));
                }
            }
        });
        check("prepared update and batch", () -> {
            try (PreparedStatement prepared = connection.prepareStatement("INSERT INTO t VALUES ($1, $2)")) {
                prepared.setLong(1, 10);
                prepared.setString(2, "ten");
                same(1, prepared.executeUpdate());
                for (long i = 11; i < 14; i++) {
                    prepared.setLong(1, i);
                    prepared.setString(2, i == 12 ? null : "n" + i);
                    prepared.addBatch();
                }
                prepared.executeBatch();
            }
            same(4L, one("SELECT count(*) FROM t WHERE i >= 10"));
            same(1L, one("SELECT count(*) FROM t WHERE i = 12 AND s IS NULL"));
        });
        check("columns of a result", () -> {
            try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery("SELECT i AS number, s FROM t")) {
                ResultSetMetaData columns = result.getMetaData();
                same("number", columns.getColumnLabel(1));
                same(Types.BIGINT, columns.getColumnType(1));
                same(Types.VARCHAR, columns.getColumnType(2));
            }
        });
        check("empty result", () -> {
            try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery("SELECT * FROM t WHERE i < 0")) {
                // The driver lists the columns twice when no row came.
                that(!result.next(), "a row");
                same("i", result.getMetaData().getColumnName(1));
                same("s", result.getMetaData().getColumnName(2));
            }
        });
        check("many rows", () -> {
            try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery("SELECT i, concat('row ', i) FROM generate_series(1, 200000) AS g(i) ORDER BY i")) {
                long n = 0;
                while (result.next()) {
                    n++;
                    if (result.getLong(1) != n || !result.getString(2).equals("row " + n)) throw new AssertionError("row " + n);
                }
                same(200000L, n);
            }
        });
        check("error", () -> {
            try {
                one("SELECT nothing_of_that_name FROM t");
                throw new AssertionError("no error");
            } catch (SQLException error) {
                that(error.getMessage().contains("42703"), error.getMessage());
            }
        });
        check("cancel", FlightJdbc::cancel);
    }

    static void cancel() throws Exception {
        try (Statement statement = connection.createStatement()) {
            ResultSet result = statement.executeQuery("SELECT i, repeat('x', 1000) FROM generate_series(1, 1000000000) AS g(i)");
            that(result.next(), "a row");
            statement.cancel();
            long n = 0;
            try {
                while (result.next() && n < 100000000) n++;
            } catch (SQLException expected) {
                // a cancelled result may say so
            }
            that(n < 100000000, "it went on");
        }
        same(1L, one("SELECT 1"));
    }

    // ---- The program ----

    static String address;
    static Properties properties = new Properties();

    // A catalog in the address becomes a session option, and closing the connection closes the session.
    static void catalogOfAddress() throws Exception {
        Properties more = new Properties();
        more.putAll(properties);
        more.put("catalog", "system");
        Connection other = DriverManager.getConnection(address, more);
        try (Statement statement = other.createStatement();
                ResultSet result = statement.executeQuery("SELECT count(*) FROM public.settings")) {
            that(result.next() && result.getLong(1) > 0, "no settings");
        }
        try {
            other.close();
        } catch (SQLException problem) {
            // The driver closes the session a second time when its channel is gone.
            that(problem.getMessage().contains("Channel shutdown"), problem.getMessage());
        }
    }

    static void prepareTables() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("CREATE TABLE every_type AS SELECT arrow_cast(1, 'Int8') AS i8, 1 AS i64, 'x' AS s, "
                + "arrow_cast('1.5', 'Decimal128(10, 2)') AS dec, DATE '2024-01-01' AS d");
            statement.executeUpdate("CREATE VIEW every_view AS SELECT * FROM every_type");
            statement.executeUpdate("CREATE TABLE parent (id BIGINT, s VARCHAR, PRIMARY KEY (id))");
        }
    }

    public static void main(String[] args) throws Exception {
        address = args[0];
        for (int i = 1; i + 1 < args.length; i += 2) properties.put(args[i], args[i + 1]);
        try (Connection opened = DriverManager.getConnection(args[0], properties)) {
            connection = opened;
            check("tables are made", FlightJdbc::prepareTables);
            metadata(opened.getMetaData());
            types();
            statements();
            check("catalog of the address", FlightJdbc::catalogOfAddress);
        }
        System.out.println("done");
    }
}
