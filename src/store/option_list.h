/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of a store, for whoever defines OPTION(name, types, secrecy, variable, fallback,
 * help). */
/* clang-format off */
/* ---- S3 ---- */
OPTION("access_key_id", S3, CREDENTIAL, "AWS_ACCESS_KEY_ID", NULL, "the id of the access key")
OPTION("secret_access_key", S3, SECRET, "AWS_SECRET_ACCESS_KEY", NULL, "the secret of the access key")
OPTION("session_token", S3, SECRET, "AWS_SESSION_TOKEN", NULL, "the token of temporary credentials")
OPTION("skip_signature", S3 | AZURE | GCS, CREDENTIAL, NULL, NULL, "true: requests are anonymous")
OPTION("region", S3, PLAIN, "AWS_REGION AWS_DEFAULT_REGION", NULL, "the bucket's region")
OPTION("endpoint", S3, PLAIN, "AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL", NULL,
       "the store's address, http://127.0.0.1:9000")
OPTION("virtual_hosted_style_request", S3, PLAIN, NULL, NULL, "true: the bucket is part of the host")
OPTION("unsigned_payload", S3, PLAIN, NULL, NULL, "true: bodies are not part of signatures")
OPTION("checksum_algorithm", S3, PLAIN, NULL, NULL, "sha256: each body has its checksum")
OPTION("conditional_put", S3, PLAIN, NULL, NULL, "etag or disabled: whether the store knows create-only")
OPTION("copy_if_not_exists", S3, PLAIN, NULL, NULL,
       "how a copy is made only where there is none: multipart, header:NAME:VALUE")
OPTION("server_side_encryption", S3, PLAIN, NULL, NULL, "AES256, aws:kms, aws:kms:dsse or sse-c")
OPTION("sse_kms_key_id", S3, PLAIN, NULL, NULL, "the key of aws:kms")
OPTION("request_payer", S3, PLAIN, NULL, NULL, "true: who asks pays")
OPTION("s3_express", S3, PLAIN, NULL, NULL, "true: the bucket is a directory bucket")
OPTION("disable_tagging", S3 | AZURE, PLAIN, NULL, NULL, "true: tags are not sent")
OPTION("imdsv1_fallback", S3, PLAIN, NULL, NULL, "true: version 1 of the metadata service where there is no 2")
OPTION("metadata_endpoint", S3, PLAIN, "AWS_METADATA_ENDPOINT", NULL, "the instance's metadata service")
OPTION("role_arn", S3, CREDENTIAL, "AWS_ROLE_ARN", NULL, "the role of a web identity")
OPTION("role_session_name", S3, CREDENTIAL, "AWS_ROLE_SESSION_NAME", NULL, "the session's name in that role")
OPTION("web_identity_token_file", S3, CREDENTIAL, "AWS_WEB_IDENTITY_TOKEN_FILE", NULL,
       "the file of a web identity's token")
OPTION("profile", S3, CREDENTIAL, "AWS_PROFILE", NULL,
       "a profile of ~/.aws: a role, keys, credential_process or a sign-in")
OPTION("endpoint_url_sso", S3, PLAIN, "AWS_ENDPOINT_URL_SSO", NULL, "the address of the sign-in service")
OPTION("endpoint_url_sso_oidc", S3, PLAIN, "AWS_ENDPOINT_URL_SSO_OIDC", NULL, "the address of the service that renews sign-ins")
OPTION("endpoint_url_sts", S3, PLAIN, "AWS_ENDPOINT_URL_STS", NULL, "the address of STS")
OPTION("container_credentials_relative_uri", S3, CREDENTIAL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL,
       "where ECS has credentials")
OPTION("container_credentials_full_uri", S3, CREDENTIAL, "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL,
       "where EKS has credentials")
OPTION("container_authorization_token", S3, SECRET, "AWS_CONTAINER_AUTHORIZATION_TOKEN", NULL,
       "the token for them")
OPTION("container_authorization_token_file", S3, CREDENTIAL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL,
       "the file of the token for them")
/* ---- Azure ---- */
OPTION("account_name", AZURE, PLAIN, "AZURE_STORAGE_ACCOUNT_NAME AZURE_STORAGE_ACCOUNT", NULL,
       "the storage account")
OPTION("access_key", AZURE, SECRET, "AZURE_STORAGE_ACCOUNT_KEY AZURE_STORAGE_KEY", NULL,
       "the account's key")
OPTION("sas_key", AZURE, SECRET, "AZURE_STORAGE_SAS_TOKEN AZURE_STORAGE_SAS_KEY", NULL,
       "a shared access signature")
