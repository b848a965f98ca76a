// SPDX-License-Identifier: Apache-2.0
//! A Parquet file whose columns have dictionaries where the first rows show that they are of use.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::Encoder;
use crate::dictionaries::Sample;

pub struct ParquetFile {
    schema: SchemaRef,
    properties: WriterProperties,
    /// Looks at the first rows, which wait for it.
    sample: Option<Sample>,
    first: Vec<RecordBatch>,
    writer: Option<ArrowWriter<Vec<u8>>>,
    nothing: Vec<u8>,
}

impl ParquetFile {
    /// A schema that the format cannot hold is an error here.
    pub fn new(schema: SchemaRef, properties: WriterProperties) -> Result<ParquetFile> {
        ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties.clone()))?;
        let limit = properties.dictionary_page_size_limit();
        let rows = properties.max_row_group_row_count().unwrap_or(usize::MAX);
        let sample = Some(Sample::new(&schema, limit, rows));
        Ok(ParquetFile { schema, properties, sample, first: vec![], writer: None, nothing: vec![] })
    }

    /// `is_all`: no rows come after those that wait.
    fn begin(&mut self, is_all: bool) -> Result<()> {
        let mut properties = self.properties.clone().into_builder();
        for name in self.sample.take().into_iter().flat_map(|sample| sample.unsuited(is_all)) {
            let path = ColumnPath::new(vec![name]);
            properties = properties.set_column_dictionary_enabled(path, false);
        }
        let properties = Some(properties.build());
        let mut writer = ArrowWriter::try_new(Vec::new(), self.schema.clone(), properties)?;
        std::mem::take(&mut self.first).iter().try_for_each(|batch| writer.write(batch))?;
        self.writer = Some(writer);
        Ok(())
    }
}

impl Encoder for ParquetFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            return Ok(writer.write(batch)?);
        }
        self.first.push(batch.clone());
        if let Some(sample) = &mut self.sample {
            sample.look(batch)?;
            if sample.goes_on() {
                return Ok(());
            }
        }
        self.begin(false)
    }

    fn finish(&mut self) -> Result<()> {
        if self.writer.is_none() {
            self.begin(true)?;
        }
        self.writer.as_mut().expect("just made").finish()?;
        Ok(())
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        self.writer.as_mut().map_or(&mut self.nothing, ArrowWriter::inner_mut)
    }
}
