//! What extensions add to the engine, functions and encodings of files, and how its sessions get to know it.

use std::sync::{Arc, Mutex};

use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use parking_lot::RwLock;

use crate::bindings::*;
use crate::encodings::Encoding;
use crate::error::{Result, coded};
use crate::functions::{Aggregate, Scalar, built_in};

#[derive(Clone)]
enum Addition {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Encoding(Encoding),
}

/// Those that were added, in the order in which they came. None is ever taken out.
#[derive(Default)]
pub struct Additions(Mutex<Vec<Addition>>);

impl Additions {
    /// All or none.
    pub fn add(&self, additions: &[wr_addition]) -> Result<()> {
        let mut all = self.0.lock().unwrap();
        let mut added = vec![];
        for addition in additions {
            // C knows which extensions of names are free.
            if let Some(encoding) = unsafe { addition.encoding.as_ref() } {
                added.push(Addition::Encoding(Encoding::new(encoding)));
                continue;
            }
            let function = match unsafe { (addition.scalar.as_ref(), addition.aggregate.as_ref()) }
            {
                (Some(scalar), _) => Addition::Scalar(Arc::new(Scalar::new(scalar)?.into())),
                (None, Some(one)) => Addition::Aggregate(Arc::new(Aggregate::new(one)?.into())),
                (None, None) => {
                    return Err(coded(WEIR_INVALID_ARGUMENT, "22004", "a function is required"));
                }
            };
            let name = function.name();
            let is_taken = name.is_some_and(|name| built_in().contains(name))
                || all.iter().chain(&added).any(|other| other.name() == name);
            if is_taken {
                let name = name.unwrap_or_default();
                let text = format!("there is a function {name:?} already");
                return Err(coded(WEIR_ALREADY_EXISTS, "42710", text));
            }
            added.push(function);
        }
        all.append(&mut added);
        Ok(())
    }

    /// Gives a session those that it has not; `n_known` is how many it has.
    pub fn teach(&self, n_known: &mut usize, state: impl FnOnce() -> Arc<RwLock<SessionState>>) {
        let new = match self.0.lock().unwrap().get(*n_known..) {
            Some(new) if !new.is_empty() => new.to_vec(),
            _ => return,
        };
        let state = state();
        let mut state = state.write();
        for addition in &new {
            // Fails for states that take no functions, which the engine's do.
            let _ = match addition {
                Addition::Scalar(function) => state.register_udf(function.clone()).map(drop),
                Addition::Aggregate(function) => state.register_udaf(function.clone()).map(drop),
                Addition::Encoding(encoding) => {
                    let mut factories = encoding.factories().into_iter();
                    factories.try_for_each(|factory| state.register_file_format(factory, false))
                }
            };
        }
        *n_known += new.len();
    }
}

impl Addition {
    /// By which SQL calls it.
    fn name(&self) -> Option<&str> {
        match self {
            Addition::Scalar(function) => Some(function.name()),
            Addition::Aggregate(function) => Some(function.name()),
            Addition::Encoding(_) => None,
        }
    }
}
