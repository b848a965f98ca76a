//! Where requests may go: C says which addresses a name may stand for, and where an answer may send on to. Both are
//! asked where the connection is made, so that no name means one thing when it is looked at and another when it is used.

use std::error::Error as StdError;
use std::ffi::CString;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::DataFusionError;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::{ClientConfigKey, ClientOptions, Error as StoreError, Result as StoreResult};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};

use crate::bindings::*;
use crate::error::coded;

/// What C's wr_guard says.
#[derive(Clone, Copy)]
pub struct Guard(wr_guard);

// The contract of wr_guard: callable from any thread.
unsafe impl Send for Guard {}
unsafe impl Sync for Guard {}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

/// A request that was not sent.
#[derive(Debug, Clone)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refused {}

fn refusal<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Refused> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        at = error.source();
    }
    None
}

/// The same as an error of the object.
pub fn refused(error: &StoreError, name: &str) -> Option<DataFusionError> {
    let text = format!("permission denied: {name}: {}", refusal(error)?);
    Some(coded(WEIR_UNAUTHORIZED, "42501", text))
}

/// Of a request that would go without TLS.
pub fn without_tls(authority: &str) -> HttpError {
    let text =
        format!("http://{authority} has no TLS; the store's option allow_http 'true' allows that");
    HttpError::new(HttpErrorKind::Unknown, Refused(text))
}

/// What is refused is not asked again.
pub fn at_once(error: HttpError) -> HttpError {
    match refusal(&error).cloned() {
        Some(refused) => HttpError::new(HttpErrorKind::Unknown, refused),
        None => error,
    }
}

impl Guard {
    pub fn new(guard: *const wr_guard) -> Option<Guard> {
        unsafe { guard.as_ref() }.copied().map(Guard)
    }

    fn may_reach(&self, host: &str, address: IpAddr) -> bool {
        let Some(ask) = self.0.address else { return true };
        let (Ok(host), Ok(address)) = (CString::new(host), CString::new(address.to_string()))
        else {
            return false;
        };
        unsafe { ask(self.0.context, host.as_ptr(), address.as_ptr()) != 0 }
    }

    fn may_follow(&self, url: &str) -> bool {
        let (Some(ask), Ok(url)) = (self.0.redirect, CString::new(url)) else { return false };
        unsafe { ask(self.0.context, url.as_ptr()) != 0 }
    }

    fn follow(&self, attempt: Attempt<'_>) -> reqwest::redirect::Action {
        let url = attempt.url();
        let (host, scheme) = (url.host_str().unwrap_or_default(), url.scheme());
        if attempt.previous().len() > 10 {
            return attempt.error(Refused("its server sends on and on".into()));
        }
        if scheme != "https" && attempt.previous().last().is_some_and(|url| url.scheme() == "https")
        {
            return attempt.error(Refused("its server sends on to a place without TLS".into()));
        }
        if self.may_follow(url.as_str()) {
            return attempt.follow();
        }
        let text = format!("its server sends on to {host}, which may not be read (policy.hosts)");
        attempt.error(Refused(text))
    }
}

