//! Decimals that come as texts, as PostgreSQL's driver has them. The general cast takes a text apart
//! into new ones, which costs more than all else that is done with such a column.

use arrow::array::{Array, ArrayRef, Decimal128Array, PrimitiveBuilder, StringArray};
use arrow::datatypes::{DataType, Decimal128Type};
use std::sync::Arc;

/// The values of a column of plain numbers, `-12.50`; None when it holds anything else or something
/// that does not fit, which the general cast then judges.
pub fn from_texts(column: &ArrayRef, into: &DataType) -> Option<ArrayRef> {
    let DataType::Decimal128(precision, into_scale) = into else { return None };
    let texts = column.as_any().downcast_ref::<StringArray>()?;
    let scale = usize::try_from(*into_scale).ok()?;
    let limit = 10i128.checked_pow((*precision).into())?;
    let mut values = PrimitiveBuilder::<Decimal128Type>::with_capacity(texts.len());
    for text in texts {
        match text {
            None => values.append_null(),
            Some(text) => {
                values.append_value(parse(text.as_bytes(), scale).filter(|v| v.abs() < limit)?)
            }
        }
    }
    let values: Decimal128Array = values.finish();
    Some(Arc::new(values.with_precision_and_scale(*precision, *into_scale).ok()?))
}

/// `text` times ten to the power of `scale`.
fn parse(text: &[u8], scale: usize) -> Option<i128> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        text => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[..0]),
    };
    if whole.is_empty() || fraction.len() > scale || whole.len() + scale > 38 {
        return None;
    }
    // Few digits fit into a word, which is much quicker to multiply.
    let value = match whole.len() + scale <= 18 {
        true => {
            let value = digits(whole, 0u64)?;
            let value = digits(fraction, value)?;
            i128::from(value * 10u64.pow((scale - fraction.len()) as u32))
        }
        false => {
            let value = digits(whole, 0u128)?;
            let value = digits(fraction, value)?;
            i128::try_from(value * 10u128.pow((scale - fraction.len()) as u32)).ok()?
        }
    };
    Some(if negative { -value } else { value })
}

fn digits<T>(text: &[u8], start: T) -> Option<T>
where
    T: From<u8> + std::ops::Mul<Output = T> + std::ops::Add<Output = T>,
{
    text.iter().try_fold(start, |value, byte| {
        byte.is_ascii_digit().then(|| value * T::from(10) + T::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    fn cast(texts: Vec<Option<&str>>, precision: u8, scale: i8) -> Option<Vec<Option<i128>>> {
        let column: ArrayRef = Arc::new(StringArray::from(texts));
        let into = DataType::Decimal128(precision, scale);
        let values = from_texts(&column, &into)?;
        assert_eq!(values.data_type(), &into);
        Some(values.as_primitive::<Decimal128Type>().iter().collect())
    }

    #[test]
    fn plain_numbers() {
        let texts = vec![Some("1.50"), Some("-0.01"), None, Some("12"), Some("0")];
        let values = vec![Some(150), Some(-1), None, Some(1200), Some(0)];
        assert_eq!(cast(texts, 15, 2), Some(values));
        let long = "12345678901234567890123456.789012345678";
        let value = 12345678901234567890123456789012345678i128;
        assert_eq!(cast(vec![Some(long)], 38, 12), Some(vec![Some(value)]));
    }

    #[test]
    fn what_is_left_to_the_general_cast() {
        for text in ["", "-", "1e3", "NaN", " 1", "1.234", "1.2.3", ".5", "12345678901234567"] {
            assert_eq!(cast(vec![Some(text)], 15, 2), None, "{text}");
        }
        assert_eq!(cast(vec![Some("100.00")], 4, 2), None);
    }
}
