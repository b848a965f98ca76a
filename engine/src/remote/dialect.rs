//! The dialects of backends: names, literals, types. What cannot be written so that the backend
//! understands exactly the same value is None.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::ScalarValue;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    PostgreSql,
    Sqlite,
    DuckDb,
    MySql,
    /// One of which only the least is known.
    Generic,
}

use Dialect::*;

/// Values whose comparisons and functions are the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    /// Bits of the magnitude, and whether there are negative ones.
    Int(u32, bool),
    Float(u32),
    Decimal(u8, i8),
    Text,
    Binary,
    Date,
    /// Whether it is one moment all over the world.
    Timestamp(bool),
    Other,
}

impl Kind {
    pub fn of(data_type: &DataType) -> Kind {
        match data_type {
            DataType::Boolean => Kind::Bool,
            DataType::Int8 => Kind::Int(7, true),
            DataType::Int16 => Kind::Int(15, true),
            DataType::Int32 => Kind::Int(31, true),
            DataType::Int64 => Kind::Int(63, true),
            DataType::UInt8 => Kind::Int(8, false),
            DataType::UInt16 => Kind::Int(16, false),
            DataType::UInt32 => Kind::Int(32, false),
            DataType::UInt64 => Kind::Int(64, false),
            DataType::Float32 => Kind::Float(32),
            DataType::Float64 => Kind::Float(64),
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                Kind::Decimal(*precision, *scale)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Kind::Binary,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(_, zone) => Kind::Timestamp(zone.is_some()),
            _ => Kind::Other,
        }
    }
}

impl Dialect {
    pub fn named(name: &str) -> Dialect {
        match name {
            "postgresql" => PostgreSql,
            "sqlite" => Sqlite,
            "duckdb" => DuckDb,
            "mysql" => MySql,
            _ => Generic,
        }
    }

    /// Those whose functions and types are known here; of the others little is pushed.
    pub fn is_known(self) -> bool {
        self != Generic
    }

    pub fn identifier(self, name: &str) -> String {
        match self {
            MySql => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    pub fn text(self, text: &str) -> Option<String> {
        if text.contains('\0') {
            return None;
        }
        let quoted = text.replace('\'', "''");
        match (self, text.contains('\\')) {
            // Means the same whether standard_conforming_strings is on or off.
            (PostgreSql, true) => Some(format!("E'{}'", quoted.replace('\\', "\\\\"))),
            // And this whatever sql_mode is; its collation is the connection's, as that of others.
            (MySql, true) => Some(format!("CAST(x'{}' AS CHAR)", hex(text.as_bytes()))),
            (Generic, true) => None,
            _ => Some(format!("'{quoted}'")),
        }
    }

    pub fn literal(self, value: &ScalarValue) -> Option<String> {
        if value.is_null() {
            return Some("NULL".into());
        }
        match value {
            ScalarValue::Boolean(Some(value)) => Some(self.boolean(*value).into()),
            ScalarValue::Int8(Some(value)) => self.integer((*value).into()),
            ScalarValue::Int16(Some(value)) => self.integer((*value).into()),
            ScalarValue::Int32(Some(value)) => self.integer((*value).into()),
            ScalarValue::Int64(Some(value)) => self.integer((*value).into()),
            ScalarValue::UInt8(Some(value)) => self.integer((*value).into()),
            ScalarValue::UInt16(Some(value)) => self.integer((*value).into()),
            ScalarValue::UInt32(Some(value)) => self.integer((*value).into()),
            ScalarValue::UInt64(Some(value)) => self.integer((*value).into()),
            ScalarValue::Float32(Some(value)) => self.float32(*value),
            ScalarValue::Float64(Some(value)) => self.float64(*value),
            ScalarValue::Decimal128(Some(value), _, scale) => self.decimal(*value, *scale),
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)) => self.text(text),
            ScalarValue::Binary(Some(bytes))
            | ScalarValue::LargeBinary(Some(bytes))
            | ScalarValue::BinaryView(Some(bytes)) => self.binary(bytes),
            ScalarValue::Date32(Some(days)) => self.date(*days),
            ScalarValue::TimestampSecond(Some(n), zone) => {
                self.timestamp(n.checked_mul(1_000_000)?, zone.is_some())
            }
            ScalarValue::TimestampMillisecond(Some(n), zone) => {
                self.timestamp(n.checked_mul(1000)?, zone.is_some())
            }
            ScalarValue::TimestampMicrosecond(Some(n), zone) => self.timestamp(*n, zone.is_some()),
            ScalarValue::TimestampNanosecond(Some(n), zone) if n % 1000 == 0 => {
                self.timestamp(n / 1000, zone.is_some())
            }
            _ => None,
        }
    }

