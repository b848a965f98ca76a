// SPDX-License-Identifier: Apache-2.0
use std::io::Cursor;
use std::slice::from_ref;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Fields, Int32Type, IntervalMonthDayNano, UnionFields};
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::record_batch::RecordBatchIterator;
use object_store::PutPayload;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;

use super::*;

const ALL: [&str; 7] = ["parquet", "arrow", "arrows", "csv", "tsv", "json", "jsonl"];

fn reader(batches: &[RecordBatch]) -> Box<dyn RecordBatchReader + Send> {
    let rows: Vec<_> = batches.iter().cloned().map(Ok).collect();
    Box::new(RecordBatchIterator::new(rows, batches[0].schema()))
}

fn bytes(batches: &[RecordBatch], format: &str, options: &[(&str, &str)]) -> Result<Vec<u8>> {
    let options: Vec<_> =
        options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let mut bytes = Vec::new();
    let rows = encode(reader(batches), format, &options, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    })?;
    assert_eq!(rows, batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    Ok(bytes)
}

fn text(batches: &[RecordBatch], format: &str, options: &[(&str, &str)]) -> String {
    String::from_utf8(bytes(batches, format, options).unwrap()).unwrap()
}

fn parquet(bytes: Vec<u8>) -> ParquetRecordBatchReaderBuilder<impl ChunkReader + 'static> {
    let whole = PutPayload::from(bytes).into_iter().next().unwrap();
    ParquetRecordBatchReaderBuilder::try_new(whole).unwrap()
}

fn decode(bytes: Vec<u8>, format: &str) -> RecordBatch {
    let cursor = Cursor::new(bytes.clone());
    let reader: Box<dyn RecordBatchReader> = match format {
        "parquet" => Box::new(parquet(bytes).build().unwrap()),
        "arrow" => Box::new(FileReader::try_new(cursor, None).unwrap()),
        _ => Box::new(StreamReader::try_new(cursor, None).unwrap()),
    };
    let schema = reader.schema();
    concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap()).unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

fn numbers(rows: i32) -> RecordBatch {
    let names = StringArray::from_iter((0..rows).map(|i| (i % 3 != 0).then(|| format!("row {i}"))));
    batch(vec![("n", Arc::new(Int32Array::from_iter_values(0..rows))), ("name", Arc::new(names))])
}

#[test]
fn binary_formats_give_the_same_rows_back_in_every_compression() {
    let batch = numbers(20_000);
    let compressions = [
        ("parquet", "zstd, zstd(9), ZSTD, gzip, brotli, snappy, lz4_raw, none"),
        ("arrow", "none, lz4, zstd"),
        ("arrows", "none, lz4, zstd"),
    ];
    for (format, names) in compressions {
        for name in names.split(", ") {
            let bytes =
                bytes(&[batch.clone(), batch.clone()], format, &[("compression", name)]).unwrap();
            assert_eq!(
                decode(bytes, format),
                concat_batches(&batch.schema(), [&batch, &batch]).unwrap(),
                "{format} {name}"
            );
        }
    }
}

#[test]
fn parquet_is_compressed_with_zstd_and_row_groups_have_the_size_asked_for() {
    let bytes = bytes(&[numbers(20_000)], "PARQUET", &[("row_group_size", "6000")]).unwrap();
    let file = parquet(bytes);
    let groups = file.metadata().row_groups();
    assert_eq!(
        groups.iter().map(|group| group.num_rows()).collect::<Vec<_>>(),
        [6000, 6000, 6000, 2000]
    );
    assert!(matches!(groups[0].column(0).compression(), Compression::ZSTD(_)));
}

#[test]
fn parquet_has_dictionaries_where_the_first_rows_show_that_they_are_of_use() {
    let rows = |from: i64, to: i64| {
        batch(vec![
            ("different", Arc::new(Int64Array::from_iter_values(from..to))),
            ("few", Arc::new(Int64Array::from_iter_values((from..to).map(|i| i % 7)))),
            ("a.b", Arc::new(Int64Array::from_iter_values((from..to).map(|i| -i)))),
        ])
    };
    let has_dictionary = |batches: &[RecordBatch]| {
        let file = parquet(bytes(batches, "parquet", &[]).unwrap());
        let columns = file.metadata().row_group(0).columns().iter();
        columns.map(|column| column.dictionary_page_offset().is_some()).collect::<Vec<_>>()
    };
    let many = [rows(0, 100_000), rows(100_000, 200_000)];
    assert_eq!(has_dictionary(&many), [false, true, false]);
    assert_eq!(has_dictionary(&[rows(0, 100)]), [false, true, false], "these are all");
    let file =
        parquet(bytes(&[rows(0, 100_000)], "parquet", &[("row_group_size", "1000")]).unwrap());
    assert_eq!(file.metadata().row_groups().len(), 100);
}

