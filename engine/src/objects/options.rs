//! The options of a store, which C hands over as texts.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

use crate::bindings::*;
use crate::catalog::{c_text, options, text};
use crate::error::{Result, coded};

use super::credentials::Calls;
use super::guard::Guard;

/// Name, what it is.
type Known = (&'static str, &'static str);

/// Of every store that is reached by HTTP.
const CLIENT: [Known; 21] = [
    ("allow_http", "true: HTTP without TLS is allowed"),
    ("allow_invalid_certificates", "true: certificates are not checked"),
    ("backoff_config.init_backoff", "the first pause before a request is tried again (100ms)"),
    ("backoff_config.max_backoff", "the longest such pause (15s)"),
    ("byte_rate", "bytes a second, at most (no limit)"),
    ("concurrency", "requests that are under way at the same time, at most (64)"),
    ("connect_timeout", "how long connecting may take (5s)"),
    ("hedge_after", "a small read that is not answered for so long is asked a second time (never)"),
    ("http1_only", "true: HTTP/1.1 only"),
    ("http2_only", "true: HTTP/2 only"),
    ("max_retries", "how often a request is tried again (10)"),
    ("pool_idle_timeout", "how long an idle connection is kept"),
    ("pool_max_idle_per_host", "idle connections that are kept"),
    ("proxy_ca_certificate", "PEM certificate of the proxy"),
    ("proxy_excludes", "hosts that the proxy is not used for"),
    ("proxy_url", "URL of an HTTP proxy"),
    ("randomize_addresses", "true: a host's addresses take turns"),
    ("request_rate", "requests a second, at most (no limit)"),
    ("retry_timeout", "after so long nothing is tried again (3min)"),
    ("timeout", "how long one request may take with its answer (30s)"),
    ("user_agent", "what the store is told of the client"),
];

const S3: [Known; 29] = [
    ("access_key_id", "the key's public part"),
    ("checksum_algorithm", "sha256: parts are sent with it"),
    ("conditional_put", "etag or disabled"),
    ("container_credentials_full_uri", "where a container gets credentials"),
    ("container_credentials_relative_uri", "the same, at the address of ECS"),
    ("container_authorization_token", "the token for it"),
    ("container_authorization_token_file", "a file with the token for it"),
    ("copy_if_not_exists", "header:NAME:VALUE, header-with-status:..., or multipart"),
    ("disable_tagging", "true: objects are not tagged"),
    ("endpoint", "URL of the service"),
    ("endpoint_url_sso", "URL of the sign-in service"),
    ("endpoint_url_sso_oidc", "URL of the service that renews sign-ins"),
    ("endpoint_url_sts", "URL of the security token service"),
    ("imdsv1_fallback", "true: instance metadata of version 1, if there is no other"),
    ("metadata_endpoint", "URL of instance metadata"),
    ("profile", "of ~/.aws"),
    ("region", "the bucket's region (us-east-1)"),
    ("request_payer", "true: who asks pays"),
    ("role_arn", "a role for the web identity"),
    ("role_session_name", "its session's name"),
    ("s3_express", "true: an S3 Express bucket"),
    ("secret_access_key", "the key's secret part"),
    ("server_side_encryption", "AES256, aws:kms, ..."),
    ("session_token", "of temporary credentials"),
    ("skip_signature", "true: anonymous"),
    ("sse_kms_key_id", "the key of aws:kms"),
    ("unsigned_payload", "true: bodies are not signed"),
    ("virtual_hosted_style_request", "true: the bucket is part of the host's name"),
    ("web_identity_token_file", "a file with a web identity"),
];

const AZURE: [Known; 17] = [
    ("access_key", "the account's key"),
    ("account_name", "the account"),
    ("authority_host", "URL of the authority"),
    ("authority_id", "the tenant"),
    ("client_id", "of a service principal"),
    ("client_secret", "its secret"),
    ("disable_tagging", "true: blobs are not tagged"),
    ("endpoint", "URL of the service"),
    ("federated_token_file", "a file with a workload's identity"),
    ("msi_endpoint", "URL of the managed identity"),
    ("msi_resource_id", "which of several managed identities"),
    ("object_id", "which of several managed identities"),
    ("sas_key", "a shared access signature"),
    ("skip_signature", "true: anonymous"),
    ("token", "a bearer token"),
    ("use_azure_cli", "true: asks the az program"),
    ("use_emulator", "true: Azurite"),
];

const GCS: [Known; 5] = [
    ("application_credentials", "path of application default credentials"),
    ("base_url", "URL of the service"),
    ("service_account", "path of a service account's file"),
    ("service_account_key", "its content"),
    ("skip_signature", "true: anonymous"),
];

fn own(kind: &str) -> Option<&'static [Known]> {
    match kind {
        "s3" => Some(&S3),
        "azure" => Some(&AZURE),
        "gcs" => Some(&GCS),
        "http" | "memory" => Some(&[]),
        _ => None,
    }
}

