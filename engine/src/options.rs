//! weir's own settings of a session: `SET weir.NAME = VALUE`.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};

use crate::bindings::{WEIR_INVALID_ARGUMENT, WEIR_NOT_FOUND};
use crate::error::{Result, coded};

#[derive(Debug, Clone)]
pub struct Options {
    /// Off: backends give rows, and all else is computed here.
    pub pushdown: bool,
    /// Off: each statement is planned, whatever was planned before.
    pub plan_cache: bool,
    /// Results have neither views, dictionaries nor runs: what every reader of Arrow knows.
    pub plain_types: bool,
    /// Bytes that one statement's operators may hold; 0: as many as there are.
    pub statement_memory: usize,
    /// Milliseconds after which an execution ends; 0: never.
    pub statement_timeout: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            pushdown: true,
            plan_cache: true,
            plain_types: false,
            statement_memory: 0,
            statement_timeout: 0,
        }
    }
}

const NAMES: [&str; 5] =
    ["pushdown", "plan_cache", "result_types", "statement_memory", "statement_timeout"];

impl Options {
    pub fn of(options: &ConfigOptions) -> Options {
        options.extensions.get::<Options>().cloned().unwrap_or_default()
    }
}

impl ConfigExtension for Options {
    const PREFIX: &'static str = "weir";
}

/// A number with a unit.
fn measured(text: &str, unit: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = unit(text[digits.len()..].trim())?;
    digits.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// Of a number with a unit, or of milliseconds.
pub fn milliseconds(text: &str) -> Option<u64> {
    measured(text, |unit| match unit {
        "" | "ms" => Some(1),
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    })
}

/// Of a number with a unit, or of bytes.
pub fn bytes(text: &str) -> Option<u64> {
    measured(text, |unit| match unit {
        "" | "B" => Some(1),
        "KB" => Some(1000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    })
}

fn switch(key: &str, word: &str, value: &str) -> Result<bool> {
    match word {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err(wrong(key, "on or off", value)),
    }
}

fn shown(is_on: bool) -> String {
    if is_on { "on".into() } else { "off".into() }
}

fn wrong(key: &str, wanted: &str, value: &str) -> datafusion::common::DataFusionError {
    coded(WEIR_INVALID_ARGUMENT, "22023", format!("weir.{key} is {wanted}, not \"{value}\""))
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
        let word = value.to_ascii_lowercase();
        match key {
            "pushdown" => self.pushdown = switch(key, &word, value)?,
            "plan_cache" => self.plan_cache = switch(key, &word, value)?,
            "result_types" => {
                self.plain_types = match &*word {
                    "native" => false,
                    "plain" => true,
                    _ => return Err(wrong(key, "native or plain", value)),
                }
            }
            "statement_memory" => {
                let bytes = word.parse().map_err(|_| wrong(key, "a number of bytes", value))?;
                self.statement_memory = bytes;
            }
            "statement_timeout" => {
                let wanted = "a time such as 500ms, 30s or 5min";
                let ms = milliseconds(&word).ok_or_else(|| wrong(key, wanted, value))?;
                self.statement_timeout = ms;
            }
            _ => {
                let known = NAMES.map(|name| format!("weir.{name}")).join(", ");
                let text = format!("unknown setting \"weir.{key}\": there are {known}");
                return Err(coded(WEIR_NOT_FOUND, "42704", text));
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let values = [
            shown(self.pushdown),
            shown(self.plan_cache),
            if self.plain_types { "plain".into() } else { "native".to_string() },
            self.statement_memory.to_string(),
            format!("{}ms", self.statement_timeout),
        ];
        let descriptions = [
            "whether parts of a query are run by the databases of their tables",
            "whether the plan of a query over databases is kept for the next time that it is asked",
            "plain: results have neither views, dictionaries nor runs",
            "bytes that the operators of one statement may hold before they spill; 0: as many as there are",
            "an execution that takes longer is ended; 0: none is",
        ];
        let all = NAMES.iter().zip(values).zip(descriptions);
        all.map(|((name, value), description)| ConfigEntry {
            key: format!("{}.{name}", Self::PREFIX),
            value: Some(value),
            description,
        })
        .collect()
    }
}
