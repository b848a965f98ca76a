//! Profiles of `~/.aws` that take a role: with the credentials of another profile, or of the environment, the token service is asked for
//! those of the role (AssumeRole of AWS STS).

use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpClient, HttpRequest};
use object_store::{Error, Result as StoreResult};

use super::credentials::{Told, failed};
use super::sources::{Keys, Profile, fetch, now_ns, setting, told};
use super::uploads::text_of;

/// Profiles that take a role with another's may be so many in a row.
const DEEPEST: usize = 8;
const DEFAULT_REGION: &str = "us-east-1";

/// What the role is asked for with.
pub async fn ask(
    profile: &Profile,
    keys: &Keys,
    client: &HttpClient,
    depth: usize,
) -> StoreResult<Told> {
    let wrong = |text: String| failed(format!("the profile \"{}\" {text}", profile.name));
    let get = |name: &str| keys.get(name).map(String::as_str);
    if get("mfa_serial").is_some() {
        return Err(wrong(
            "wants the code of a device (mfa_serial): use credential_process".into(),
        ));
    }
    if depth == DEEPEST {
        return Err(wrong("is one of too many that take a role with another's credentials".into()));
    }
    let source = match (get("source_profile"), get("credential_source")) {
        (Some(name), None) if name == profile.name => profile
            .own_keys(keys)
            .ok_or_else(|| wrong("takes a role with its own keys, and has none".into()))?,
        (Some(name), None) => {
            let source = Profile { name: name.to_string(), ..profile.clone() };
            Box::pin(source.ask(client, depth + 1)).await?
        }
        (None, Some("Environment")) => from_environment().ok_or_else(|| {
            wrong("takes a role with keys of the environment, which has none".into())
        })?,
        (None, Some(other)) => {
            return Err(wrong(format!(
                "takes a role with credential_source = {other}, of which weir knows Environment alone: use source_profile or credential_process"
            )));
        }
        _ => {
            return Err(wrong("takes a role: it needs source_profile or credential_source".into()));
        }
    };
    let region = get("region").map(str::to_string).or_else(|| setting("AWS_REGION"));
    let region = region.unwrap_or_else(|| DEFAULT_REGION.to_string());
    let endpoint = profile.sts_endpoint.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com"));
    let body = form(keys);
    let credential = AwsCredential {
        key_id: source.need("access_key_id")?,
        secret_key: source.need("secret_access_key")?,
        token: source.get("session_token"),
    };
    let url = format!("{}/", endpoint.trim_end_matches('/'));
    let sign = |request: &mut HttpRequest| {
        *request.method_mut() = reqwest::Method::POST;
        *request.body_mut() = body.clone().into_bytes().into();
        let form = reqwest::header::HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert("content-type", form);
        AwsAuthorizer::new(&credential, "sts", &region).authorize(request, None);
        Ok(())
    };
    let answer = fetch(client, &url, sign).await?;
    read(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| wrong("got no credentials of its role".into()))?
}

fn from_environment() -> Option<Told> {
    let (id, secret) = (setting("AWS_ACCESS_KEY_ID")?, setting("AWS_SECRET_ACCESS_KEY")?);
    Some(Told::new(id, secret, setting("AWS_SESSION_TOKEN"), 0))
}

fn form(keys: &Keys) -> String {
    let session = keys.get("role_session_name").cloned();
    let session = session.unwrap_or_else(|| format!("weir-{}", now_ns() / 1_000_000_000));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "AssumeRole");
    form.append_pair("Version", "2011-06-15");
    form.append_pair("RoleArn", keys.get("role_arn").map_or("", String::as_str));
    form.append_pair("RoleSessionName", &session);
    for (key, name) in [("external_id", "ExternalId"), ("duration_seconds", "DurationSeconds")] {
        if let Some(value) = keys.get(key) {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

fn read(document: &str) -> Option<Result<Told, Error>> {
    let credentials = text_of(document, "Credentials")?;
    let text = |name: &str| text_of(credentials, name).map(str::trim);
    Some(told(&serde_json::json!({
        "AccessKeyId": text("AccessKeyId")?,
        "SecretAccessKey": text("SecretAccessKey")?,
        "SessionToken": text("SessionToken")?,
        "Expiration": text("Expiration")?,
    })))
}

#[cfg(test)]
mod tests {
    use super::{form, read};

    #[test]
    fn a_role_is_asked_for_with_what_its_profile_says() {
        let keys = [
            ("role_arn", "arn:aws:iam::1:role/r"),
            ("role_session_name", "me"),
            ("external_id", "a b"),
        ];
        let keys = keys.map(|(key, value)| (key.to_string(), value.to_string())).into();
        let role = "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&ExternalId=a+b";
        assert_eq!(form(&keys), format!("Action=AssumeRole&Version=2011-06-15&{role}"));
    }

    #[test]
    fn credentials_are_found_in_the_answer() {
        let document = "<R><X><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>\
            <SessionToken>c</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></X></R>";
        let told = read(document).unwrap().unwrap();
        assert_eq!(told.get("session_token").as_deref(), Some("c"));
        assert_eq!(told.expires_ns, 1_893_456_000_000_000_000);
        assert!(read("<Credentials><AccessKeyId>a</AccessKeyId></Credentials>").is_none());
    }
}
