/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a function for fuzzing over the files of a corpus, then over what chance makes of them:
 *
 *     fuzz_ipc [--runs N] [--seconds N] [--seed N] [--keep FILE] CORPUS...
 *
 * The same seed gives the same inputs. An input that ends the process, or takes longer than
 * INPUT_SECONDS, is left in FILE (fuzz-failure): run it again as the whole corpus, with --runs 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { MOST_FILES = 1000, MOST_BYTES = 64 * 1024, INPUT_SECONDS = 30, MOST_CHANGES = 6 };

struct piece {
    uint8_t *data;
    size_t size;
};

static struct piece corpus[MOST_FILES];
static size_t n_corpus;
static uint8_t input[MOST_BYTES];
static size_t n_input;
static const char *failure = "fuzz-failure";
static uint64_t state;

/* ---- What is left of a failure ---- */

static void keep_input(void) {
    int fd = open(failure, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return;
    ssize_t ignored = write(fd, input, n_input);
    (void)ignored;
    close(fd);
}

static void on_signal(int number) {
    static const char text[] = "fuzz: the input is kept in the file of --keep\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    keep_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* Of sanitizers, which may end the process without a signal. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void) {
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], on_signal);
    signal(SIGPIPE, SIG_IGN);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(keep_input);
}

/* ---- The corpus ---- */

static void die(const char *what) {
    fprintf(stderr, "fuzz: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void add_file(const char *path) {
    FILE *file = fopen(path, "rbe");
    if (!file) die(path);
    uint8_t *data = malloc(MOST_BYTES);
    if (!data || n_corpus == MOST_FILES) die(path);
    size_t size = fread(data, 1, MOST_BYTES, file);
    fclose(file);
    corpus[n_corpus++] = (struct piece){data, size};
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add(const char *path) {
    struct stat status;
    struct dirent **names;
    char full[4096];
    if (stat(path, &status)) die(path);
    if (!S_ISDIR(status.st_mode)) {
        add_file(path);
        return;
    }
    int n = scandir(path, &names, NULL, by_name);
    if (n < 0) die(path);
    for (int i = 0; i < n; i++) {
        snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.') add_file(full);
        free(names[i]);
    }
    free(names);
}

/* ---- Chance (splitmix64) ---- */

static uint64_t roll(void) {
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Below n, which is not 0. */
static size_t below(size_t n) {
    return (size_t)(roll() % n);
}

/* Room for n bytes at a place; false: there is none. */
static int open_gap(size_t at, size_t n) {
    if (n_input + n > MOST_BYTES) return 0;
    memmove(input + at + n, input + at, n_input - at);
    n_input += n;
    return 1;
}

static void insert(size_t at, const void *data, size_t n) {
    if (open_gap(at, n)) memcpy(input + at, data, n);
}

static void remove_some(void) {
    size_t at = below(n_input), n = 1 + below(n_input - at < 64 ? n_input - at : 64);
    memmove(input + at, input + at + n, n_input - at - n);
    n_input -= n;
}

/* A number that stands at a border, in some width and order. */
static void put_number(void) {
    static const uint64_t borders[] = {0,          1,          0x7f,       0x80,
                                       0xff,       0x7fff,     0x8000,     0xffff,
                                       0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX >> 1,
                                       UINT64_MAX, 64,         16384,      1 << 24};
    uint64_t number = borders[below(sizeof borders / sizeof *borders)];
    size_t width = (size_t)1 << below(4), is_big = below(2);
    if (width > n_input) return;
    size_t at = below(n_input - width + 1);
    if (below(4) == 0) number += roll() % 5 - 2;
    for (size_t i = 0; i < width; i++)
        input[at + i] = (uint8_t)(number >> 8 * (is_big ? width - 1 - i : i));
}

static void put_word(void) {
    size_t n_words = 0;
    while (fuzz_words[n_words])
        n_words++;
    if (n_words == 0) return;
    const char *word = fuzz_words[below(n_words)];
    insert(below(n_input + 1), word, strlen(word));
}

/* A piece of another file, or of this input. */
static void copy_some(void) {
    uint8_t copy[256];
    const struct piece *from = &corpus[below(n_corpus)];
    struct piece own = {input, n_input};
    if (below(2)) from = &own;
    if (from->size == 0) return;
    size_t at = below(from->size), most = from->size - at;
    size_t n = 1 + below(most < sizeof copy ? most : sizeof copy);
    memcpy(copy, from->data + at, n);
    size_t to = below(n_input + 1);
    if (below(2)) {
        insert(to, copy, n);
    } else {
        if (n > n_input - to) n = n_input - to;
        memcpy(input + to, copy, n);
    }
}

static void change(void) {
    uint8_t byte = (uint8_t)roll();
    switch (n_input == 0 ? 3 : below(9)) {
    case 0:
    case 1:
        input[below(n_input)] ^= (uint8_t)(1u << below(8));
        break;
    case 2:
        input[below(n_input)] = byte;
        break;
    case 3:
        insert(below(n_input + 1), &byte, 1);
        break;
    case 4:
        remove_some();
        break;
    case 5:
        put_number();
        break;
    case 6:
        put_word();
        break;
    case 7:
        copy_some();
        break;
    default:
        if (below(4) == 0) n_input = below(n_input); /* cut */
    }
}

/* ---- Running ---- */

/* In memory of just its size, so that a sanitizer sees what is read behind it. */
static void run(void) {
    uint8_t *copy = malloc(n_input ? n_input : 1);
    if (!copy) die("memory");
    memcpy(copy, input, n_input);
    alarm(INPUT_SECONDS);
    LLVMFuzzerTestOneInput(copy, n_input);
    alarm(0);
    free(copy);
}

static void start_from(const struct piece *piece) {
    memcpy(input, piece->data, piece->size);
    n_input = piece->size;
}

static uint64_t number_of(const char *name, const char *text) {
    char *end;
    uint64_t number = text ? strtoull(text, &end, 10) : 0;
    if (text && *text && !*end) return number;
    fprintf(stderr, "fuzz: %s takes a number\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    uint64_t runs = 1000, seconds = 0, done = 0;
    state = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0)
            runs = number_of(argv[i], argv[i + 1]), i++;
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = number_of(argv[i], argv[i + 1]), runs = UINT64_MAX, i++;
        else if (strcmp(argv[i], "--seed") == 0)
            state = number_of(argv[i], argv[i + 1]), i++;
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            failure = argv[++i];
        else
            add(argv[i]);
    }
    if (n_corpus == 0) {
        fprintf(stderr, "fuzz: there is no corpus\n");
        return 2;
    }
    watch();
    for (size_t i = 0; i < n_corpus; i++) {
        start_from(&corpus[i]);
        run();
    }
    time_t end = time(NULL) + (time_t)seconds;
    for (; done < runs && (seconds == 0 || time(NULL) < end); done++) {
        start_from(&corpus[below(n_corpus)]);
        for (size_t i = 1 + below(MOST_CHANGES); i > 0; i--)
            change();
        run();
    }
    printf("%zu inputs of the corpus, %llu made of them\n", n_corpus, (unsigned long long)done);
    for (size_t i = 0; i < n_corpus; i++)
        free(corpus[i].data);
    return 0;
}
