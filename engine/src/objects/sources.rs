//! Where credentials of S3 come from that the store library does not know: profiles of `~/.aws` with keys, a program or a
//! sign-in, and containers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chrono::DateTime;
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use object_store::{Error, Result as StoreResult};
use serde_json::Value;

use super::credentials::{Told, failed};
use super::{roles, sign_in};

/// Sections of an INI file by their names, as `~/.aws` has them.
pub type Sections = HashMap<String, HashMap<String, String>>;

fn parse(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut at = None;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || is_nested {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            sections.entry(name.clone()).or_default();
            at = Some(name);
        } else if let (Some(name), Some((key, value))) = (&at, line.split_once('=')) {
            let section = sections.get_mut(name).expect("just made");
            section.insert(key.trim().to_ascii_lowercase(), value.trim().to_string());
        }
    }
    sections
}

pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub fn aws_directory() -> PathBuf {
    Path::new(&setting("HOME").unwrap_or_default()).join(".aws")
}

/// The file of a variable, else the one of that name; one that is not there is empty.
fn file(variable: &str, name: &str) -> StoreResult<Sections> {
    let path = setting(variable).map(PathBuf::from).unwrap_or_else(|| aws_directory().join(name));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(parse(&text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Sections::new()),
        Err(e) => Err(failed(format!("cannot read {}: {e}", path.display()))),
    }
}

#[derive(Clone, Default)]
pub struct Profile {
    pub name: String,
    /// Instead of that of its region.
    pub sso_endpoint: Option<String>,
    pub oidc_endpoint: Option<String>,
    pub sts_endpoint: Option<String>,
}

pub type Keys = HashMap<String, String>;

impl Profile {
    fn read(&self) -> StoreResult<(Keys, Sections)> {
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        let config = file("AWS_CONFIG_FILE", "config")?;
        let named = config.get(&format!("profile {}", self.name));
        let in_config =
            if self.name == "default" { named.or(config.get("default")) } else { named };
        let mut keys = in_config.cloned().unwrap_or_default();
        match credentials.get(&self.name) {
            Some(own) => keys.extend(own.clone()),
            None if in_config.is_none() => {
                return Err(failed(format!("there is no profile \"{}\" in ~/.aws", self.name)));
            }
            None => {}
        }
        Ok((keys, config))
    }

    /// Whether the profile `default` can give credentials.
    pub fn has_default() -> bool {
        let profile = Profile { name: "default".into(), ..Profile::default() };
        let names = ["aws_access_key_id", "credential_process", "sso_account_id", "role_arn"];
        profile.read().is_ok_and(|(keys, _)| names.iter().any(|name| keys.contains_key(*name)))
    }

    pub fn region(&self) -> Option<String> {
        self.read().ok()?.0.remove("region")
    }

    pub fn own_keys(&self, keys: &Keys) -> Option<Told> {
        let get = |name: &str| keys.get(name).cloned();
        let (id, secret) = (get("aws_access_key_id")?, get("aws_secret_access_key")?);
        Some(Told::new(id, secret, get("aws_session_token"), 0))
    }

    /// Waits for a program, or a server. `depth`: so many profiles take a role with this one's.
    pub async fn ask(&self, client: &HttpClient, depth: usize) -> StoreResult<Told> {
        let (keys, config) = self.read()?;
        let get = |name: &str| keys.get(name).cloned();
        if keys.contains_key("role_arn") {
            return roles::ask(self, &keys, client, depth).await;
        }
        if let Some(told) = self.own_keys(&keys) {
            return Ok(told);
        }
        if let Some(command) = get("credential_process") {
            let name = self.name.clone();
            let ran = tokio::task::spawn_blocking(move || run(&name, &command)).await;
            return told(&ran.map_err(failed)??);
        }
        if keys.contains_key("sso_account_id") {
            return sign_in::ask(self, &keys, &config, client).await;
        }
        let text = "has no keys, no role_arn, no credential_process and no sso_account_id";
        Err(failed(format!("the profile \"{}\" {text}", self.name)))
    }
}

/// Its standard error may hold secrets: it is not shown.
fn run(profile: &str, command: &str) -> StoreResult<Value> {
    let wrong =
        |text: String| failed(format!("credential_process of the profile \"{profile}\" {text}"));
    let program = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let output = program.map_err(|e| wrong(format!("cannot be run: {e}")))?;
    if !output.status.success() {
        return Err(wrong(format!("failed: {}", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| wrong("printed no JSON".into()))
}

pub fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as i64)
}

/// A time as a text, or in milliseconds.
pub fn expiry(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(ms) => Some(ms.as_i64()?.saturating_mul(1_000_000)),
        Value::String(text) => {
            DateTime::parse_from_rfc3339(&text.replace("UTC", "Z")).ok()?.timestamp_nanos_opt()
        }
        _ => None,
    }
}

