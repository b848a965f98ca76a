/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of a store, for whoever defines OPTION(name, types, secrecy, variable, help). */
/* clang-format off */
/* ---- S3 ---- */
OPTION("access_key_id", S3, CREDENTIAL, "AWS_ACCESS_KEY_ID", "the id of the access key")
OPTION("secret_access_key", S3, SECRET, "AWS_SECRET_ACCESS_KEY", "the secret of the access key")
OPTION("session_token", S3, SECRET, "AWS_SESSION_TOKEN", "the token of temporary credentials")
OPTION("skip_signature", S3 | AZURE | GCS, CREDENTIAL, NULL, "true: requests are anonymous")
OPTION("region", S3, PLAIN, "AWS_REGION AWS_DEFAULT_REGION", "the bucket's region")
OPTION("endpoint", S3, PLAIN, "AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL",
       "the store's address, http://127.0.0.1:9000")
OPTION("virtual_hosted_style_request", S3, PLAIN, NULL, "true: the bucket is part of the host")
OPTION("unsigned_payload", S3, PLAIN, NULL, "true: bodies are not part of signatures")
OPTION("checksum_algorithm", S3, PLAIN, NULL, "sha256: each body has its checksum")
OPTION("conditional_put", S3, PLAIN, NULL, "etag or disabled: whether the store knows create-only")
OPTION("copy_if_not_exists", S3, PLAIN, NULL,
       "how a copy is made only where there is none: multipart, header:NAME:VALUE")
OPTION("server_side_encryption", S3, PLAIN, NULL, "AES256, aws:kms, aws:kms:dsse or sse-c")
OPTION("sse_kms_key_id", S3, PLAIN, NULL, "the key of aws:kms")
OPTION("request_payer", S3, PLAIN, NULL, "true: who asks pays")
OPTION("s3_express", S3, PLAIN, NULL, "true: the bucket is a directory bucket")
OPTION("disable_tagging", S3 | AZURE, PLAIN, NULL, "true: tags are not sent")
OPTION("imdsv1_fallback", S3, PLAIN, NULL, "true: version 1 of the metadata service where there is no 2")
OPTION("metadata_endpoint", S3, PLAIN, "AWS_METADATA_ENDPOINT", "the instance's metadata service")
OPTION("role_arn", S3, CREDENTIAL, "AWS_ROLE_ARN", "the role of a web identity")
OPTION("role_session_name", S3, CREDENTIAL, "AWS_ROLE_SESSION_NAME", "the session's name in that role")
OPTION("web_identity_token_file", S3, CREDENTIAL, "AWS_WEB_IDENTITY_TOKEN_FILE",
       "the file of a web identity's token")
OPTION("profile", S3, CREDENTIAL, "AWS_PROFILE",
       "a profile of ~/.aws: a role, keys, credential_process or a sign-in")
OPTION("endpoint_url_sso", S3, PLAIN, "AWS_ENDPOINT_URL_SSO", "the address of the sign-in service")
OPTION("endpoint_url_sso_oidc", S3, PLAIN, "AWS_ENDPOINT_URL_SSO_OIDC", "the address of the service that renews sign-ins")
OPTION("endpoint_url_sts", S3, PLAIN, "AWS_ENDPOINT_URL_STS", "the address of STS")
OPTION("container_credentials_relative_uri", S3, CREDENTIAL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
       "where ECS has credentials")
OPTION("container_credentials_full_uri", S3, CREDENTIAL, "AWS_CONTAINER_CREDENTIALS_FULL_URI",
       "where EKS has credentials")
OPTION("container_authorization_token", S3, SECRET, "AWS_CONTAINER_AUTHORIZATION_TOKEN",
       "the token for them")
OPTION("container_authorization_token_file", S3, CREDENTIAL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
       "the file of the token for them")
/* ---- Azure ---- */
OPTION("account_name", AZURE, PLAIN, "AZURE_STORAGE_ACCOUNT_NAME AZURE_STORAGE_ACCOUNT",
       "the storage account")
OPTION("access_key", AZURE, SECRET, "AZURE_STORAGE_ACCOUNT_KEY AZURE_STORAGE_KEY",
       "the account's key")
