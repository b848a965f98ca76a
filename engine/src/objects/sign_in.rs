//! Profiles of `~/.aws` that sign in (IAM Identity Center): the token that `aws sso login` left, renewed with what it left to renew it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat};
use object_store::Result as StoreResult;
use object_store::client::{HttpClient, HttpRequest};
use serde_json::{Value, json};

use super::credentials::{Told, failed};
use super::sources::{
    Keys, Profile, Sections, aws_directory, expiry, fetch, fetch_json, now_ns, told,
};

/// A token that ends sooner is renewed, if it can be.
const EARLY_NS: i64 = 300_000_000_000;

/// Credentials of the profile's role.
pub async fn ask(
    profile: &Profile,
    keys: &Keys,
    config: &Sections,
    client: &HttpClient,
) -> StoreResult<Told> {
    let session =
        keys.get("sso_session").and_then(|name| config.get(&format!("sso-session {name}")));
    let get = |name: &str| {
        let value = keys.get(name).or_else(|| session?.get(name)).cloned();
        value.ok_or_else(|| failed(format!("the profile \"{}\" has no {name}", profile.name)))
    };
    let (start, region) = (get("sso_start_url")?, get("sso_region")?);
    let address = |own: &Option<String>, service: &str| {
        let url =
            own.clone().unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com"));
        url.trim_end_matches('/').to_string()
    };
    let token = token(&start, &address(&profile.oidc_endpoint, "oidc"), client).await;
    let token = token.ok_or_else(|| {
        let name = &profile.name;
        let text = "has expired: aws sso login --profile";
        failed(format!("the sign-in of the profile \"{name}\" {text} {name}"))
    })?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("role_name", &get("sso_role_name")?)
        .append_pair("account_id", &get("sso_account_id")?)
        .finish();
    let portal = address(&profile.sso_endpoint, "portal.sso");
    let url = format!("{portal}/federation/credentials?{query}");
    let answer = fetch_json(client, &url, Some(("x-amz-sso_bearer_token", token))).await?;
    told(answer.get("roleCredentials").unwrap_or(&Value::Null))
}

/// A file of `~/.aws/sso/cache`.
struct Cached {
    path: PathBuf,
    value: Value,
    until: i64,
}

impl Cached {
    /// Of that start URL.
    fn read(path: PathBuf, start_url: &str) -> Option<Cached> {
        let value: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let until = expiry(value.get("expiresAt"))?;
        let found = Cached { path, value, until };
        let same = found.text("startUrl")?.trim_end_matches('/') == start_url.trim_end_matches('/');
        (same && found.text("accessToken").is_some()).then_some(found)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str)
    }

    fn can_be_renewed(&self) -> bool {
        let names = ["refreshToken", "clientId", "clientSecret"];
        let registered = expiry(self.value.get("registrationExpiresAt"));
        names.iter().all(|name| self.text(name).is_some())
            && registered.is_none_or(|until| until > now_ns())
    }

    /// The new token stands in the file too: the one that it was renewed with may hold no longer.
    async fn renew(&mut self, oidc: &str, client: &HttpClient) -> StoreResult<()> {
        let body = json!({
            "grantType": "refresh_token",
            "clientId": self.text("clientId"),
            "clientSecret": self.text("clientSecret"),
            "refreshToken": self.text("refreshToken"),
        });
        let prepare = |request: &mut HttpRequest| {
            *request.method_mut() = reqwest::Method::POST;
            *request.body_mut() = body.to_string().into_bytes().into();
            let kind = reqwest::header::HeaderValue::from_static("application/json");
            request.headers_mut().insert("content-type", kind);
            Ok(())
        };
        let answer = fetch(client, &format!("{oidc}/token"), prepare).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(failed)?;
        let seconds = answer.get("expiresIn").and_then(Value::as_i64);
        let (Some(token), Some(seconds)) = (answer.get("accessToken"), seconds) else {
            return Err(failed("the answer holds no token"));
        };
        let until = now_ns().saturating_add(seconds.saturating_mul(1_000_000_000));
        let until = DateTime::from_timestamp_nanos(until);
        self.value["accessToken"] = token.clone();
        self.value["expiresAt"] = json!(until.to_rfc3339_opts(SecondsFormat::Secs, true));
        if let Some(next) = answer.get("refreshToken").filter(|next| next.is_string()) {
            self.value["refreshToken"] = next.clone();
        }
        // A file that cannot be written keeps nobody from the token.
        let _ = self.write();
        Ok(())
    }

    fn write(&self) -> std::io::Result<()> {
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(self.value.to_string().as_bytes())?;
        fs::rename(&new, &self.path)
    }
}

/// The token of a start URL that holds longest, renewed where it ends soon; None: somebody must sign in.
async fn token(start_url: &str, oidc: &str, client: &HttpClient) -> Option<String> {
    let entries = fs::read_dir(aws_directory().join("sso/cache")).ok()?.flatten();
    let read = entries.filter_map(|entry| Cached::read(entry.path(), start_url));
    let mut found: Vec<Cached> = read.collect();
    found.sort_by_key(|cached| std::cmp::Reverse(cached.until));
    if found.first()?.until < now_ns() + EARLY_NS {
        for n in (0..found.len()).filter(|n| found[*n].can_be_renewed()).collect::<Vec<_>>() {
            if found[n].renew(oidc, client).await.is_ok() {
                return found[n].text("accessToken").map(str::to_string);
            }
        }
    }
    let cached = found.first().filter(|cached| cached.until > now_ns())?;
    cached.text("accessToken").map(str::to_string)
}