OPTION("token", AZURE, SECRET, "AZURE_STORAGE_TOKEN", NULL, "a token")
OPTION("client_id", AZURE, CREDENTIAL, "AZURE_CLIENT_ID", NULL, "the id of a service principal")
OPTION("client_secret", AZURE, SECRET, "AZURE_CLIENT_SECRET", NULL, "its secret")
OPTION("authority_id", AZURE, CREDENTIAL, "AZURE_TENANT_ID", NULL, "its tenant")
OPTION("authority_host", AZURE, PLAIN, "AZURE_AUTHORITY_HOST", NULL, "who gives it tokens")
OPTION("federated_token_file", AZURE, CREDENTIAL, "AZURE_FEDERATED_TOKEN_FILE", NULL,
       "the file of a workload's token")
OPTION("use_azure_cli", AZURE, CREDENTIAL, NULL, NULL, "true: the token of `az login`")
OPTION("msi_endpoint", AZURE, CREDENTIAL, "AZURE_MSI_ENDPOINT IDENTITY_ENDPOINT", NULL,
       "where a managed identity has tokens")
OPTION("object_id", AZURE, CREDENTIAL, NULL, NULL, "the object id of a managed identity")
OPTION("msi_resource_id", AZURE, CREDENTIAL, NULL, NULL, "the resource id of a managed identity")
OPTION("endpoint", AZURE, PLAIN, "AZURE_STORAGE_ENDPOINT", NULL,
       "the store's address, http://127.0.0.1:10000/devstoreaccount1")
OPTION("use_emulator", AZURE, PLAIN, NULL, NULL, "true: the account of Azurite at its usual address")
/* ---- Google ---- */
OPTION("service_account", GCS, CREDENTIAL, "GOOGLE_SERVICE_ACCOUNT", NULL, "the file of a service account")
OPTION("service_account_key", GCS, SECRET, "GOOGLE_SERVICE_ACCOUNT_KEY", NULL, "the same, its text")
OPTION("application_credentials", GCS, CREDENTIAL, "GOOGLE_APPLICATION_CREDENTIALS", NULL,
       "the file of application default credentials")
OPTION("base_url", GCS, PLAIN, NULL, NULL, "the store's address")
/* ---- The connection ---- */
OPTION("allow_http", NET, PLAIN, NULL, NULL, "true: without TLS too")
OPTION("allow_invalid_certificates", NET, PLAIN, NULL, NULL, "true: the store's certificate is not checked")
OPTION("connect_timeout", NET, PLAIN, NULL, "5s", "time to connect")
OPTION("timeout", NET, PLAIN, NULL, "30s", "time of one request with its body")
OPTION("pool_idle_timeout", NET, PLAIN, NULL, NULL, "how long an unused connection is kept")
OPTION("pool_max_idle_per_host", NET, PLAIN, NULL, NULL, "unused connections that are kept")
OPTION("http1_only", NET, PLAIN, NULL, NULL, "true: no HTTP/2")
OPTION("http2_only", NET, PLAIN, NULL, NULL, "true: no HTTP/1")
OPTION("proxy_url", NET, SECRET, NULL, NULL, "a proxy's address")
OPTION("proxy_ca_certificate", NET, PLAIN, NULL, NULL, "the proxy's authority, PEM")
OPTION("proxy_excludes", NET, PLAIN, NULL, NULL, "hosts that are reached without it")
OPTION("randomize_addresses", NET, PLAIN, NULL, NULL, "true: one of the host's addresses at random")
OPTION("user_agent", NET, PLAIN, NULL, NULL, "what requests say of their client")
/* ---- When it goes wrong ---- */
OPTION("max_retries", NET, PLAIN, NULL, "10", "tries after the first one")
OPTION("retry_timeout", NET, PLAIN, NULL, "180s", "time after which no further try begins")
OPTION("backoff_config.init_backoff", NET, PLAIN, NULL, "100ms", "the wait before the second try")
OPTION("backoff_config.max_backoff", NET, PLAIN, NULL, "15s", "the longest wait")
OPTION("concurrency", NET, PLAIN, NULL, "64", "requests at one time")
OPTION("request_rate", NET, PLAIN, NULL, "0", "requests a second; 0: as many as there are")
OPTION("byte_rate", NET, PLAIN, NULL, "0", "bytes a second, those of answers and of what is written; 0: as many as there are")
OPTION("hedge_after", NET, PLAIN, NULL, "0", "time after which a small read is asked for a second time; 0: never")
/* clang-format on */
