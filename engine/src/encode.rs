// SPDX-License-Identifier: Apache-2.0
//! Streams of rows as the bytes of a file.
//!
//! What a text format cannot hold becomes its display text: nested columns in CSV; in JSON dates,
//! times, intervals, the keys of maps and a whole column with a union in it. Binary is written as
//! hexadecimal digits, NaN in JSON as null. Parquet has milliseconds for seconds; a column that it
//! cannot hold at all is an error before the first byte. An Arrow file holds one dictionary per column, and a stream may bring a new one
//! with each batch: there dictionary columns are written as their values.

use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::{DataType, IntervalUnit, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow::json::writer::{JsonFormat, LineDelimited, Writer as JsonWriter, WriterBuilder};
use arrow::record_batch::RecordBatchReader;
use datafusion::error::{DataFusionError, Result};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::memory::row_bytes;
use crate::text::text_field;
use crate::views;
use parquet_file::ParquetFile;
use shape::{Change, Lacks, Shape, any_type, nearest};

mod parquet_file;
mod shape;
#[cfg(test)]
mod tests;

/// Larger batches are encoded in pieces, so that the bytes of no more rows than this wait in memory
/// (Parquet: a row group), nor of many more bytes of rows.
const ROWS_AT_ONCE: usize = 8192;
const BYTES_AT_ONCE: usize = 1 << 20;
const FORMATS: &str = "parquet, arrow, arrows, csv, tsv, json and jsonl";
/// A Parquet row group ends here even when it has fewer rows than asked for.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// Encodes all rows of `reader` and hands the bytes to `write` in order; answers the number of
/// rows. The formats are parquet, arrow (IPC file), arrows (IPC stream), csv, tsv, json (an array,
/// one row a line) and jsonl. An empty stream gives a valid file with the schema. Errors:
/// `Configuration` names an unknown format, option or value and says what is known;
/// `NotImplemented` names a column that Parquet cannot hold; `IoError` is what `write` answered;
/// else what the reader or the encoder says.
pub fn encode(
    reader: Box<dyn RecordBatchReader + Send>,
    format: &str,
    options: &[(String, String)],
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64> {
    let (shape, mut encoder) = encoder(&reader.schema(), &format.to_ascii_lowercase(), options)?;
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(crate::stream::from_arrow)?;
        let at_once = rows_at_once(&batch);
        for start in (0..batch.num_rows()).step_by(at_once) {
            let piece = batch.slice(start, at_once.min(batch.num_rows() - start));
            encoder.write(&shape.apply(&piece)?)?;
            drain(encoder.bytes(), write)?;
            rows += piece.num_rows() as u64;
        }
    }
    encoder.finish()?;
    drain(encoder.bytes(), write)?;
    Ok(rows)
}

fn rows_at_once(batch: &RecordBatch) -> usize {
    let bytes_per_row = row_bytes(batch) / batch.num_rows().max(1);
    (BYTES_AT_ONCE / bytes_per_row.max(1)).clamp(1, ROWS_AT_ONCE)
}

fn drain(bytes: &mut Vec<u8>, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
    if !bytes.is_empty() {
        write(bytes)?;
        bytes.clear();
    }
    Ok(())
}

/// Chooses the encoder of a format and what becomes of each column on the way to it.
fn encoder(
    schema: &SchemaRef,
    format: &str,
    options: &[(String, String)],
) -> Result<(Shape, Box<dyn Encoder>)> {
    let options = Options { format, options };
    match format {
        "parquet" => {
            options.allow(&["compression", "row_group_size", "page_size", "dictionary_size"])?;
            let rows = |text: &str| text.parse().ok().filter(|n| *n > 0);
            let properties = WriterProperties::builder()
                .set_compression(options.parse(
                    "compression",
                    "zstd",
                    parquet_compression,
                    PARQUET_COMPRESSIONS,
                )?)
                .set_max_row_group_row_count(Some(options.parse(
                    "row_group_size",
                    "1048576",
                    rows,
                    "a number of rows",
                )?))
                .set_data_page_row_count_limit(options.parse(
                    "page_size",
                    "20000",
                    rows,
                    "a number of rows",
                )?)
                .set_dictionary_page_size_limit(options.parse(
                    "dictionary_size",
                    "1048576",
                    rows,
                    "a number of bytes",
                )?)
                .set_max_row_group_bytes(Some(ROW_GROUP_BYTES));
            if let Some(field) =
                schema.fields().iter().find(|f| any_type(f.data_type(), &parquet_lacks))
            {
                return Err(DataFusionError::NotImplemented(format!(
                    "parquet cannot hold column \"{}\" of type {}; cast it to another type first",
                    field.name(),
                    field.data_type()
                )));
            }
            let shape = Shape::new(schema, |t| nearest(t, Lacks::Parquet));
            let file = ParquetFile::new(shape.schema.clone(), properties.build())?;
            Ok((shape, Box::new(file)))
        }
        "arrow" | "arrows" => {
            options.allow(&["compression"])?;
            let compression =
                options.parse("compression", "none", ipc_compression, "none, lz4 or zstd")?;
            let ipc = IpcWriteOptions::default().try_with_compression(compression)?;
            if format == "arrows" {
                let writer = StreamWriter::try_new_with_options(Vec::new(), schema, ipc)?;
                return Ok((Shape::new(schema, |_| Change::None), Box::new(Compacted(writer))));
            }
            let shape = Shape::new(schema, |t| nearest(t, Lacks::Arrow));
            let writer = FileWriter::try_new_with_options(Vec::new(), &shape.schema, ipc)?;
            Ok((shape, Box::new(Compacted(writer))))
        }
        "csv" | "tsv" => {
            options.allow(&["header", "delimiter", "null", "quote"])?;
            let delimiter = if format == "csv" { "," } else { "\t" };
            let builder = csv::WriterBuilder::new()
                .with_header(options.parse("header", "true", boolean, "true or false")?)
                .with_delimiter(options.parse(
                    "delimiter",
                    delimiter,
                    character,
                    "one ASCII character",
                )?)
                .with_quote(options.parse("quote", "\"", character, "one ASCII character")?)
                .with_null(options.text("null", "").to_string());
            let shape =
                Shape::new(schema, |t| if t.is_nested() { Change::Text } else { Change::None });
            Ok((shape, Box::new(Csv::new(builder, schema)?)))
        }
        "json" | "jsonl" => {
            options.allow(&[])?;
            let builder = WriterBuilder::new().with_explicit_nulls(true);
            let union = |t: &DataType| matches!(t, DataType::Union(_, _));
            let shape = Shape::new(schema, |t| {
                if any_type(t, &union) { Change::Text } else { nearest(t, Lacks::Json) }
            });
            if format == "json" {
                Ok((shape, Box::new(builder.build::<_, Rows>(Vec::new()))))
            } else {
                Ok((shape, Box::new(builder.build::<_, LineDelimited>(Vec::new()))))
            }
        }
        _ => Err(DataFusionError::Configuration(format!(
            "unknown format \"{format}\"; known are {FORMATS}"
        ))),
    }
}

/// Writes into its own memory, which [`encode`] empties.
trait Encoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    fn finish(&mut self) -> Result<()>;
    fn bytes(&mut self) -> &mut Vec<u8>;
}

