/* SPDX-License-Identifier: Apache-2.0 */
/* What was read in files, kept while they stay the same. */
#include "table/files/files.h"

#include "base/error.h"

static bool is_same(const struct wr_file_entry *a, const struct wr_file_entry *b) {
    return a->device == b->device && a->inode == b->inode && a->n_bytes == b->n_bytes &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

int wr_files_cache_init(struct wr_files_cache *cache, struct weir_error *error) {
    *cache = (struct wr_files_cache){0};
    return pthread_mutex_init(&cache->lock, NULL) == 0 ? WEIR_OK : wr_error_memory(error);
}

void wr_files_cache_reset(struct wr_files_cache *cache) {
    pthread_mutex_destroy(&cache->lock);
}

int wr_cached_sniff(struct wr_files_cache *cache, const struct wr_files_source *source,
                    const struct wr_file_list *list, struct wr_file_type type,
                    struct wr_sniffed *ret_sniffed, struct weir_error *error) {
    if (list->n_entries == 0) return wr_files_sniff(source, list, type, ret_sniffed, error);
    const struct wr_file_entry *first = &list->entries[0];
    pthread_mutex_lock(&cache->lock);
    bool same = cache->sniffed_once && is_same(&cache->first, first) &&
                cache->asked.format == type.format && cache->asked.compression == type.compression;
    struct wr_sniffed sniffed = cache->sniffed;
    pthread_mutex_unlock(&cache->lock);
    if (!same) {
        WR_TRY(wr_files_sniff(source, list, type, &sniffed, error));
        pthread_mutex_lock(&cache->lock);
        cache->sniffed_once = true;
        cache->first = *first;
        cache->asked = type;
        cache->sniffed = sniffed;
        pthread_mutex_unlock(&cache->lock);
    }
    *ret_sniffed = sniffed;
    return WEIR_OK;
}

/* FNV-1a over the identities of all files, and what they are read as. */
static uint64_t fingerprint(const struct wr_file_list *list, const struct wr_sniffed *sniffed) {
    uint64_t hash = 14695981039346656037u;
    uint64_t words[5] = {(uint64_t)sniffed->dialect.delimiter, (uint64_t)sniffed->dialect.quote,
                         (uint64_t)sniffed->type.compression, list->n_entries, 0};
    for (size_t i = 0; i <= list->n_entries; i++) {
        for (size_t j = 0; j < sizeof words; j++)
            hash = (hash ^ ((const unsigned char *)words)[j]) * 1099511628211u;
        if (i == list->n_entries) break;
        const struct wr_file_entry *entry = &list->entries[i];
        words[0] = entry->device;
        words[1] = entry->inode;
        words[2] = (uint64_t)entry->n_bytes;
        words[3] = (uint64_t)entry->modified_ns;
        words[4] = (uint64_t)entry->changed_ns;
    }
    return hash;
}

int wr_cached_group(struct wr_files_cache *cache, const struct wr_files_source *source,
                    struct wr_file_list *list, const struct wr_sniffed *sniffed,
                    size_t *ret_n_groups, struct weir_error *error) {
    if (list->n_entries < 2 || !wr_files_have_headers(source, sniffed)) {
        *ret_n_groups = 1;
        return WEIR_OK;
    }
    uint64_t files = fingerprint(list, sniffed);
    pthread_mutex_lock(&cache->lock);
    bool agree = cache->agreed_once && cache->agreed == files;
    pthread_mutex_unlock(&cache->lock);
    size_t n_groups = 1;
    if (!agree) WR_TRY(wr_files_group(source, list, sniffed, &n_groups, error));
    if (n_groups == 1) {
        pthread_mutex_lock(&cache->lock);
        cache->agreed_once = true;
        cache->agreed = files;
        pthread_mutex_unlock(&cache->lock);
    }
    *ret_n_groups = n_groups;
    return WEIR_OK;
}
