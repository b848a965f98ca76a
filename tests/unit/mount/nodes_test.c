/* SPDX-License-Identifier: Apache-2.0 */
/* Names and nodes of the file system. The tree and the clock are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "mount/internal.h"

static int64_t now;
static int n_closed;
static const struct weir_node_entry *entries;
static size_t n_entries;

int64_t mount_now(void) {
    return now;
}

void weir_file_close(struct weir_file *file) {
    n_closed += file != NULL;
}

int weir_node_list(const struct weir_node *node, weir_node_entry_fn take, void *context,
                   struct weir_error *error) {
    (void)node;
    (void)error;
    for (size_t i = 0; i < n_entries; i++) {
        if (take(context, &entries[i]) != 0) break;
    }
    return WEIR_OK;
}

/* ---- Names ---- */

static int list(const char *const *encodings, size_t n, bool every, struct listing **ret_listing) {
    const struct mount_options options = {
        .encodings = encodings, .n_encodings = n, .every_table = every};
    return listing_read(&options, NULL, ret_listing, NULL);
}

/* All names, directories with a slash. */
static void assert_names(const struct weir_node_entry *items, size_t n, bool every,
                         const char *expected) {
    static const char *const encodings[] = {"parquet", "csv"};
    struct listing *listing = NULL;
    char text[1024] = "";

    entries = items;
    n_entries = n;
    assert_int_equal(list(encodings, every ? 2 : 1, every, &listing), WEIR_OK);
    for (size_t i = 0; i < listing->n_names; i++) {
        if (i > 0) strcat(text, " ");
        strcat(text, listing->text + listing->names[i].offset);
        if (listing->names[i].directory) strcat(text, "/");
    }
    listing_free(listing);
    assert_string_equal(text, expected);
}

#define ENTRY(kind, own, by)                                                                       \
    {.size = sizeof(struct weir_node_entry), .type = kind, .name = own, .table = by, .n_bytes = -1}

static const struct weir_node_entry directory[] = {
    ENTRY(WEIR_NODE_FILE, "notes.txt", NULL),      ENTRY(WEIR_NODE_STRUCTURED, "x.csv", "x"),
    ENTRY(WEIR_NODE_DERIVED, "daily.sql", "days"), ENTRY(WEIR_NODE_DIRECTORY, "empty", NULL),
    ENTRY(WEIR_NODE_DIRECTORY, "logs", "logs"),    ENTRY(WEIR_NODE_STRUCTURED, "p.parquet", "p"),
};

static void files_have_their_names_and_other_tables_one_for_each_encoding(void **state) {
    (void)state;
    assert_names(directory, 6, false,
                 "daily.sql days.parquet empty/ logs/ logs.parquet notes.txt p.parquet x.csv");
}

static void encodings_that_were_asked_for_show_files_that_are_tables_too(void **state) {
    (void)state;
    assert_names(directory, 6, true,
                 "daily.sql days.csv days.parquet empty/ logs/ logs.csv logs.parquet notes.txt "
                 "p.csv p.parquet x.csv x.parquet");
}

static void tables_of_a_catalog_have_no_name_of_their_own(void **state) {
    static const struct weir_node_entry schema[] = {
        ENTRY(WEIR_NODE_DERIVED, "late", "late"),
        ENTRY(WEIR_NODE_TABLE, "t", "t"),
        ENTRY(WEIR_NODE_TABLE, "a/b", "a/b"),
        ENTRY(WEIR_NODE_TABLE, "", ""),
    };
    (void)state;
    assert_names(schema, 4, false, "late.parquet t.parquet");
}

static void what_lies_there_hides_a_table_of_that_name(void **state) {
    static const struct weir_node_entry both[] = {
        ENTRY(WEIR_NODE_DERIVED, "x.sql", "x.sql"),
        {.size = sizeof *both,
         .type = WEIR_NODE_DERIVED,
         .name = "y.sql",
         .table = "y.sql",
         .n_bytes = 7},
        ENTRY(WEIR_NODE_DIRECTORY, "z", "z"),
        ENTRY(WEIR_NODE_FILE, "z.parquet", NULL),
    };
    struct listing *listing = NULL;

    (void)state;
    assert_names(both, 4, false, "x.sql.parquet y.sql y.sql.parquet z/ z.parquet");
    entries = both;
    n_entries = 4;
    assert_int_equal(list((const char *const[]){"parquet"}, 1, false, &listing), WEIR_OK);
    assert_false(listing->names[4].encoded);
    listing_free(listing);
}

