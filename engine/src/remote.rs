//! The REMOTE form: whole parts of a plan, as SQL, for the database where the tables are.

mod casts;
mod change;
mod dialect;
mod expr;
mod functions;
mod keys;
mod like;
mod node;
mod push;
mod relation;
mod shared;
mod source;
mod table;
mod written;

pub use change::change;
pub use keys::AwaitKeys;
pub use node::{Planner, read_whole, reader};
pub use push::remote_table;
pub use relation::{Aliases, Relation};
pub use table::RemoteTable;
pub use written::{AsWritten, whole};