    /// NULL of a type. Of one that has none PostgreSQL makes a text where it cannot tell, and MySQL, in groups, bytes.
    pub fn null(self, data_type: &DataType) -> String {
        let name = match self {
            PostgreSql => self.type_name(data_type),
            MySql if data_type.is_signed_integer() || *data_type == DataType::Boolean => {
                Some("SIGNED".into())
            }
            MySql if data_type.is_numeric() => self.type_name(data_type),
            _ => None,
        };
        name.map_or("NULL".into(), |name| format!("CAST(NULL AS {name})"))
    }

    fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Sqlite, true) => "1",
            (Sqlite, false) => "0",
            (_, true) => "TRUE",
            (_, false) => "FALSE",
        }
    }

    fn integer(self, value: i128) -> Option<String> {
        // The least of 64 bits is written as the negative of what does not fit.
        let fits = value.unsigned_abs() <= i64::MAX as u128;
        match (self, fits) {
            (PostgreSql | DuckDb, _) | (_, true) => Some(match value < 0 {
                true => format!("({value})"),
                false => value.to_string(),
            }),
            _ => None,
        }
    }

    fn float64(self, value: f64) -> Option<String> {
        let text = shown(value, format!("{value:?}"));
        match self {
            PostgreSql => Some(format!("CAST('{text}' AS double precision)")),
            DuckDb => Some(format!("CAST('{text}' AS DOUBLE)")),
            // Without an exponent it would be a decimal.
            MySql if value.is_finite() => Some(format!("({value:e})")),
            // Its reader of numbers is exact for so many digits.
            Sqlite if value.is_finite() => {
                let digits = text.split('e').next()?.chars().filter(char::is_ascii_digit).count();
                let small = value == 0.0 || (1e-15..1e15).contains(&value.abs());
                (digits <= 15 && small).then(|| format!("({text})"))
            }
            _ => None,
        }
    }

    fn float32(self, value: f32) -> Option<String> {
        let text = shown(value.into(), format!("{value:?}"));
        match self {
            PostgreSql => Some(format!("CAST('{text}' AS real)")),
            DuckDb => Some(format!("CAST('{text}' AS FLOAT)")),
            _ => None,
        }
    }

    fn decimal(self, value: i128, scale: i8) -> Option<String> {
        let scale = usize::try_from(scale).ok()?;
        if !matches!(self, PostgreSql | DuckDb | MySql) || (self == MySql && scale > 30) {
            return None;
        }
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        Some(match value < 0 {
            true => format!("(-{whole}{point}{fraction})"),
            false => format!("{whole}{point}{fraction}"),
        })
    }

    fn binary(self, bytes: &[u8]) -> Option<String> {
        let digits = hex(bytes);
        match self {
            PostgreSql => Some(format!("decode('{digits}', 'hex')")),
            DuckDb => Some(format!("unhex('{digits}')")),
            Sqlite | MySql => Some(format!("x'{digits}'")),
            _ => None,
        }
    }

    fn date(self, days: i32) -> Option<String> {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
        let date = epoch.checked_add_signed(chrono::TimeDelta::try_days(days.into())?)?;
        if !(1..=9999).contains(&date.year()) {
            return None;
        }
        let text = date.format("%Y-%m-%d");
        match self {
            PostgreSql | DuckDb | MySql => Some(format!("DATE '{text}'")),
            // Dates are texts there.
            Sqlite => Some(format!("'{text}'")),
            _ => None,
        }
    }

    fn timestamp(self, microseconds: i64, zoned: bool) -> Option<String> {
        let moment = DateTime::from_timestamp_micros(microseconds)?;
        if !(1..=9999).contains(&moment.year()) || !matches!(self, PostgreSql | DuckDb | MySql) {
            return None;
        }
        let text = moment.format("%Y-%m-%d %H:%M:%S%.6f");
        Some(match zoned {
            // The connection's zone is UTC.
            true if self != MySql => format!("TIMESTAMPTZ '{text}+00'"),
            _ => format!("TIMESTAMP '{text}'"),
        })
    }

    /// What gives a column of a statement as its driver cannot turn it into another value: MySQL's
    /// date of zeros would be NULL.
    pub fn delivered(self, sql: &str, data_type: &DataType) -> Option<String> {
        let dated = matches!(Kind::of(data_type), Kind::Date | Kind::Timestamp(_));
        (self == MySql && dated).then(|| format!("CAST({sql} AS CHAR)"))
    }

    /// Whether it sorts such values by all of them: MySQL looks at their first kilobyte.
    pub fn sorts(self, kind: Kind) -> bool {
        self != MySql || !matches!(kind, Kind::Text | Kind::Binary)
    }

    /// Terms of ORDER BY.
    pub fn order(self, sql: &str, ascending: bool, nulls_first: bool) -> String {
        let direction = if ascending { "ASC" } else { "DESC" };
        match self {
            // NULL is less than any value.
            MySql if ascending == nulls_first => format!("{sql} {direction}"),
            MySql if nulls_first => format!("{sql} IS NULL DESC, {sql} {direction}"),
            MySql => format!("{sql} IS NULL, {sql} {direction}"),
            _ if nulls_first => format!("{sql} {direction} NULLS FIRST"),
            _ => format!("{sql} {direction} NULLS LAST"),
        }
    }

    /// OFFSET without a limit.
    pub fn skip(self, skip: u64) -> String {
        match self {
            Sqlite => format!(" LIMIT -1 OFFSET {skip}"),
            MySql => format!(" LIMIT {} OFFSET {skip}", u64::MAX),
            _ => format!(" OFFSET {skip}"),
        }
    }

    /// A type to cast to, for the casts that are the engine's own in the backend too.
    pub fn type_name(self, data_type: &DataType) -> Option<String> {
        let name = match (self, data_type) {
            (Sqlite, DataType::Float64) => "REAL",
            (Sqlite, t) if Kind::of(t) == Kind::Text => "TEXT",
            (PostgreSql | DuckDb, DataType::Int8 | DataType::Int16) => "smallint",
            (PostgreSql | DuckDb, DataType::Int32) => "integer",
            (PostgreSql | DuckDb, DataType::Int64) => "bigint",
            (PostgreSql, DataType::Float64) => "double precision",
            (DuckDb, DataType::Float64) => "DOUBLE",
            (PostgreSql, t) if Kind::of(t) == Kind::Text => "text",
            (DuckDb, t) if Kind::of(t) == Kind::Text => "VARCHAR",
            (PostgreSql | DuckDb, DataType::Boolean) => "boolean",
            (PostgreSql | DuckDb, DataType::Date32) => "date",
            (PostgreSql | DuckDb, DataType::Timestamp(unit, None))
                if *unit != TimeUnit::Second && *unit != TimeUnit::Millisecond =>
            {
                "timestamp"
            }
            (PostgreSql, DataType::Decimal128(..)) => "numeric",
            (MySql, DataType::Float64) => "DOUBLE",
            (MySql, t) if Kind::of(t) == Kind::Text => "CHAR",
            (MySql, DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, None)) => {
                "DATETIME(6)"
            }
            (MySql, DataType::Decimal128(_, scale)) if !(0..=30).contains(scale) => return None,
            (DuckDb | MySql, DataType::Decimal128(precision, scale)) => {
                return Some(format!("DECIMAL({precision}, {scale})"));
            }
            _ => return None,
        };
        Some(name.into())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shown(value: f64, finite: String) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        v if v.is_infinite() && v > 0.0 => "Infinity".into(),
        v if v.is_infinite() => "-Infinity".into(),
        _ => finite,
    }
}