static void a_listing_fails_where_memory_does_and_leaks_none(void **state) {
    static const char *const encodings[] = {"parquet"};
    struct listing *listing = NULL;
    int64_t n = 0;

    (void)state;
    entries = directory;
    n_entries = 6;
    do {
        wr_alloc_fail_at(++n);
        int code = list(encodings, 1, false, &listing);
        wr_alloc_fail_at(0);
        if (code != WEIR_OK) assert_null(listing);
    } while (listing == NULL && n < 100);
    assert_non_null(listing);
    assert_true(n > 3);
    listing_free(listing);
}

static void only_extensions_of_encodings_are_encodings(void **state) {
    (void)state;
    assert_string_equal(encoding_of_name("a.b.csv"), "csv");
    assert_null(encoding_of_name("a.csv.gz"));
    assert_null(encoding_of_name(".csv"));
    assert_null(encoding_of_name("csv"));
    assert_null(encoding_of_name("a.CSV"));
}

/* ---- Nodes ---- */

static struct node *enter(struct nodes *nodes, const char *version, int64_t n_bytes) {
    const struct found found = {.path = "/lake/v.parquet", .version = version, .n_bytes = n_bytes};
    return nodes_enter(nodes, &found);
}

/* Any address will do, as nobody reads it. */
static struct weir_file *some_file(void) {
    return (struct weir_file *)(uintptr_t)0x1000;
}

static void a_version_is_a_node_and_another_version_another_one(void **state) {
    struct nodes nodes = {0};
    (void)state;
    struct node *one = enter(&nodes, "1", -1), *two = enter(&nodes, "2", -1);
    assert_ptr_not_equal(one, two);
    assert_true(one->number != two->number);
    assert_ptr_equal(enter(&nodes, "1", 10), one);
    assert_int_equal(one->n_bytes, 10);
    assert_int_equal(two->n_bytes, -1);
    assert_int_equal(one->refs, 2);
    nodes_release(&nodes, two, 1);
    struct node *again = enter(&nodes, "2", -1);
    assert_int_equal(again->number, 3); /* a number is never used twice */
    nodes_reset(&nodes);
}

static void a_node_can_come_to_stand_for_another_version(void **state) {
    struct nodes nodes = {0};
    (void)state;
    struct node *node = enter(&nodes, "1", -1);
    assert_true(nodes_rename(&nodes, node, "2"));
    assert_ptr_equal(enter(&nodes, "2", -1), node);
    struct node *one = enter(&nodes, "1", -1);
    assert_ptr_not_equal(one, node);
    assert_true(nodes_rename(&nodes, one, "2")); /* lookups go on to give the first of them */
    assert_string_equal(one->version, "2");
    assert_ptr_equal(enter(&nodes, "2", -1), node);
    nodes_release(&nodes, one, 1);
    assert_true(nodes_rename(&nodes, node, NULL));
    assert_ptr_equal(enter(&nodes, NULL, -1), node);
    wr_alloc_fail_at(1);
    assert_false(nodes_rename(&nodes, node, "3"));
    wr_alloc_fail_at(0);
    assert_ptr_equal(enter(&nodes, NULL, -1), node);
    nodes_reset(&nodes);
}

static void bytes_that_became_others_are_another_node(void **state) {
    struct nodes nodes = {0};
    (void)state;
    struct node *one = enter(&nodes, "1", 10);
    assert_ptr_not_equal(enter(&nodes, "1", 11), one);
    assert_int_equal(one->n_bytes, 10);
    assert_false(one->current);
    nodes_reset(&nodes);
}

