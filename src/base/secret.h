/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that stand in options: a password in a URL (scheme://user:password@host, ?password=...),
 * in a list of keywords (host=h password=p), or as the whole value of a key such as "password".
 * What is written as a reference, ${env:NAME}, is none.
 */
#ifndef WR_SECRET_H
#define WR_SECRET_H

#include <stdbool.h>

/* Whether the value of an option, as it was written, holds a secret. */
bool wr_has_secret(const char *key, const char *value);
/* The value with *** in place of each secret. Free with wr_free; NULL: no memory. */
char *wr_redact_secrets(const char *key, const char *value);

#endif