macro_rules! impl_encoder {
    ($writer:ty, $bytes:ident $(, $format:ident: $bound:path)?) => {
        impl$(<$format: $bound>)? Encoder for $writer {
            fn write(&mut self, batch: &RecordBatch) -> Result<()> {
                Ok(self.write(batch)?)
            }
            fn finish(&mut self) -> Result<()> {
                self.finish()?;
                Ok(())
            }
            fn bytes(&mut self) -> &mut Vec<u8> {
                self.$bytes()
            }
        }
    };
}

impl_encoder!(FileWriter<Vec<u8>>, get_mut);
impl_encoder!(StreamWriter<Vec<u8>>, get_mut);
impl_encoder!(JsonWriter<Vec<u8>, F>, get_mut, F: JsonFormat);

/// Arrow's writers write all that is behind a batch's views.
struct Compacted<E>(E);

impl<E: Encoder> Encoder for Compacted<E> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(&views::compact(batch, 0)?)
    }
    fn finish(&mut self) -> Result<()> {
        self.0.finish()
    }
    fn bytes(&mut self) -> &mut Vec<u8> {
        self.0.bytes()
    }
}

/// A JSON array with one row a line.
#[derive(Debug, Default)]
struct Rows;

impl JsonFormat for Rows {
    fn start_stream<W: io::Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }
    fn start_row<W: io::Write>(
        &self,
        writer: &mut W,
        is_first_row: bool,
    ) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"" } else { b",\n" })?)
    }
    fn end_stream<W: io::Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"]\n")?)
    }
}