/// What programs and servers answer, whose names differ in their first letter.
pub fn told(value: &Value) -> StoreResult<Told> {
    let text = |names: [&str; 2]| {
        names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_string)
    };
    let id = text(["AccessKeyId", "accessKeyId"]);
    let secret = text(["SecretAccessKey", "secretAccessKey"]);
    let token = text(["SessionToken", "sessionToken"]).or_else(|| text(["Token", "token"]));
    let until =
        value.get("Expiration").or(value.get("expiration")).filter(|value| !value.is_null());
    let expires_ns = match until {
        None => 0,
        until => expiry(until)
            .ok_or_else(|| failed("the time at which credentials expire is not one"))?,
    };
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Told::new(id, secret, token, expires_ns)),
        _ => Err(failed("the answer holds no access key")),
    }
}

/// ECS and EKS: an address that has credentials, with a token or none.
#[derive(Clone)]
pub struct Container {
    pub url: String,
    pub token: Option<String>,
    pub token_file: Option<String>,
}

/// The service's own address, for what is given as a path.
const ECS: &str = "http://169.254.170.2";

impl Container {
    pub fn new(given: &super::options::Given) -> StoreResult<Option<Container>> {
        let get = |name: &str| given.get(name).map(str::to_string);
        let url = match (
            get("container_credentials_relative_uri"),
            get("container_credentials_full_uri"),
        ) {
            (Some(path), _) => format!("{ECS}{path}"),
            (None, Some(url)) => url,
            (None, None) => return Ok(None),
        };
        let parsed = url::Url::parse(&url)
            .map_err(|_| failed("the address of a container's credentials is no URL"))?;
        let own = [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "169.254.170.2",
            "169.254.170.23",
            "[fd00:ec2::23]",
        ];
        if parsed.scheme() != "https" && !own.contains(&parsed.host_str().unwrap_or_default()) {
            return Err(failed("a container's credentials come by https, or from this machine"));
        }
        let (token, token_file) =
            (get("container_authorization_token"), get("container_authorization_token_file"));
        Ok(Some(Container { url, token, token_file }))
    }

    pub async fn ask(&self, client: &HttpClient) -> StoreResult<Told> {
        let token = match &self.token_file {
            None => self.token.clone(),
            Some(path) => {
                let read = std::fs::read_to_string(path);
                Some(
                    read.map_err(|e| failed(format!("cannot read {path}: {e}")))?
                        .trim()
                        .to_string(),
                )
            }
        };
        told(&fetch_json(client, &self.url, token.map(|token| ("authorization", token))).await?)
    }
}

fn wrong(url: &str, text: &str) -> Error {
    let host = url.split('?').next().unwrap_or_default();
    failed(format!("credentials from {host}: {text}"))
}

pub async fn fetch_json(
    client: &HttpClient,
    url: &str,
    header: Option<(&'static str, String)>,
) -> StoreResult<Value> {
    let prepare = |request: &mut HttpRequest| {
        if let Some((name, value)) = &header {
            let value = value.parse().map_err(|_| wrong(url, "the token cannot be sent"))?;
            request.headers_mut().insert(*name, value);
        }
        Ok(())
    };
    let answer = fetch(client, url, prepare).await?;
    serde_json::from_slice(&answer).map_err(|_| wrong(url, "the answer is no JSON"))
}

/// What the answer holds to a request that is prepared anew for each attempt.
pub async fn fetch(
    client: &HttpClient,
    url: &str,
    prepare: impl Fn(&mut HttpRequest) -> StoreResult<()>,
) -> StoreResult<Bytes> {
    let wrong = |text: String| wrong(url, &text);
    let mut last = wrong("no answer".into());
    for attempt in 0..3u32 {
        if attempt > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(100 << attempt)).await;
        }
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.parse().map_err(|_| wrong("no URL".into()))?;
        prepare(&mut request)?;
        let answer = match client.execute(request).await {
            Ok(answer) => answer,
            Err(error) => {
                last = wrong(super::without_queries(&error.to_string()));
                continue;
            }
        };
        let status = answer.status();
        if status.is_server_error() || status.as_u16() == 429 {
            last = wrong(format!("the answer is {}", status.as_u16()));
            continue;
        }
        if !status.is_success() {
            return Err(wrong(format!("the answer is {}", status.as_u16())));
        }
        match answer.into_body().bytes().await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => last = wrong(error.to_string()),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::{expiry, parse, told};

    #[test]
    fn sections_have_their_keys_and_nested_ones_are_left_out() {
        let text =
            "# c\n[default]\nregion = eu\ns3 =\n  max = 1\n[profile  a b]\nAWS_ACCESS_KEY_ID=x=y\n";
        let sections = parse(text);
        assert_eq!(sections["default"]["region"], "eu");
        assert!(!sections["default"].contains_key("max"));
        assert_eq!(sections["profile a b"]["aws_access_key_id"], "x=y");
    }

    #[test]
    fn answers_of_programs_and_servers_are_read_in_both_spellings() {
        let program = serde_json::json!({"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c",
            "Expiration": "2030-01-01T00:00:00Z"});
        assert_eq!(told(&program).unwrap().get("session_token").as_deref(), Some("c"));
        let server = serde_json::json!({"accessKeyId": "a", "secretAccessKey": "b", "expiration": 1893456000000i64});
        assert_eq!(told(&server).unwrap().expires_ns, told(&program).unwrap().expires_ns);
        assert!(told(&serde_json::json!({"AccessKeyId": "a"})).is_err());
        assert_eq!(expiry(Some(&serde_json::json!("soon"))), None);
    }
}
