/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slt [--own] [--excluded LIST] [--differences LIST] [--jobs N] [--summary] [--parse-only] ROOT
 * [FILE...]
 *
 * Runs the .slt files below ROOT/test_files (or the FILEs, named as below test_files), each in a
 * process and workspace of its own, from a scratch copy of ROOT. Exit code 1 if a record fails that
 * LIST does not name, or passes though it does.
 *
 * ROOT is the published crate, whose settings are made as its own runner makes them. With --own the
 * files are ours: they lie in ROOT itself and run with weir's defaults.
 */
#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slt.h"

#define DEADLINE_SECONDS 120
#define MAX_JOBS 16
#define CRATE_PLACE "datafusion/sqllogictest"

/* Shared with the child that runs the file, so that a crash leaves its place. */
struct tally {
    int passed, failed, known, surprising;
    int rules[SLT_N_RULES];
    int total, done;
    char place[256];
};

struct job {
    pid_t pid;
    char *name;
    FILE *report;
    struct tally *tally;
};

static struct slt_list excluded, differences;
static struct tally sum;
static bool summary, own;
const char *slt_error_prefix = "DataFusion error: ";
const char *slt_workspace_root;

void *xmalloc(size_t size) {
    return xrealloc(NULL, size);
}

void *xrealloc(void *memory, size_t size) {
    memory = realloc(memory, size > 0 ? size : 1);
    if (memory == NULL) abort();
    return memory;
}

char *xstrdup(const char *text) {
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length) {
    char *copy = xmalloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *xprintf(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) abort();
    va_end(args);
    return text;
}

static void die(const char *what, const char *detail) {
    fprintf(stderr, "slt: %s: %s\n", what, detail);
    exit(2);
}

/* ---- The scratch copy ---- */

static void link_entries(const char *from, const char *to, const char *except) {
    char *paths[] = {xstrdup(from), NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_level != 1 || entry->fts_info == FTS_DP) continue;
        if (entry->fts_info == FTS_D) fts_set(walk, entry, FTS_SKIP);
        if (except != NULL && strcmp(entry->fts_name, except) == 0) continue;
        if (symlink(entry->fts_path, xprintf("%s/%s", to, entry->fts_name)) != 0)
            die(entry->fts_path, strerror(errno));
    }
    fts_close(walk);
}

/*
 * Links what is read, and makes test_files/scratch, where the tests write. The crate's place in its
 * repository is kept, because results name it.
 */
static char *make_scratch(const char *root) {
    char *top = xprintf("%s/slt-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(top) == NULL) die(top, strerror(errno));
    char *copy = xprintf("%s/" CRATE_PLACE, top);
    char *files = xprintf("%s/test_files", copy);
    if (mkdir(xprintf("%s/datafusion", top), 0777) != 0 || mkdir(copy, 0777) != 0 ||
        mkdir(files, 0777) != 0 || mkdir(xprintf("%s/scratch", files), 0777) != 0)
        die(files, strerror(errno));
    if (own) {
        link_entries(root, files, NULL);
        return top;
    }
    link_entries(root, copy, "test_files");
    link_entries(xprintf("%s/test_files", root), files, NULL);
    /* Some tests read files of a sibling crate, which cargo has put beside this one. */
    const char *version = strrchr(root, '-');
    char *sibling =
        xprintf("%s/../datafusion-datasource-arrow%s", root, version != NULL ? version : "");
    if (access(sibling, R_OK) == 0 &&
        symlink(sibling, xprintf("%s/datafusion/datasource-arrow", top)) != 0)
        die(sibling, strerror(errno));
    return top;
}

static void remove_tree(char *top) {
    char *paths[] = {top, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_D) continue;
        if (entry->fts_info == FTS_DP)
            rmdir(entry->fts_accpath);
        else
            unlink(entry->fts_accpath);
    }
    fts_close(walk);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **find_scripts(const char *root, size_t *ret_n) {
    char *top = xprintf("%s%s", root, own ? "" : "/test_files");
    char *paths[] = {top, NULL};
    char **names = NULL;
    size_t n = 0;
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        size_t length = strlen(entry->fts_path);
        if (entry->fts_info != FTS_F || length <= strlen(top) + 4 ||
            strcmp(entry->fts_path + length - 4, ".slt") != 0)
            continue;
        names = xrealloc(names, (n + 1) * sizeof *names);
        names[n++] = xstrdup(entry->fts_path + strlen(top) + 1);
    }
    fts_close(walk);
    qsort(names, n, sizeof *names, compare_names);
    *ret_n = n;
    return names;
}

/* ---- One file ---- */