OPTION("sas_key", AZURE, SECRET, "AZURE_STORAGE_SAS_TOKEN AZURE_STORAGE_SAS_KEY",
       "a shared access signature")
OPTION("token", AZURE, SECRET, "AZURE_STORAGE_TOKEN", "a token")
OPTION("client_id", AZURE, CREDENTIAL, "AZURE_CLIENT_ID", "the id of a service principal")
OPTION("client_secret", AZURE, SECRET, "AZURE_CLIENT_SECRET", "its secret")
OPTION("authority_id", AZURE, CREDENTIAL, "AZURE_TENANT_ID", "its tenant")
OPTION("authority_host", AZURE, PLAIN, "AZURE_AUTHORITY_HOST", "who gives it tokens")
OPTION("federated_token_file", AZURE, CREDENTIAL, "AZURE_FEDERATED_TOKEN_FILE",
       "the file of a workload's token")
OPTION("use_azure_cli", AZURE, CREDENTIAL, NULL, "true: the token of `az login`")
OPTION("msi_endpoint", AZURE, CREDENTIAL, "AZURE_MSI_ENDPOINT IDENTITY_ENDPOINT",
       "where a managed identity has tokens")
OPTION("object_id", AZURE, CREDENTIAL, NULL, "the object id of a managed identity")
OPTION("msi_resource_id", AZURE, CREDENTIAL, NULL, "the resource id of a managed identity")
OPTION("endpoint", AZURE, PLAIN, "AZURE_STORAGE_ENDPOINT",
       "the store's address, http://127.0.0.1:10000/devstoreaccount1")
OPTION("use_emulator", AZURE, PLAIN, NULL, "true: the account of Azurite at its usual address")
/* ---- Google ---- */
OPTION("service_account", GCS, CREDENTIAL, "GOOGLE_SERVICE_ACCOUNT", "the file of a service account")
OPTION("service_account_key", GCS, SECRET, "GOOGLE_SERVICE_ACCOUNT_KEY", "the same, its text")
OPTION("application_credentials", GCS, CREDENTIAL, "GOOGLE_APPLICATION_CREDENTIALS",
       "the file of application default credentials")
OPTION("base_url", GCS, PLAIN, NULL, "the store's address")
/* ---- The connection ---- */
OPTION("allow_http", NET, PLAIN, NULL, "true: without TLS too")
OPTION("allow_invalid_certificates", NET, PLAIN, NULL, "true: the store's certificate is not checked")
OPTION("connect_timeout", NET, PLAIN, NULL, "time to connect, 5s")
OPTION("timeout", NET, PLAIN, NULL, "time of one request with its body, 30s")
OPTION("pool_idle_timeout", NET, PLAIN, NULL, "how long an unused connection is kept")
OPTION("pool_max_idle_per_host", NET, PLAIN, NULL, "unused connections that are kept")
OPTION("http1_only", NET, PLAIN, NULL, "true: no HTTP/2")
OPTION("http2_only", NET, PLAIN, NULL, "true: no HTTP/1")
OPTION("proxy_url", NET, SECRET, NULL, "a proxy's address")
OPTION("proxy_ca_certificate", NET, PLAIN, NULL, "the proxy's authority, PEM")
OPTION("proxy_excludes", NET, PLAIN, NULL, "hosts that are reached without it")
OPTION("randomize_addresses", NET, PLAIN, NULL, "true: one of the host's addresses at random")
OPTION("user_agent", NET, PLAIN, NULL, "what requests say of their client")
/* ---- When it goes wrong ---- */
OPTION("max_retries", NET, PLAIN, NULL, "tries after the first one")
OPTION("retry_timeout", NET, PLAIN, NULL, "time after which no further try begins")
OPTION("backoff_config.init_backoff", NET, PLAIN, NULL, "the wait before the second try")
OPTION("backoff_config.max_backoff", NET, PLAIN, NULL, "the longest wait")
OPTION("concurrency", NET, PLAIN, NULL, "requests at one time")
OPTION("request_rate", NET, PLAIN, NULL, "requests a second")
OPTION("hedge_after", NET, PLAIN, NULL, "time after which a small read is asked for again")
/* clang-format on */
