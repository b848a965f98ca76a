//! `SET weir.pushdown = off`: backends give rows, and all else is computed here.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};

use crate::bindings::WEIR_INVALID_ARGUMENT;
use crate::error::{Result, coded};

#[derive(Debug, Clone)]
pub struct Options {
    pushdown: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { pushdown: true }
    }
}

pub fn pushdown(options: &ConfigOptions) -> bool {
    options.extensions.get::<Options>().is_none_or(|options| options.pushdown)
}

impl ConfigExtension for Options {
    const PREFIX: &'static str = "weir";
}

impl ExtensionOptions for Options {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if key != "pushdown" {
            let text = format!("unknown setting \"weir.{key}\": there is weir.pushdown");
            return Err(coded(crate::bindings::WEIR_NOT_FOUND, "42704", text));
        }
        self.pushdown = match value.to_ascii_lowercase().as_str() {
            "on" | "true" | "1" => true,
            "off" | "false" | "0" => false,
            other => {
                let text = format!("weir.pushdown is on or off, not \"{other}\"");
                return Err(coded(WEIR_INVALID_ARGUMENT, "22023", text));
            }
        };
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        vec![ConfigEntry {
            key: format!("{}.pushdown", Self::PREFIX),
            value: Some(if self.pushdown { "on" } else { "off" }.into()),
            description: "whether parts of a query are run by the databases of their tables",
        }]
    }
}