/// The client of these options, as the store library makes it, with what is asked here. The machine's certificates, hundreds of
/// files, are not read where they are not needed.
pub fn client(
    guard: Option<Guard>,
    options: &ClientOptions,
    has_tls: bool,
) -> StoreResult<reqwest::Client> {
    let wrong = |source: Box<dyn StdError + Send + Sync>| StoreError::Generic {
        store: "HTTP client",
        source,
    };
    let text = |key: ClientConfigKey| options.get_config_value(&key);
    let is = |key: ClientConfigKey| text(key).is_some_and(|value| value == "true");
    let time = |key: ClientConfigKey| text(key).and_then(|value| seconds(&value));
    let mut builder = reqwest::Client::builder()
        .user_agent(text(ClientConfigKey::UserAgent).unwrap_or_else(|| "weir".into()))
        .tls_built_in_root_certs(has_tls)
        .https_only(!is(ClientConfigKey::AllowHttp))
        .danger_accept_invalid_certs(is(ClientConfigKey::AllowInvalidCertificates));
    if let Some(guard) = guard {
        builder = builder
            .redirect(Policy::custom(move |attempt| guard.follow(attempt)))
            .dns_resolver(Arc::new(Resolver(guard)));
    }
    if let Some(time) = time(ClientConfigKey::Timeout) {
        builder = builder.timeout(time);
    }
    if let Some(time) = time(ClientConfigKey::ConnectTimeout) {
        builder = builder.connect_timeout(time);
    }
    if let Some(time) = time(ClientConfigKey::PoolIdleTimeout) {
        builder = builder.pool_idle_timeout(time);
    }
    if let Some(n) = text(ClientConfigKey::PoolMaxIdlePerHost).and_then(|n| n.parse().ok()) {
        builder = builder.pool_max_idle_per_host(n);
    }
    if let Some(proxy) = text(ClientConfigKey::ProxyUrl) {
        let mut proxy = reqwest::Proxy::all(proxy).map_err(|e| wrong(e.into()))?;
        if let Some(not) = text(ClientConfigKey::ProxyExcludes) {
            proxy = proxy.no_proxy(reqwest::NoProxy::from_string(&not));
        }
        builder = builder.proxy(proxy);
    }
    if let Some(pem) = text(ClientConfigKey::ProxyCaCertificate) {
        let pem = reqwest::tls::Certificate::from_pem(pem.as_bytes());
        builder = builder.add_root_certificate(pem.map_err(|e| wrong(e.into()))?);
    }
    if is(ClientConfigKey::Http1Only) {
        builder = builder.http1_only();
    }
    builder.build().map_err(|e| wrong(e.into()))
}

/// "30s", "1m 30s", "500ms", as the options give times back.
fn seconds(text: &str) -> Option<Duration> {
    text.split_whitespace().try_fold(Duration::ZERO, |sum, part| {
        let end = part.find(|c: char| !c.is_ascii_digit())?;
        let n: u64 = part[..end].parse().ok()?;
        let unit = match &part[end..] {
            "ms" => Duration::from_millis(1),
            "us" => Duration::from_micros(1),
            "ns" => Duration::from_nanos(1),
            "s" | "sec" | "secs" | "second" | "seconds" => Duration::from_secs(1),
            "m" | "min" | "mins" | "minute" | "minutes" => Duration::from_secs(60),
            "h" | "hr" | "hrs" | "hour" | "hours" => Duration::from_secs(3600),
            "d" | "day" | "days" => Duration::from_secs(86400),
            _ => return None,
        };
        Some(sum + unit.checked_mul(u32::try_from(n).ok()?)?)
    })
}

struct Resolver(Guard);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            let host = name.as_str().to_string();
            let look_up = tokio::task::spawn_blocking(move || {
                let found: Vec<SocketAddr> = (host.as_str(), 0).to_socket_addrs()?.collect();
                // Which of them is taken is not said here: one that may not be asked is enough.
                match found.iter().find(|found| !guard.may_reach(&host, found.ip())) {
                    None => Ok(found),
                    Some(bad) => {
                        let text = format!(
                            "{host} has the address {}, which is not a public one; list that in policy.hosts if it is meant",
                            bad.ip()
                        );
                        Err(Box::new(Refused(text)) as Box<dyn StdError + Send + Sync>)
                    }
                }
            });
            Ok(Box::new(look_up.await??.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use std::time::Duration;

    #[test]
    fn times_of_options_are_read() {
        let times = [("30s", 30_000), ("1m 30s", 90_000), ("500ms", 500), ("2h", 7_200_000)];
        for (text, ms) in times {
            assert_eq!(seconds(text), Some(Duration::from_millis(ms)));
        }
        assert_eq!(seconds("soon"), None);
    }
}