static struct weir_session *open_session(bool spark, struct weir_workspace **ret_workspace) {
    struct weir_error error = {0};
    struct weir_session *session = NULL;
    struct weir_workspace_options options = {.size = sizeof options};
    /* What the crate's runner sets, and where weir's defaults differ from the engine's. */
    struct weir_option settings[] = {{"datafusion.execution.target_partitions", "4"},
                                     {"datafusion.catalog.information_schema", "false"},
                                     {"datafusion.sql_parser.dialect", "Spark"}};
    struct weir_session_options session_options = {.size = sizeof session_options,
                                                   .settings = settings,
                                                   .n_settings = own     ? 0
                                                                 : spark ? 3
                                                                         : 2,
                                                   .functions = spark ? "spark" : NULL};
    if (!own) {
        options.catalog = "datafusion";
        options.schema = "public";
    }
    if (weir_workspace_open(&options, ret_workspace, &error) != WEIR_OK ||
        weir_session_open(*ret_workspace, &session_options, &session, &error) != WEIR_OK)
        die("the session does not open", error.message);
    return session;
}

static void judge(struct tally *tally, const struct slt_record *record, bool passed,
                  const char *difference, FILE *report) {
    const char *reason = slt_list_reason(&differences, tally->place);
    if (passed && reason == NULL) {
        tally->passed++;
    } else if (!passed && reason != NULL) {
        tally->known++;
    } else {
        if (passed)
            tally->surprising++;
        else
            tally->failed++;
        fprintf(report, "%s %s\n  %s\n%s\n",
                passed ? "PASS, though listed as a difference" : "FAIL", tally->place, record->sql,
                difference);
    }
}

static void run_records(const struct slt_script *script, const char *name, struct tally *tally,
                        FILE *report) {
    bool spark = strncmp(name, "spark/", 6) == 0;
    struct weir_workspace *workspace = NULL;
    struct weir_session *session = open_session(spark, &workspace);
    char *message;
    if (!own && !slt_prepare(session, name, &message)) die(name, message);
    for (size_t i = 0; i < script->n_records; i++, tally->done++) {
        const struct slt_record *record = &script->records[i];
        const char *inside = strstr(record->file, "test_files/");
        snprintf(tally->place, sizeof tally->place, "%s:%d",
                 inside != NULL ? inside + strlen("test_files/") : record->file, record->line);
        if (strcmp(name, inside != NULL ? inside + strlen("test_files/") : name) != 0)
            snprintf(tally->place, sizeof tally->place, "%s>%s:%d", name,
                     strrchr(record->file, '/') + 1, record->line);
        enum slt_rule rule = own ? SLT_RUN : slt_rule_of(record);
        if (rule != SLT_RUN) {
            tally->rules[rule]++;
            continue;
        }
        struct slt_result result;
        char *difference = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&difference, &length);
        slt_run(session, record->sql, spark, &result);
        bool passed = slt_match(record, &result, out);
        fclose(out);
        judge(tally, record, passed, difference, report);
        fflush(report);
        free(difference);
    }
    snprintf(tally->place, sizeof tally->place, "%s, while closing", name);
    weir_session_close(session);
    weir_workspace_close(workspace);
}

/* In the child. The deadline kills it, as a crash would. */
static void run_file(const char *name, const char *scratch, struct tally *tally, FILE *report) {
    char *stem = xstrdup(name);
    stem = basename(stem);
    stem[strlen(stem) - strlen(".slt")] = '\0';
    slt_workspace_root = scratch + 1;
    if (chdir(xprintf("%s/" CRATE_PLACE, scratch)) != 0) die(scratch, strerror(errno));
    char *directory = xprintf("test_files/scratch/%s", stem);
    remove_tree(directory);
    if (mkdir(directory, 0777) != 0) die(directory, strerror(errno));
    struct slt_script script;
    char *message;
    if (!slt_parse(xprintf("test_files/%s", name), &script, &message)) die("cannot parse", message);
    tally->total = (int)script.n_records;
    snprintf(tally->place, sizeof tally->place, "%s, before its first record", name);
    alarm(DEADLINE_SECONDS);
    run_records(&script, name, tally, report);
}

static void start(struct job *job, char *name, const char *scratch) {
    job->name = name;
    job->report = tmpfile();
    job->tally =
        mmap(NULL, sizeof *job->tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job->report == NULL || job->tally == MAP_FAILED) die("no room for a job", strerror(errno));
    fflush(stdout);
    job->pid = fork();
    if (job->pid < 0) die("fork", strerror(errno));
    if (job->pid == 0) {
        run_file(name, scratch, job->tally, job->report);
        fflush(job->report);
        _exit(0);
    }
}

