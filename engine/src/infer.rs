//! The schema of a list of files, where none is declared.

use std::collections::HashMap;
use std::io::Read;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::read_footer_length;
use arrow::ipc::root_as_footer;
use datafusion::common::plan_err;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::{DEFAULT_SCHEMA_INFER_MAX_RECORD, FileFormat};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::SessionState;
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::bindings::WEIR_INVALID_DATA;
use crate::encodings::Encoded;
use crate::error::{Result, coded, prefixed};
use crate::files::{Listed, META_CONCURRENCY};
use crate::large_parquet::LargeParquet;
use crate::named_source::{in_file, path_of};

/// A JSON array larger than this, in bytes, is left to the engine's own inference.
const JSON_ARRAY_CEILING: u64 = 256 << 20;

/// The union by name of all files' schemas, each column in a type that holds all of its files'
/// values.
pub async fn infer(
    state: &SessionState,
    store: &Arc<dyn ObjectStore>,
    format: &Arc<dyn FileFormat>,
    listed: &Listed,
) -> Result<SchemaRef> {
    let (files, partition_columns) = (&listed.files, &listed.partition_columns);
    let schemas: Vec<SchemaRef> = futures::stream::iter(files)
        .map(|file| async move {
            let schema = infer_file(state, store, format, listed, file).await;
            schema.map_err(|error| in_file(error, &path_of(file)))
        })
        .boxed()
        .buffered(META_CONCURRENCY)
        .try_collect()
        .await?;
    // Each with the first file that has it, and how many have it.
    let mut fields: Vec<(Field, usize, usize)> = vec![];
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, schema) in schemas.iter().enumerate() {
        for field in schema.fields() {
            if partition_columns.iter().any(|p| p.name() == field.name()) {
                continue; // the path says it
            }
            let Some(place) = places.get(field.name()) else {
                places.insert(field.name().clone(), fields.len());
                fields.push((field.as_ref().clone(), at, 1));
                continue;
            };
            let (known, first, count) = &mut fields[*place];
            *count += 1;
            let Some(data_type) = union_type(known.data_type(), field.data_type()) else {
                return Err(coded(
                    WEIR_INVALID_DATA,
                    "42804",
                    format!(
                        "column {:?} is {} in /{} and {} in /{}",
                        field.name(),
                        known.data_type(),
                        files[*first].object_meta.location,
                        field.data_type(),
                        files[at].object_meta.location
                    ),
                ));
            };
            let nullable = known.is_nullable() || field.is_nullable();
            *known = known.clone().with_data_type(data_type).with_nullable(nullable);
        }
    }
    let metadata = schemas.first().map(|s| s.metadata().clone()).unwrap_or_default();
    let fields: Vec<Field> = fields
        .into_iter()
        .map(|(field, _, count)| {
            let nullable = field.is_nullable() || count < schemas.len();
            field.with_nullable(nullable)
        })
        .collect();
    Ok(Schema::new_with_metadata(fields, metadata).into())
}

async fn infer_file(
    state: &SessionState,
    store: &Arc<dyn ObjectStore>,
    format: &Arc<dyn FileFormat>,
    listed: &Listed,
    file: &PartitionedFile,
) -> Result<SchemaRef> {
    let meta = &file.object_meta;
    if listed.is_json_array() && meta.size < JSON_ARRAY_CEILING {
        return infer_json_array(state, store, listed, meta).await;
    }
    if listed.format == "json" && !listed.is_json_array() && listed.is_stored() {
        return infer_json_lines(state, store, listed, meta).await;
    }
    if let Some(large) = LargeParquet::new(format, state, store, meta) {
        return large.schema().await;
    }
    if let Some(schema) = footer_schema(format, store, meta).await? {
        return Ok(schema);
    }
    let schema = format.infer_schema(state, store, std::slice::from_ref(meta)).await;
    match format.is::<Encoded>() {
        true => schema.map_err(|error| prefixed(error, &path_of(file))),
        false => schema,
    }
}

/// Of an Arrow file, which has it at its end too. From a store the engine reads the beginning, and takes
/// the padding there to be shorter than it may be.
async fn footer_schema(
    format: &Arc<dyn FileFormat>,
    store: &Arc<dyn ObjectStore>,
    file: &ObjectMeta,
) -> Result<Option<SchemaRef>> {
    const TAIL: u64 = 10; // the footer's length and a magic number
    if format.downcast_ref::<ArrowFormat>().is_none() || file.size < TAIL {
        return Ok(None);
    }
    let end = file.size - TAIL;
    let tail = store.get_range(&file.location, end..file.size).await?;
    let length = <[u8; 10]>::try_from(tail.as_ref()).ok().map(read_footer_length);
    let Some(Ok(length)) = length else { return Ok(None) }; // a stream
    let Some(start) = end.checked_sub(length as u64) else { return Ok(None) };
    let footer = store.get_range(&file.location, start..end).await?;
    let footer = root_as_footer(&footer)
        .map_err(|e| ArrowError::IpcError(format!("cannot read the footer: {e}")))?;
    Ok(footer.schema().map(|schema| Arc::new(fb_to_schema(schema))))
}