/// The CSV writer hides its sink, so each batch has a writer of its own. The header is written at
/// once: an empty stream has it too.
struct Csv {
    builder: csv::WriterBuilder,
    bytes: Vec<u8>,
}

impl Csv {
    fn new(builder: csv::WriterBuilder, schema: &SchemaRef) -> Result<Self> {
        let mut bytes = Vec::new();
        let names = schema.fields().iter().map(|f| text_field(f)).collect::<Vec<_>>();
        builder
            .clone()
            .build(&mut bytes)
            .write(&RecordBatch::new_empty(Arc::new(Schema::new(names))))?;
        Ok(Self { builder: builder.with_header(false), bytes })
    }
}

impl Encoder for Csv {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.builder.clone().build(&mut self.bytes).write(batch)?)
    }
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
    fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

fn parquet_lacks(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(_, _) | DataType::Interval(IntervalUnit::MonthDayNano) => true,
        DataType::Struct(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The options of one format.
struct Options<'a> {
    format: &'a str,
    options: &'a [(String, String)],
}

impl Options<'_> {
    fn allow(&self, known: &[&str]) -> Result<()> {
        let unknown = self
            .options
            .iter()
            .find(|(name, _)| !known.iter().any(|k| k.eq_ignore_ascii_case(name)));
        let Some((name, _)) = unknown else {
            return Ok(());
        };
        let known = if known.is_empty() {
            "it has none".to_string()
        } else {
            format!("known are {}", known.join(", "))
        };
        Err(DataFusionError::Configuration(format!(
            "unknown option \"{name}\" of format {}; {known}",
            self.format
        )))
    }

    fn text<'b>(&'b self, name: &str, default: &'b str) -> &'b str {
        let given = self.options.iter().rev().find(|(n, _)| n.eq_ignore_ascii_case(name));
        given.map_or(default, |(_, value)| value.as_str())
    }

    fn parse<T>(
        &self,
        name: &str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T> {
        let value = self.text(name, default);
        parse(value).ok_or_else(|| {
            let format = self.format;
            DataFusionError::Configuration(format!(
                "option {name} of format {format} is \"{value}\"; expected {expected}"
            ))
        })
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn character(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"\\t" => Some(b'\t'),
        [c] if c.is_ascii() && !matches!(c, b'\n' | b'\r') => Some(*c),
        _ => None,
    }
}

const PARQUET_COMPRESSIONS: &str =
    "none, snappy, lz4_raw, zstd, gzip or brotli, the last three also with a level, as in zstd(9)";

fn parquet_compression(text: &str) -> Option<Compression> {
    let text = text.to_ascii_lowercase();
    let text = match text.as_str() {
        "none" => "uncompressed",
        "zstd" => "zstd(3)",
        "gzip" => "gzip(6)",
        "brotli" => "brotli(1)",
        "lz4" => "lz4_raw",
        other => other,
    };
    text.parse().ok().filter(|c| *c != Compression::LZO)
}

fn ipc_compression(text: &str) -> Option<Option<CompressionType>> {
    match text.to_ascii_lowercase().as_str() {
        "none" | "uncompressed" => Some(None),
        "lz4" => Some(Some(CompressionType::LZ4_FRAME)),
        "zstd" => Some(Some(CompressionType::ZSTD)),
        _ => None,
    }
}