static void bytes_without_a_version_are_the_same_for_two_seconds(void **state) {
    struct nodes nodes = {0};
    (void)state;
    now = 1000;
    struct node *one = enter(&nodes, NULL, -1);
    now = 60000; /* it took that long to make them */
    assert_ptr_equal(enter(&nodes, NULL, -1), one);
    one->n_bytes = 10;
    nodes_hold(&nodes, one, bytes_new(&nodes, some_file(), 10));
    one->fresh_until = one->held_until;
    now += HOLD_MS - 1;
    assert_ptr_equal(enter(&nodes, NULL, -1), one);
    now += 1;
    assert_ptr_not_equal(enter(&nodes, NULL, -1), one);
    nodes_reset(&nodes);
}

static void bytes_are_closed_when_neither_node_nor_handle_holds_them(void **state) {
    struct nodes nodes = {0};
    (void)state;
    now = 0;
    n_closed = 0;
    struct node *node = enter(&nodes, "1", 10);
    struct bytes *bytes = bytes_new(&nodes, some_file(), 10);
    nodes_hold(&nodes, node, bytes);
    bytes->refs++; /* a handle */
    assert_null(nodes_let_go(&nodes, HOLD_MS - 1));
    assert_ptr_equal(node->bytes, bytes);
    assert_null(nodes_let_go(&nodes, HOLD_MS));
    assert_null(node->bytes);
    assert_true(node->current);
    assert_ptr_equal(bytes_release(&nodes, bytes), some_file());
    assert_null(nodes.all_bytes);
    assert_int_equal(node->refs, 1);
    nodes_reset(&nodes);
    assert_int_equal(n_closed, 0);
}

static void the_end_closes_what_is_still_held(void **state) {
    struct nodes nodes = {0};
    (void)state;
    n_closed = 0;
    struct node *node = enter(&nodes, "1", 10);
    nodes_hold(&nodes, node, bytes_new(&nodes, some_file(), 10));
    nodes_retire(&nodes, node);
    nodes_reset(&nodes);
    assert_int_equal(n_closed, 1);
    assert_null(nodes.all);
}

static void ten_thousand_nodes_are_found_again(void **state) {
    struct nodes nodes = {0};
    struct node *all[10000];
    char path[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10000; i++) {
            snprintf(path, sizeof path, "/t/%d", i);
            const struct found found = {.path = path, .version = "v", .n_bytes = i};
            struct node *node = nodes_enter(&nodes, &found);
            if (round == 0) all[i] = node;
            assert_ptr_equal(node, all[i]);
        }
    }
    for (int i = 0; i < 10000; i++)
        nodes_release(&nodes, all[i], 2);
    assert_int_equal(nodes.n_nodes, 0);
    assert_null(nodes.all);
    nodes_reset(&nodes);
}

static void a_node_needs_memory(void **state) {
    struct nodes nodes = {0};
    (void)state;
    wr_alloc_fail_at(1);
    assert_null(enter(&nodes, "1", -1)); /* without a table */
    wr_alloc_fail_at(0);
    assert_non_null(enter(&nodes, "0", -1));
    for (int64_t n = 1; n <= 3; n++) {
        wr_alloc_fail_at(n);
        assert_null(enter(&nodes, "1", -1));
        wr_alloc_fail_at(0);
    }
    assert_int_equal(nodes.n_nodes, 1);
    nodes_reset(&nodes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_their_names_and_other_tables_one_for_each_encoding),
        cmocka_unit_test(encodings_that_were_asked_for_show_files_that_are_tables_too),
        cmocka_unit_test(tables_of_a_catalog_have_no_name_of_their_own),
        cmocka_unit_test(what_lies_there_hides_a_table_of_that_name),
        cmocka_unit_test(a_listing_fails_where_memory_does_and_leaks_none),
        cmocka_unit_test(only_extensions_of_encodings_are_encodings),
        cmocka_unit_test(a_version_is_a_node_and_another_version_another_one),
        cmocka_unit_test(a_node_can_come_to_stand_for_another_version),
        cmocka_unit_test(bytes_that_became_others_are_another_node),
        cmocka_unit_test(bytes_without_a_version_are_the_same_for_two_seconds),
        cmocka_unit_test(bytes_are_closed_when_neither_node_nor_handle_holds_them),
        cmocka_unit_test(the_end_closes_what_is_still_held),
        cmocka_unit_test(ten_thousand_nodes_are_found_again),
        cmocka_unit_test(a_node_needs_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