/// A type that holds the values of both, if there is one. Structs are united by name, at any depth.
fn union_type(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{FixedSizeList, LargeList, List, Struct};
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (List(l), List(r)) => union_field(l, r).map(List),
        (LargeList(l), LargeList(r)) => union_field(l, r).map(LargeList),
        (FixedSizeList(l, n), FixedSizeList(r, m)) if n == m => {
            union_field(l, r).map(|item| FixedSizeList(item, *n))
        }
        (Struct(left), Struct(right)) => {
            let mut fields = vec![];
            for l in left {
                fields.push(match right.iter().find(|r| r.name() == l.name()) {
                    Some(r) => union_field(l, r)?,
                    None => Arc::new(l.as_ref().clone().with_nullable(true)),
                });
            }
            for r in right.iter().filter(|r| left.iter().all(|l| l.name() != r.name())) {
                fields.push(Arc::new(r.as_ref().clone().with_nullable(true)));
            }
            Some(Struct(fields.into()))
        }
        _ => type_union_resolution(&[left.clone(), right.clone()]),
    }
}

fn union_field(left: &FieldRef, right: &FieldRef) -> Option<FieldRef> {
    let data_type = union_type(left.data_type(), right.data_type())?;
    let nullable = left.is_nullable() || right.is_nullable();
    Some(Arc::new(left.as_ref().clone().with_data_type(data_type).with_nullable(nullable)))
}

/// The engine infers a JSON array's schema line by line, and so cannot read an object of several
/// lines. It gets the text, unpacked, on one line: outside of strings a line end is a blank, and
/// inside JSON has none.
async fn infer_json_array(
    state: &SessionState,
    store: &Arc<dyn ObjectStore>,
    listed: &Listed,
    file: &ObjectMeta,
) -> Result<SchemaRef> {
    let packed = store.get(&file.location).await?.bytes().await?;
    let mut text = vec![];
    let unpacked = compression(listed)?.convert_read(std::io::Cursor::new(packed))?;
    unpacked.take(JSON_ARRAY_CEILING).read_to_end(&mut text)?;
    for byte in text.iter_mut().filter(|b| matches!(b, b'\n' | b'\r')) {
        *byte = b' ';
    }
    infer_text(state, listed, file, text).await
}

/// From a store the engine gets all lines to infer the schema from the first. It gets no more than these.
async fn infer_json_lines(
    state: &SessionState,
    store: &Arc<dyn ObjectStore>,
    listed: &Listed,
    file: &ObjectMeta,
) -> Result<SchemaRef> {
    let most = listed.options.get("format.schema_infer_max_rec");
    let most = most.and_then(|most| most.parse().ok()).unwrap_or(DEFAULT_SCHEMA_INFER_MAX_RECORD);
    let packed = store.get(&file.location).await?.into_stream();
    let mut unpacked = compression(listed)?.convert_stream(packed.err_into().boxed())?;
    let (mut text, mut n_lines) = (vec![], 0);
    while n_lines < most
        && let Some(bytes) = unpacked.try_next().await?
    {
        let seen = text.len();
        text.extend_from_slice(&bytes);
        let is_end = |at: &usize| text[*at] == b'\n' && *at > 0 && text[*at - 1] != b'\n';
        n_lines += (seen..text.len()).filter(is_end).count();
    }
    if n_lines >= most {
        text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    }
    infer_text(state, listed, file, text).await
}

fn compression(listed: &Listed) -> Result<FileCompressionType> {
    let named = listed.options.get("format.compression").map(String::as_str);
    FileCompressionType::from_str(named.unwrap_or_default())
}

/// As the engine infers it from a file with this text, which is not packed.
async fn infer_text(
    state: &SessionState,
    listed: &Listed,
    file: &ObjectMeta,
    text: Vec<u8>,
) -> Result<SchemaRef> {
    let alone: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    alone.put(&file.location, text.into()).await?;
    let Some(factory) = state.get_file_format_factory(&listed.format) else {
        return plan_err!("the engine has no format {:?}", listed.format);
    };
    let mut options = listed.options.clone();
    options.remove("format.compression");
    let plain = factory.create(state, &options)?;
    plain.infer_schema(state, &alone, std::slice::from_ref(file)).await
}