#[test]
fn an_empty_stream_gives_a_valid_file_with_the_schema() {
    let empty = RecordBatch::new_empty(numbers(0).schema());
    for format in ["parquet", "arrow", "arrows"] {
        assert_eq!(decode(bytes(from_ref(&empty), format, &[]).unwrap(), format), empty);
    }
    let texts = ["csv", "tsv", "json", "jsonl"].map(|format| text(from_ref(&empty), format, &[]));
    assert_eq!(texts, ["n,name\n", "n\tname\n", "[]\n", ""]);
}

#[test]
fn csv_options_say_header_delimiter_null_and_quote() {
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a;b"), None, Some("it's")]));
    let batch = batch(vec![("n", Arc::new(Int32Array::from(vec![1, 2, 3]))), ("name", names)]);
    assert_eq!(text(from_ref(&batch), "csv", &[]), "n,name\n1,a;b\n2,\n3,it's\n");
    let options = [("header", "false"), ("delimiter", ";"), ("null", "\\N"), ("quote", "'")];
    assert_eq!(
        text(&[batch.clone(), batch.clone()], "csv", &options),
        "1;'a;b'\n2;\\N\n3;'it''s'\n".repeat(2)
    );
    assert_eq!(text(&[batch], "tsv", &[]), "n\tname\n1\ta;b\n2\t\n3\tit's\n");
}

/// One row of NULL after one row of types that text formats have no form of their own for.
fn odd() -> RecordBatch {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let times: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0]));
    let field = Arc::new(Field::new_list_field(times.data_type().clone(), true));
    let times = ListArray::new(
        field,
        OffsetBuffer::from_lengths([1, 0]),
        times,
        Some(vec![true, false].into()),
    );
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("x");
    map.append(true).unwrap();
    map.append(false).unwrap();
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("d"), None]));
    let dictionary = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![0, 1]), values);
    let union_fields: UnionFields =
        [(0, Arc::new(Field::new("i", DataType::Int32, true)))].into_iter().collect();
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(5), None]));
    let union =
        UnionArray::try_new(union_fields, ScalarBuffer::from(vec![0i8, 0]), None, vec![ints])
            .unwrap();
    batch(vec![
        ("list", Arc::new(list)),
        ("times", Arc::new(times)),
        ("map", Arc::new(map.finish())),
        ("dict", Arc::new(dictionary)),
        ("union", Arc::new(union)),
        ("day", Arc::new(Date32Array::from(vec![Some(1), None]))),
        (
            "span",
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                Some(IntervalMonthDayNano::new(1, 2, 0)),
                None,
            ])),
        ),
        ("wait", Arc::new(DurationSecondArray::from(vec![Some(61), None]))),
        (
            "money",
            Arc::new(
                Decimal128Array::from(vec![Some(1250), None])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("bin", Arc::new(BinaryArray::from(vec![Some(&b"\x01\xff"[..]), None]))),
        ("real", Arc::new(Float64Array::from(vec![Some(f64::NAN), None]))),
        ("none", Arc::new(NullArray::new(2))),
    ])
}

#[test]
fn json_keeps_nulls_and_writes_what_it_lacks_as_text() {
    let rows = [
        r#"{"list":[1,null],"times":["1970-01-01T00:00:00"],"map":{"7":"x"},"dict":"d","#,
        r#""union":"{i=5}","day":"1970-01-02","span":"1 mons 2 days","wait":"PT61S","#,
        r#""money":12.50,"bin":"01ff","real":null,"none":null}"#,
        r#"{"list":null,"times":null,"map":null,"dict":null,"union":null,"day":null,"#,
        r#""span":null,"wait":null,"money":null,"bin":null,"real":null,"none":null}"#,
    ];
    let (first, second) = (rows[..3].concat(), rows[3..].concat());
    assert_eq!(text(&[odd()], "jsonl", &[]), format!("{first}\n{second}\n"));
    assert_eq!(
        text(&[odd(), odd()], "json", &[]),
        format!("[{first},\n{second},\n{first},\n{second}]\n")
    );
}

