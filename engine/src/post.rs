//! What C sends to a web server, such as a collector of spans.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::bindings::*;
use crate::catalog::{options, slice, text};
use crate::error::{Result, coded};
use crate::runtime::{Engine, check_thread};

/// The machine's certificates, hundreds of files, are read for TLS alone.
fn client(url: &str) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().user_agent("weir").redirect(Policy::none());
    builder.tls_built_in_root_certs(url.starts_with("https:")).build()
}

/// The status of the answer.
pub fn post(engine: &Engine, post: &wr_post) -> Result<u16> {
    check_thread()?;
    let url = text(post.url).unwrap_or_default();
    let failed = |error: reqwest::Error| {
        let code = if error.is_timeout() { WEIR_TIMEOUT } else { WEIR_IO };
        coded(code, "58030", format!("cannot post: {}", error.without_url()))
    };
    let client = engine.poster.get_or_init(|| client(&url).ok());
    let client =
        client.as_ref().ok_or_else(|| coded(WEIR_IO, "58030", "there is no HTTP client"))?;
    let body = unsafe { slice(post.body.cast::<u8>(), post.length) }.to_vec();
    let timeout = Duration::from_millis(u64::try_from(post.timeout_ms).unwrap_or(0));
    let mut request = client.post(&url).timeout(timeout).body(body);
    for (name, value) in options(post.headers, post.n_headers) {
        request = request.header(name, value);
    }
    let (io, ending) = (engine.io()?, engine.ending());
    io.block_on(ending.or(async { Ok(request.send().await.map_err(failed)?.status().as_u16()) }))
}
