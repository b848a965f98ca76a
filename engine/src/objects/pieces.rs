//! A long read of an object, as requests for pieces of it, one after the other. The client's threads take all that a store sends,
//! however slow the reader is: the rest of the object would wait in memory, or its request would last as long as the query.

use std::future::Future;
use std::ops::Range;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{
    Error, GetOptions, GetRange, GetResult, GetResultPayload, Result as StoreResult,
};

use super::blocks::MOST_ASKED;

/// Pieces that are asked for at the same time: the second comes while the first is read.
const AHEAD: usize = 2;

/// What is wanted in all, and its first piece. None: it is one request.
pub fn first(options: &GetOptions) -> Option<(Range<u64>, Range<u64>)> {
    let wanted = match &options.range {
        _ if options.head => return None,
        None => 0..u64::MAX,
        Some(GetRange::Offset(start)) => *start..u64::MAX,
        Some(GetRange::Bounded(range)) => range.clone(),
        Some(GetRange::Suffix(_)) => return None,
    };
    let end = wanted.start.checked_add(MOST_ASKED).filter(|end| *end < wanted.end)?;
    Some((wanted.clone(), wanted.start..end))
}

/// What the first piece begins: all that is wanted. Each of the others is to be of the same version of the object.
pub fn join<F>(
    first: GetResult,
    wanted: Range<u64>,
    fetch: impl Fn(Range<u64>) -> F + Send + 'static,
) -> GetResult
where
    F: Future<Output = StoreResult<GetResult>> + Send + 'static,
{
    let all = wanted.start..wanted.end.min(first.meta.size);
    let GetResult { payload: GetResultPayload::Stream(begin), meta, range, .. } = first else {
        return first;
    };
    let version = meta.clone();
    let same = move |piece: GetResult| {
        let is_same = (piece.meta.size, piece.meta.last_modified, &piece.meta.e_tag)
            == (version.size, version.last_modified, &version.e_tag);
        let path = piece.meta.location.to_string();
        let source = "it was replaced while it was read";
        is_same
            .then(|| piece.into_stream())
            .ok_or(Error::Precondition { path, source: source.into() })
    };
    let end = all.end;
    let starts = (range.end..end).step_by(MOST_ASKED as usize);
    let rest: BoxStream<_> = futures::stream::iter(starts)
        .map(move |start| fetch(start..end.min(start + MOST_ASKED)))
        .buffered(AHEAD)
        .map(move |piece| piece.and_then(&same))
        .try_flatten()
        .boxed();
    let payload = GetResultPayload::Stream(begin.chain(rest).boxed());
    GetResult { payload, meta, range: all, attributes: first.attributes }
}