#[test]
fn csv_writes_nested_columns_as_text() {
    let expected = "list,times,map,dict,union,day,span,wait,money,bin,real,none\n\
        \"[1, NULL]\",[1970-01-01T00:00:00],{7: x},d,{i=5},1970-01-02,\
        1 mons 2 days,PT61S,12.50,01ff,NaN,\n\
        ,,,,,,,,,,,\n";
    assert_eq!(text(&[odd()], "csv", &[]), expected);
}

#[test]
fn an_arrow_file_takes_a_new_dictionary_in_each_batch() {
    let dictionary = |value: &str| {
        let column: DictionaryArray<Int32Type> = [value].into_iter().collect();
        let list = ListArray::new(
            Arc::new(Field::new_list_field(column.data_type().clone(), true)),
            OffsetBuffer::from_lengths([1]),
            Arc::new(column.clone()),
            None,
        );
        batch(vec![("d", Arc::new(column)), ("l", Arc::new(list))])
    };
    let batches = [dictionary("a"), dictionary("b")];
    let file = decode(bytes(&batches, "arrow", &[]).unwrap(), "arrow");
    assert_eq!(file.column(0).as_ref(), &StringArray::from(vec!["a", "b"]) as &dyn Array);
    let stream = decode(bytes(&batches, "arrows", &[]).unwrap(), "arrows");
    assert_eq!(stream.schema(), batches[0].schema());
    assert_eq!(text(&[stream], "csv", &[]), text(&[file], "csv", &[]));
}

#[test]
fn rows_without_columns_are_counted() {
    let size = RecordBatchOptions::new().with_row_count(Some(2));
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &size).unwrap();
    assert_eq!(text(&[batch], "jsonl", &[]), "{}\n{}\n");
}

#[test]
fn what_is_unknown_or_does_not_fit_is_named_before_the_first_byte() {
    let many = |format, options: &[(&str, &str)]| {
        bytes(&[odd()], format, options).unwrap_err().to_string()
    };
    for (format, options, words) in [
        ("xlsx", &[][..], vec!["xlsx", "parquet, arrow"]),
        ("csv", &[("headr", "true")], vec!["headr", "header, delimiter, null, quote"]),
        ("csv", &[("header", "maybe")], vec!["maybe", "true or false"]),
        ("csv", &[("delimiter", "ab")], vec!["\"ab\"", "one ASCII character"]),
        ("json", &[("null", "x")], vec!["null", "it has none"]),
        ("arrow", &[("compression", "gzip")], vec!["gzip", "lz4"]),
        ("parquet", &[("compression", "lzo")], vec!["lzo", "snappy"]),
        ("parquet", &[], vec!["\"union\"", "cast"]),
    ] {
        let error = many(format, options);
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let error =
        bytes(&[numbers(1)], "parquet", &[("row_group_size", "0")]).unwrap_err().to_string();
    assert!(error.contains("row_group_size"), "{error}");
    let empty = DataType::Struct(Fields::empty());
    let empty = RecordBatch::new_empty(Arc::new(Schema::new(vec![Field::new(
        "e",
        DataType::new_list(empty, true),
        true,
    )])));
    assert!(bytes(&[empty], "parquet", &[]).unwrap_err().to_string().contains("\"e\""));
}

#[test]
fn errors_of_the_callback_and_the_reader_end_the_encoding() {
    for format in ALL {
        let error = encode(reader(&[numbers(9)]), format, &[], &mut |_| {
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(
            matches!(error, DataFusionError::IoError(e) if e.kind() == io::ErrorKind::StorageFull),
            "{format}"
        );

        let rows = [Ok(numbers(9)), Err(ArrowError::ComputeError("row 10 is bad".into()))];
        let rows = RecordBatchIterator::new(rows, numbers(0).schema());
        let error = encode(Box::new(rows), format, &[], &mut |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("row 10 is bad"), "{format}: {error}");
    }
    let date: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
    for format in ["csv", "json"] {
        assert!(bytes(&[batch(vec![("t", date.clone())])], format, &[]).is_err(), "{format}");
    }
}

#[test]
fn bytes_are_handed_out_as_they_come() {
    for format in ALL {
        let (mut longest, mut total) = (0, 0);
        encode(
            reader(&[numbers(200_000)]),
            format,
            &[("row_group_size".to_string(), "10000".to_string())]
                [..usize::from(format == "parquet")],
            &mut |part| {
                longest = longest.max(part.len());
                total += part.len();
                Ok(())
            },
        )
        .unwrap();
        assert!(longest * 10 < total, "{format}: {longest} of {total}");
    }
}
