// SPDX-License-Identifier: Apache-2.0

// The driver through Go's driver manager. WEIR_LIBRARY is the library's path.
package adbc_go

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-adbc/go/adbc/drivermgr"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var ctx = context.Background()

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func open(t *testing.T) adbc.Connection {
	var driver drivermgr.Driver
	database := must(driver.NewDatabase(map[string]string{
		"driver":                   os.Getenv("WEIR_LIBRARY"),
		"adbc.weir.config.threads": "2",
	}))(t)
	connection := must(database.Open(ctx))(t)
	t.Cleanup(func() {
		if err := errors.Join(connection.Close(), database.Close()); err != nil {
			t.Error(err)
		}
	})
	return connection
}

func statement(t *testing.T, connection adbc.Connection, sql string) adbc.Statement {
	made := must(connection.NewStatement())(t)
	t.Cleanup(func() { made.Close() })
	if sql != "" {
		if err := made.SetSqlQuery(sql); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// The first column of a result, of int64.
func numbers(t *testing.T, made adbc.Statement) (values []int64) {
	t.Helper()
	reader, _, err := made.ExecuteQuery(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	for reader.Next() {
		values = append(values, reader.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
	}
	if reader.Err() != nil {
		t.Fatal(reader.Err())
	}
	return values
}

func rows(values ...int64) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return builder.NewRecordBatch()
}

func expect(t *testing.T, got []int64, wanted ...int64) {
	t.Helper()
	if len(got) != len(wanted) {
		t.Fatalf("%v and not %v", got, wanted)
	}
	for i := range got {
		if got[i] != wanted[i] {
			t.Fatalf("%v and not %v", got, wanted)
		}
	}
}

func TestAQueryRunsForEachRowOfParameters(t *testing.T) {
	made := statement(t, open(t), "SELECT CAST($1 AS BIGINT) * 10 AS n")
	if err := made.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if err := made.Bind(ctx, rows(1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	expect(t, numbers(t, made), 10, 20, 30)
}

func TestRowsAreIngested(t *testing.T) {
	connection := open(t)
	made := statement(t, connection, "")
	if err := made.SetOption(adbc.OptionKeyIngestTargetTable, "t"); err != nil {
		t.Fatal(err)
	}
	if err := made.Bind(ctx, rows(4, 5)); err != nil {
		t.Fatal(err)
	}
	if n := must(made.ExecuteUpdate(ctx))(t); n != 2 {
		t.Fatalf("%d rows", n)
	}
	expect(t, numbers(t, statement(t, connection, "SELECT n FROM t ORDER BY n")), 4, 5)
	schema := must(connection.GetTableSchema(ctx, nil, nil, "t"))(t)
	if schema.Field(0).Name != "n" {
		t.Fatal(schema)
	}
}

func TestAnErrorHasCodeAndSqlState(t *testing.T) {
	made := statement(t, open(t), "SELECT nothing")
	_, _, err := made.ExecuteQuery(ctx)
	var failure adbc.Error
	if !errors.As(err, &failure) || failure.Code != adbc.StatusInvalidArgument || string(failure.SqlState[:]) != "42703" {
		t.Fatalf("%v", err)
	}
}

func TestObjectsAreListed(t *testing.T) {
	connection := open(t)
	catalog := "weir"
	reader := must(connection.GetObjects(ctx, adbc.ObjectDepthAll, &catalog, nil, nil, nil, nil))(t)
	defer reader.Release()
	if !reader.Next() || reader.RecordBatch().NumRows() != 1 || reader.RecordBatch().Column(0).(*array.String).Value(0) != "weir" {
		t.Fatal("the catalog weir is not there")
	}
}