fn known(kind: &str) -> Result<Vec<Known>> {
    let own = own(kind).ok_or_else(|| {
        let text =
            format!("unknown type of store {kind:?}: there are s3, azure, gcs, http and memory");
        coded(WEIR_INVALID_ARGUMENT, "22023", text)
    })?;
    let client: &[Known] = if kind == "memory" { &[] } else { &CLIENT };
    let mut all: Vec<Known> = own.iter().chain(client).copied().collect();
    all.sort();
    Ok(all)
}

type Take = Option<unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char)>;

pub fn each(kind: &str, take: Take, sink: *mut c_void) -> Result<()> {
    let Some(take) = take else { return Ok(()) };
    for (name, help) in known(kind)? {
        let (name, help) = (c_text(name)?, c_text(help)?);
        unsafe { take(sink, name.as_ptr(), help.as_ptr()) };
    }
    Ok(())
}

/// What C asked for.
pub struct Given {
    pub kind: String,
    pub url: String,
    pub credentials: Option<Arc<Calls>>,
    pub guard: Option<Guard>,
    options: Vec<(String, String)>,
}

const WEIRS: [&str; 12] = [
    "backoff_config.init_backoff",
    "backoff_config.max_backoff",
    "byte_rate",
    "concurrency",
    "container_authorization_token",
    "endpoint_url_sso",
    "endpoint_url_sso_oidc",
    "hedge_after",
    "max_retries",
    "profile",
    "request_rate",
    "retry_timeout",
];

impl Given {
    pub fn read(c: &wr_objects_options) -> Result<Given> {
        let (kind, url) = (text(c.type_).unwrap_or_default(), text(c.url).unwrap_or_default());
        let names = known(&kind)?;
        let mut given: Vec<(String, String)> = vec![];
        for (name, value) in options(c.options, c.n_options) {
            let name = plain(&kind, &name);
            if !names.iter().any(|(known, _)| *known == name) {
                let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                let text = format!(
                    "{url}: unknown option \"{name}\"; a store of type {kind} has {}",
                    all.join(", ")
                );
                return Err(coded(WEIR_INVALID_ARGUMENT, "22023", text));
            }
            if given.iter().any(|(other, _)| *other == name) {
                let text = format!("{url}: option \"{name}\" is given twice");
                return Err(coded(WEIR_INVALID_ARGUMENT, "22023", text));
            }
            given.push((name, value));
        }
        given.sort();
        let guard = Guard::new(c.guard);
        Ok(Given { kind, url, credentials: Calls::read(c), guard, options: given })
    }

    /// Those that the store's own client knows.
    pub fn clients(&self) -> impl Iterator<Item = (&str, &str)> {
        let theirs = self.options.iter().filter(|(name, _)| !WEIRS.contains(&name.as_str()));
        theirs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where the store is, as far as options tell.
    pub fn place(&self) -> String {
        let names = ["endpoint", "base_url", "account_name", "region", "use_emulator"];
        names.map(|name| self.get(name).unwrap_or_default()).join("|")
    }

    pub fn number(&self, name: &str, otherwise: u64) -> Result<u64> {
        let Some(value) = self.get(name) else { return Ok(otherwise) };
        value.parse().map_err(|_| self.wrong(name, value, "a number"))
    }

    pub fn bytes(&self, name: &str, otherwise: u64) -> Result<u64> {
        let Some(value) = self.get(name) else { return Ok(otherwise) };
        crate::options::bytes(value)
            .ok_or_else(|| self.wrong(name, value, "a number of bytes such as 512KiB or 10MiB"))
    }

    pub fn time(&self, name: &str, otherwise: Duration) -> Result<Duration> {
        let Some(value) = self.get(name) else { return Ok(otherwise) };
        crate::options::milliseconds(value)
            .map(Duration::from_millis)
            .ok_or_else(|| self.wrong(name, value, "a time such as 500ms, 30s or 5min"))
    }

    fn wrong(&self, name: &str, value: &str, wanted: &str) -> datafusion::common::DataFusionError {
        let text = format!("{}: option \"{name}\" is {wanted}, not \"{value}\"", self.url);
        coded(WEIR_INVALID_ARGUMENT, "22023", text)
    }

    /// An option that the client does not take. Its value may be a secret.
    pub fn refused(&self, name: &str) -> datafusion::common::DataFusionError {
        let text =
            format!("{}: option \"{name}\" has a value that is not one of its own", self.url);
        coded(WEIR_INVALID_ARGUMENT, "22023", text)
    }
}

/// The name without "aws_", "azure_storage_" and the like.
fn plain(kind: &str, name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let prefixes: &[&str] = match kind {
        "s3" => &["aws_"],
        "azure" => &["azure_storage_", "azure_"],
        "gcs" => &["google_"],
        _ => &[],
    };
    let found = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    found.map(str::to_string).unwrap_or(name)
}
