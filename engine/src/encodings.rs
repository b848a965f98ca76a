// SPDX-License-Identifier: Apache-2.0
//! Encodings of files that extensions bring, as formats of the engine: what lists, prunes by
//! partitions, stages and commits files of other formats does so with theirs.

mod reading;
mod writing;

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, GetExt, Statistics};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::{FileFormat, FileFormatFactory};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSinkConfig, FileSource};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_datasource::TableSchema;
use object_store::{ObjectMeta, ObjectStore};

use crate::bindings::*;
use crate::catalog::slice;
use crate::error::{Result, coded};
use crate::foreign::{Private, Who, name_of};

/// A checked `struct weir_encoding`.
#[derive(Clone)]
pub struct Encoding {
    name: Arc<str>,
    c: weir_encoding,
}

// The slots may be called from any thread.
unsafe impl Send for Encoding {}
unsafe impl Sync for Encoding {}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Encoding {
    pub fn new(c: &weir_encoding) -> Encoding {
        Encoding { name: unsafe { name_of(c.name) }.into(), c: *c }
    }

    /// Its name and its suffixes: the extensions of names that it is known by.
    pub fn extensions(&self) -> Vec<String> {
        let mut extensions = vec![self.name.to_string()];
        let mut at = self.c.suffixes;
        while !at.is_null() && unsafe { !(*at).is_null() } {
            extensions.push(unsafe { name_of(*at) });
            at = unsafe { at.add(1) };
        }
        extensions
    }

    /// How sessions get to know it: one for each of its extensions.
    pub fn factories(&self) -> Vec<Arc<dyn FileFormatFactory>> {
        let factory = |extension| Factory { encoding: self.clone(), extension };
        self.extensions().into_iter().map(|e| Arc::new(factory(e)) as _).collect()
    }

    fn who(&self) -> Who<'_> {
        Who("encoding", &self.name)
    }

    fn private(&self) -> Private {
        Private(self.c.private_data)
    }

    /// Those that it has, of their types; in order, so that the same ones are the same.
    fn options(&self, given: &HashMap<String, String>) -> Result<Options> {
        let known = unsafe { slice(self.c.options, self.c.n_options) };
        let wrong = |text: String| {
            let text = format!("encoding {}: {text}", self.name);
            coded(WEIR_INVALID_ARGUMENT, "22023", text)
        };
        let mut options = vec![];
        for (key, value) in given {
            let Some(key) = key.strip_prefix("format.") else {
                return Err(wrong(format!("unknown option {key:?}")));
            };
            let names = || known.iter().map(|spec| (unsafe { name_of(spec.name) }, spec.type_));
            let Some((name, of_type)) = names().find(|(name, _)| name.eq_ignore_ascii_case(key))
            else {
                let known: Vec<_> = names().map(|(name, _)| name).collect();
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                return Err(wrong(format!("unknown option {key:?}; known: {known}")));
            };
            let (is_good, wanted) = match of_type as u32 {
                WEIR_OPTION_INTEGER => (value.parse::<i64>().is_ok(), "a whole number"),
                WEIR_OPTION_BOOLEAN => (matches!(&**value, "true" | "false"), "true or false"),
                _ => (true, ""),
            };
            if !is_good {
                return Err(wrong(format!("option {name:?} is {value:?}, not {wanted}")));
            }
            options.push((name, value.clone()));
        }
        let is_given = |name: &str| options.iter().any(|(given, _)| given == name);
        let mut required = known.iter().filter(|spec| spec.required != 0);
        let required = required.find(|spec| !is_given(&unsafe { name_of(spec.name) }));
        if let Some(spec) = required {
            let name = unsafe { name_of(spec.name) };
            return Err(wrong(format!("option {name:?} is missing: give format.{name}")));
        }
        options.sort();
        Options::new(options)
    }
}

/// Options as C takes them, and what they point to.
struct Options {
    c: Vec<weir_option>,
    _texts: Vec<(CString, CString)>,
}

// Nothing of them is ever changed.
unsafe impl Send for Options {}
unsafe impl Sync for Options {}

impl Options {
    fn new(options: Vec<(String, String)>) -> Result<Options> {
        let text = |text: String| {
            CString::new(text)
                .map_err(|_| coded(WEIR_INVALID_ARGUMENT, "22021", "an option's value holds a NUL"))
        };
        let mut texts = vec![];
        for (key, value) in options {
            texts.push((text(key)?, text(value)?));
        }
        let c = texts.iter().map(|(k, v)| weir_option { key: k.as_ptr(), value: v.as_ptr() });
        Ok(Options { c: c.collect(), _texts: texts })
    }
}

#[derive(Debug)]
struct Factory {
    encoding: Encoding,
    extension: String,
}

impl GetExt for Factory {
    fn get_ext(&self) -> String {
        self.extension.clone()
    }
}

impl FileFormatFactory for Factory {
    fn create(
        &self,
        _state: &dyn Session,
        options: &HashMap<String, String>,
    ) -> Result<Arc<dyn FileFormat>> {
        let options = self.encoding.options(options)?;
        Ok(self.format(options))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        self.format(Options { c: vec![], _texts: vec![] })
    }
}

impl Factory {
    fn format(&self, options: Options) -> Arc<dyn FileFormat> {
        let format = Format { encoding: self.encoding.clone(), options: Arc::new(options) };
        Arc::new(Encoded { format, extension: self.extension.clone() })
    }
}

/// An encoding with its options.
#[derive(Clone)]
struct Format {
    encoding: Encoding,
    options: Arc<Options>,
}

/// The format of files with one of its extensions.
pub struct Encoded {
    format: Format,
    extension: String,
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format.encoding.fmt(f)
    }
}

#[async_trait]
impl FileFormat for Encoded {
    fn get_ext(&self) -> String {
        self.extension.clone()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        match compression.is_compressed() {
            false => Ok(self.get_ext()),
            true => {
                let text = format!("files of the encoding {} are not compressed", self.extension);
                Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text))
            }
        }
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let [object] = objects else {
            return Err(DataFusionError::Internal("schemas are told file by file".into()));
        };
        reading::schema(self.format.clone(), store.clone(), object.clone()).await
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _object: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(
        &self,
        _state: &dyn Session,
        config: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        _state: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let refuse = |text: String| Err(coded(WEIR_NOT_IMPLEMENTED, "0A000", text));
        let name = &self.format.encoding.name;
        if self.format.encoding.c.write.is_none() {
            return refuse(format!("the encoding {name} is read only: it has no `write`"));
        }
        if config.insert_op != InsertOp::Append {
            return refuse(format!("files of the encoding {name} are not overwritten"));
        }
        let sink = writing::Sink::new(self.format.clone(), config);
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(reading::Source::new(self.format.clone(), schema))
    }
}
