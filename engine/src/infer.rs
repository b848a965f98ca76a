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
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
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
            let schema = match listed.is_json_array() && file.object_meta.size < JSON_ARRAY_CEILING
            {
                true => infer_json_array(state, store, listed, file).await,
                false => match LargeParquet::new(format, state, store, &file.object_meta) {
                    Some(large) => large.schema().await,
                    None => {
                        let metas = std::slice::from_ref(&file.object_meta);
                        let schema = match footer_schema(format, store, &file.object_meta).await {
                            Ok(Some(schema)) => Ok(schema),
                            Ok(None) => format.infer_schema(state, store, metas).await,
                            Err(error) => Err(error),
                        };
                        match format.is::<Encoded>() {
                            true => schema.map_err(|error| prefixed(error, &path_of(file))),
                            false => schema,
                        }
                    }
                },
            };
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
    file: &PartitionedFile,
) -> Result<SchemaRef> {
    let location = &file.object_meta.location;
    let packed = store.get(location).await?.bytes().await?;
    let mut options = listed.options.clone();
    let compression = options.remove("format.compression").unwrap_or_default();
    let compression = FileCompressionType::from_str(&compression)?;
    let mut text = vec![];
    let unpacked = compression.convert_read(std::io::Cursor::new(packed))?;
    unpacked.take(JSON_ARRAY_CEILING).read_to_end(&mut text)?;
    for byte in text.iter_mut().filter(|b| matches!(b, b'\n' | b'\r')) {
        *byte = b' ';
    }
    let one_line: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    one_line.put(location, text.into()).await?;
    let Some(factory) = state.get_file_format_factory(&listed.format) else {
        return plan_err!("the engine has no format {:?}", listed.format);
    };
    let plain = factory.create(state, &options)?;
    plain.infer_schema(state, &one_line, std::slice::from_ref(&file.object_meta)).await
}