static void finish(struct job *job, int status) {
    struct tally *tally = job->tally;
    int missing = tally->total - tally->done;
    char line[4096];
    rewind(job->report);
    while (fgets(line, sizeof line, job->report) != NULL)
        fputs(line, stdout);
    fclose(job->report);
    if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
        if (missing == 0) missing = 1;
        printf("FAIL %s\n  the process ended with %s %d; %d records were not run\n\n", tally->place,
               WIFSIGNALED(status)
                   ? (WTERMSIG(status) == SIGALRM ? "its deadline, signal" : "signal")
                   : "exit code",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), missing);
        tally->failed += missing;
    }
    if (summary)
        printf("%-60s %5d passed %4d failed %4d known %4d left out\n", job->name, tally->passed,
               tally->failed, tally->known, tally->rules[SLT_EXPLAIN] + tally->rules[SLT_OUTSIDE]);
    sum.passed += tally->passed;
    sum.failed += tally->failed;
    sum.known += tally->known;
    sum.surprising += tally->surprising;
    for (int i = 0; i < SLT_N_RULES; i++)
        sum.rules[i] += tally->rules[i];
    munmap(tally, sizeof *tally);
    job->pid = 0;
}

static void wait_for_one(struct job *jobs, size_t n_jobs) {
    int status;
    pid_t pid = wait(&status);
    for (size_t i = 0; i < n_jobs; i++) {
        if (pid > 0 && jobs[i].pid == pid) finish(&jobs[i], status);
    }
}

static struct job *free_job(struct job *jobs, size_t n_jobs) {
    while (true) {
        for (size_t i = 0; i < n_jobs; i++) {
            if (jobs[i].pid == 0) return &jobs[i];
        }
        wait_for_one(jobs, n_jobs);
    }
}

static int parse_only(const char *root, char **names, size_t n) {
    size_t n_records = 0;
    for (size_t i = 0; i < n; i++) {
        struct slt_script script;
        char *message;
        if (!slt_parse(xprintf("%s%s/%s", root, own ? "" : "/test_files", names[i]), &script,
                       &message))
            die("cannot parse", message);
        n_records += script.n_records;
    }
    printf("slt: %zu files, %zu records\n", n, n_records);
    return 0;
}

static int report(void) {
    for (int i = 1; i < SLT_N_RULES; i++) {
        if (sum.rules[i] > 0)
            printf("slt: %d records left out: %s\n", sum.rules[i], slt_rule_reasons[i]);
    }
    int total = sum.passed + sum.surprising + sum.failed + sum.known;
    int agree = sum.passed + sum.surprising;
    if (sum.known > 0) printf("slt: %d known differences, listed with their reasons\n", sum.known);
    if (sum.surprising > 0) printf("slt: %d listed differences pass\n", sum.surprising);
    printf("slt: %.2f %% of %d records\n", total > 0 ? 100.0 * agree / total : 0.0, total);
    /* A listed difference that passes fails the run: the list is to stay true. */
    printf("slt: %d passed, %d failed\n", sum.passed, sum.failed + sum.surprising);
    return total == 0 || sum.failed > 0 || sum.surprising > 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"own", no_argument, NULL, 'o'},
                                            {"excluded", required_argument, NULL, 'e'},
                                            {"differences", required_argument, NULL, 'd'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"summary", no_argument, NULL, 's'},
                                            {"parse-only", no_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    size_t n_jobs = 2;
    bool only_parse = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'e' && !slt_list_read(optarg, &excluded)) die(optarg, strerror(errno));
        if (option == 'd' && !slt_list_read(optarg, &differences)) die(optarg, strerror(errno));
        if (option == 'j') n_jobs = (size_t)atoi(optarg);
        if (option == 'o') own = true, slt_error_prefix = "";
        if (option == 's') summary = true;
        if (option == 'p') only_parse = true;
        if (option == '?') return 2;
    }
    if (optind >= argc || n_jobs < 1 || n_jobs > MAX_JOBS) {
        fprintf(stderr,
                "usage: slt [--own] [--excluded LIST] [--differences LIST] [--jobs N] [--summary] "
                "[--parse-only] ROOT [FILE...]\n");
        return 2;
    }
    char *root = realpath(argv[optind++], NULL);
    if (root == NULL) die(argv[optind - 1], strerror(errno));
    size_t n = (size_t)(argc - optind);
    char **names = argv + optind;
    bool chosen = n > 0;
    if (!chosen) names = find_scripts(root, &n);
    if (n == 0) die(root, "there are no .slt files below test_files");
    if (only_parse) return parse_only(root, names, n);

    char *scratch = make_scratch(root);
    struct job jobs[MAX_JOBS] = {0};
    int n_excluded = 0;
    for (size_t i = 0; i < n; i++) {
        if (!chosen && slt_list_reason(&excluded, names[i]) != NULL) {
            n_excluded++;
            continue;
        }
        start(free_job(jobs, n_jobs), names[i], scratch);
    }
    for (size_t i = 0; i < n_jobs; i++) {
        while (jobs[i].pid != 0)
            wait_for_one(jobs, n_jobs);
    }
    remove_tree(scratch);
    if (n_excluded > 0) printf("slt: %d files left out, listed with their reasons\n", n_excluded);
    return report();
}
