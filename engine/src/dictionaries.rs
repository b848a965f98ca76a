//! Which columns of a Parquet file a dictionary makes larger and slower: it is given up in each row group once its page is
//! full, and until then it only holds again what the values would take as they are. The first rows show it.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::HashSet;
use datafusion::common::hash_utils::{RandomState, create_hashes};

use crate::error::Result;
use crate::memory::row_bytes;

#[cfg(test)]
mod tests;

/// Bytes of rows that are looked at; a column that is not known by then keeps its dictionary.
const MOST: usize = 32 << 20;
/// Of fewer rows nothing is said unless they are all.
const LEAST: usize = 8192;

/// The first rows of a row group.
pub struct Sample {
    columns: Vec<Column>,
    /// Bytes that a dictionary may have.
    limit: usize,
    rows_left: usize,
    bytes_left: usize,
}

struct Column {
    name: String,
    index: usize,
    /// Hashes of the different values.
    values: HashSet<u64>,
    n_values: usize,
    /// Bytes of the different values, as a dictionary holds them, and of all of them.
    different: usize,
    plain: usize,
    verdict: Option<bool>,
}

impl Sample {
    /// `limit` is that of a dictionary's page, in bytes, and `rows` that of a row group.
    pub fn new(schema: &Schema, limit: usize, rows: usize) -> Sample {
        let fields = schema.fields().iter().enumerate();
        let known = fields.filter(|(_, field)| plain_size(field.data_type()).is_some());
        let columns = known.map(|(index, field)| Column::new(field.name(), index)).collect();
        Sample { columns, limit, rows_left: rows, bytes_left: MOST }
    }

    /// Whether more rows would say more.
    pub fn goes_on(&self) -> bool {
        let is_open = self.columns.iter().any(|column| column.verdict.is_none());
        is_open && self.rows_left > 0 && self.bytes_left > 0
    }

    pub fn look(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = batch.slice(0, batch.num_rows().min(self.rows_left));
        for column in self.columns.iter_mut().filter(|column| column.verdict.is_none()) {
            column.look(batch.column(column.index).as_ref())?;
            column.judge(self.limit);
        }
        self.rows_left -= batch.num_rows();
        self.bytes_left = self.bytes_left.saturating_sub(row_bytes(&batch));
        Ok(())
    }

    /// The columns that had better have no dictionary. `is_all` says that no rows come after those that were seen.
    pub fn unsuited(self, is_all: bool) -> Vec<String> {
        let is_whole = is_all || self.rows_left == 0;
        let columns = self.columns.into_iter();
        let unsuited = columns.filter(|column| match column.verdict {
            Some(verdict) => !verdict,
            None => is_whole && column.n_values > 0 && column.encoded() >= column.plain,
        });
        unsuited.map(|column| column.name).collect()
    }
}

impl Column {
    fn new(name: &str, index: usize) -> Column {
        Column {
            name: name.to_string(),
            index,
            values: HashSet::default(),
            n_values: 0,
            different: 0,
            plain: 0,
            verdict: None,
        }
    }

    fn look(&mut self, array: &dyn Array) -> Result<()> {
        let mut hashes = vec![0; array.len()];
        create_hashes([array], &RandomState::with_seed(0), &mut hashes)?;
        let size = plain_size(array.data_type()).expect("others are not looked at");
        for (at, hash) in hashes.into_iter().enumerate().filter(|(at, _)| array.is_valid(*at)) {
            let size = size.of(array, at);
            self.n_values += 1;
            self.plain += size;
            if self.values.insert(hash) {
                self.different += size;
            }
        }
        Ok(())
    }

    /// Bytes of what was seen with a dictionary.
    fn encoded(&self) -> usize {
        let bits = (self.values.len().max(1) as u64).next_power_of_two().ilog2() as usize;
        self.different + self.n_values * bits / 8
    }

    fn judge(&mut self, limit: usize) {
        let encoded = self.encoded();
        if self.different >= limit {
            self.verdict = Some(encoded < self.plain);
        } else if self.n_values >= LEAST && encoded < self.plain / 4 * 3 {
            self.verdict = Some(true);
        }
    }
}

/// Bytes of a value in a page.
#[derive(Clone, Copy)]
enum Size {
    Fixed(usize),
    /// That of a text, and its length before it.
    Text,
}

impl Size {
    fn of(self, array: &dyn Array, at: usize) -> usize {
        let length = match (self, array.data_type()) {
            (Size::Fixed(size), _) => return size,
            (_, DataType::Utf8) => array.as_string::<i32>().value_length(at) as usize,
            (_, DataType::LargeUtf8) => array.as_string::<i64>().value_length(at) as usize,
            (_, DataType::Utf8View) => array.as_string_view().views()[at] as u32 as usize,
            (_, DataType::Binary) => array.as_binary::<i32>().value_length(at) as usize,
            (_, DataType::LargeBinary) => array.as_binary::<i64>().value_length(at) as usize,
            _ => array.as_binary_view().views()[at] as u32 as usize,
        };
        length + size_of::<u32>()
    }
}

/// None: the encoder makes no dictionary of such values, or they come in one, or in more than one column of the file.
fn plain_size(data_type: &DataType) -> Option<Size> {
    use DataType::*;
    match data_type {
        Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32 | Float32 | Date32 | Time32(_) => {
            Some(Size::Fixed(4))
        }
        Int64 | UInt64 | Float64 | Date64 | Time64(_) | Timestamp(_, _) | Duration(_) => {
            Some(Size::Fixed(8))
        }
        Decimal32(digits, _) | Decimal64(digits, _) | Decimal128(digits, _) => match digits {
            0..=9 => Some(Size::Fixed(4)),
            10..=18 => Some(Size::Fixed(8)),
            _ => None,
        },
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => Some(Size::Text),
        _ => None,
    }
}
