use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray, StringViewArray};

use super::*;

const PAGE: usize = 1 << 20;
const GROUP: usize = 1 << 20;

/// What is said of a column `a` whose value in each row is `value(row)`, and how many rows were looked at.
fn judged(
    n_rows: usize,
    (page, group): (usize, usize),
    value: impl Fn(usize) -> Option<i64>,
    array: impl Fn(Vec<Option<i64>>) -> ArrayRef,
) -> (bool, usize) {
    let batch = |from: usize| {
        let values = (from..n_rows.min(from + 8192)).map(&value).collect();
        RecordBatch::try_from_iter_with_nullable([("a", array(values), true)]).unwrap()
    };
    let mut sample = Sample::new(&batch(0).schema(), page, group);
    let mut seen = 0;
    while sample.goes_on() && seen < n_rows {
        let batch = batch(seen);
        sample.look(&batch).unwrap();
        seen += batch.num_rows();
    }
    (sample.unsuited(seen == n_rows) == ["a"], seen)
}

fn integers(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn texts(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().map(|v| v.map(|v| format!("{v:020}"))).collect::<StringArray>())
}

fn views(values: Vec<Option<i64>>) -> ArrayRef {
    let texts = values.into_iter().map(|v| v.map(|v| format!("{v:020}")));
    Arc::new(texts.collect::<StringViewArray>())
}

#[test]
fn values_that_are_all_different_fill_a_page_and_have_no_dictionary() {
    let all = |row| Some(row as i64);
    assert_eq!(judged(4_000_000, (PAGE, GROUP), all, integers), (true, PAGE / 8));
    assert_eq!(judged(4_000_000, (PAGE / 8, GROUP), all, integers), (true, PAGE / 64));
    let texts_of_a_page = (PAGE / 24).next_multiple_of(8192);
    assert_eq!(judged(4_000_000, (PAGE, GROUP), all, texts), (true, texts_of_a_page));
    assert_eq!(judged(4_000_000, (PAGE, GROUP), all, views), (true, texts_of_a_page));
}

#[test]
fn values_that_fit_in_a_page_have_a_dictionary_although_the_first_rows_differ() {
    for n in [10, 8192, 20_000, PAGE as i64 / 8 - 1] {
        let (unsuited, _) = judged(4_000_000, (PAGE, GROUP), |row| Some(row as i64 % n), integers);
        assert!(!unsuited, "{n} values");
    }
    let (unsuited, _) =
        judged(4_000_000, (PAGE, GROUP), |row| Some((row as i64).min(9000)), integers);
    assert!(!unsuited);
}

#[test]
fn few_values_are_known_after_one_batch() {
    let few = |row| Some(row as i64 % 100);
    assert_eq!(judged(4_000_000, (PAGE, GROUP), few, integers), (false, 8192));
    assert_eq!(judged(4_000_000, (PAGE, GROUP), few, texts), (false, 8192));
}

#[test]
fn a_page_that_fills_slowly_is_worth_its_rows() {
    let (unsuited, seen) = judged(4_000_000, (PAGE, GROUP), |row| Some(row as i64 / 4), integers);
    assert!(!unsuited && seen < GROUP, "{seen}");
}

#[test]
fn of_few_rows_all_are_looked_at() {
    assert_eq!(judged(1000, (PAGE, GROUP), |row| Some(row as i64), integers), (true, 1000));
    assert_eq!(judged(1000, (PAGE, GROUP), |row| Some(row as i64 % 9), integers), (false, 1000));
    assert_eq!(judged(1000, (PAGE, GROUP), |_| None, integers), (false, 1000));
    // The rows of one group are all that a dictionary is of.
    assert_eq!(judged(90_000, (PAGE, 5000), |row| Some(row as i64), integers), (true, 8192));
    assert_eq!(judged(90_000, (PAGE, 5000), |row| Some(row as i64 % 99), integers), (false, 8192));
}

#[test]
fn nulls_are_no_values() {
    let sparse = |row: usize| (row % 10 == 0).then_some(row as i64);
    let (unsuited, seen) = judged(4_000_000, (PAGE / 16, GROUP), sparse, integers);
    assert!(unsuited && seen >= 10 * PAGE / 16 / 8, "{seen}");
}

#[test]
fn a_column_that_is_not_known_in_time_keeps_its_dictionary() {
    let long = |values: Vec<Option<i64>>| -> ArrayRef {
        Arc::new(
            values.into_iter().map(|v| v.map(|v| format!("{v:05000}"))).collect::<StringArray>(),
        )
    };
    let (unsuited, seen) = judged(40_000, (256 * PAGE, GROUP), |row| Some(row as i64), long);
    assert!(!unsuited && seen == 8192, "{seen}");
}

#[test]
fn types_without_dictionaries_are_not_looked_at() {
    let wide = |values: Vec<Option<i64>>| -> ArrayRef {
        let values = values.into_iter().map(|v| v.map(i128::from));
        Arc::new(Decimal128Array::from_iter(values).with_precision_and_scale(38, 0).unwrap())
    };
    assert_eq!(judged(1000, (PAGE, GROUP), |row| Some(row as i64), wide), (false, 0));
}
