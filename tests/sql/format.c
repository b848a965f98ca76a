/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text, as src/engines/conversion.rs of the crate shows them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "slt.h"

#define DEFAULT_PLACES 12
#define SPARK_PLACES 15

static enum ArrowType type_of(const struct ArrowSchema *schema) {
    struct ArrowSchemaView view;
    struct ArrowError error;
    if (ArrowSchemaViewInit(&view, schema, &error) != NANOARROW_OK)
        return NANOARROW_TYPE_UNINITIALIZED;
    return view.type;
}

char slt_type_letter(const struct ArrowSchema *schema) {
    switch (type_of(schema)) {
    case NANOARROW_TYPE_BOOL:
        return 'B';
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_INT16:
    case NANOARROW_TYPE_INT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_UINT64:
        return 'I';
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_DOUBLE:
    case NANOARROW_TYPE_DECIMAL32:
    case NANOARROW_TYPE_DECIMAL64:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        return 'R';
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return 'T';
    case NANOARROW_TYPE_DATE32:
    case NANOARROW_TYPE_DATE64:
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        return 'D';
    case NANOARROW_TYPE_TIMESTAMP:
        return 'P';
    case NANOARROW_TYPE_DICTIONARY:
        /* A dictionary of dictionaries is no text, though its values are. */
        if (schema->dictionary->dictionary != NULL) return '?';
        return slt_type_letter(schema->dictionary) == 'T' ? 'T' : '?';
    default:
        return '?';
    }
}

bool slt_formats(const struct ArrowSchema *schema) {
    switch (type_of(schema)) {
    case NANOARROW_TYPE_NA:
    case NANOARROW_TYPE_BOOL:
        return true;
    case NANOARROW_TYPE_DICTIONARY:
        return slt_formats(schema->dictionary);
    default:
        return strchr("RT", slt_type_letter(schema)) != NULL;
    }
}

/* Adds one to a number in digits; what overflows becomes a digit in front, for which there is room.
 */
static void increment(char *digits, size_t *n, long *exponent) {
    size_t i = *n;
    while (i > 0 && digits[i - 1] == '9')
        digits[--i] = '0';
    if (i > 0) {
        digits[i - 1]++;
        return;
    }
    memmove(digits + 1, digits, *n);
    digits[0] = '1';
    (*n)++;
    (*exponent)++;
}

/* The value is 0.DIGITS times ten to the exponent. */
static char *plain(bool negative, const char *digits, size_t n, long exponent) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (negative) fputc('-', out);
    if (exponent <= 0) fputs("0.", out);
    for (long i = exponent; i < 0; i++)
        fputc('0', out);
    for (size_t i = 0; i < n; i++) {
        if (exponent > 0 && (long)i == exponent) fputc('.', out);
        fputc(digits[i], out);
    }
    for (long i = (long)n; i < exponent; i++)
        fputc('0', out);
    fclose(out);
    return text;
}

char *slt_round_decimal(const char *number, int places) {
    bool negative = *number == '-';
    if (negative) number++;
    char *digits = xmalloc(strlen(number) + 2);
    size_t n = 0;
    long exponent = 0;
    bool in_fraction = false;
    for (; *number != '\0' && *number != 'e' && *number != 'E'; number++) {
        if (*number == '.') {
            in_fraction = true;
            continue;
        }
        if (n > 0 || *number != '0') {
            digits[n++] = *number;
            if (!in_fraction) exponent++;
        } else if (in_fraction) {
            exponent--;
        }
    }
    if (*number != '\0') exponent += strtol(number + 1, NULL, 10);
    digits[n] = '\0';
    long keep = exponent + places;
    if (keep < 0) n = 0;
    if (keep >= 0 && (size_t)keep < n) {
        bool odd = keep > 0 && (digits[keep - 1] - '0') % 2 == 1;
        bool more = strspn(digits + keep + 1, "0") < n - (size_t)keep - 1;
        bool up = digits[keep] > '5' || (digits[keep] == '5' && (more || odd));
        n = (size_t)keep;
        if (up) increment(digits, &n, &exponent);
    }
    while (n > 0 && digits[n - 1] == '0')
        n--;
    return n == 0 ? xstrdup("0") : plain(negative, digits, n, exponent);
}

/* `text` is the value rounded to an even last digit. Where it lay half way between two, Rust takes
 * the one farther from zero. */
static void round_half_away(double value, int precision, char *text) {
    char exact[64];
    snprintf(exact, sizeof exact, "%.*e", precision + 20, value);
    char *end = strchr(exact, 'e');
    char *dropped = end - 20;
    if (*dropped != '5' || strspn(dropped + 1, "0") != 19) return;
    char *kept = text + (dropped - exact) - 1;
    if ((*kept - '0') % 2 == 0 && *kept == dropped[-1]) (*kept)++;
}

/* The fewest digits that read back as the same number. */
static char *format_double(double value, bool single, int places) {
    if (isnan(value)) return xstrdup("NaN");
    if (isinf(value)) return xstrdup(value > 0 ? "Infinity" : "-Infinity");
    char text[64];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) {
            if (precision > 0) round_half_away(value, precision, text);
            break;
        }
    }
    return slt_round_decimal(text, places);
}

static char *format_decimal(const struct ArrowSchema *schema, const struct ArrowArrayView *view,
                            int64_t row) {
    struct ArrowSchemaView type;
    struct ArrowError error;
    struct ArrowDecimal value;
    struct ArrowBuffer buffer;
    if (ArrowSchemaViewInit(&type, schema, &error) != NANOARROW_OK) abort();
    ArrowDecimalInit(&value, type.decimal_bitwidth, type.decimal_precision, type.decimal_scale);
    ArrowArrayViewGetDecimalUnsafe(view, row, &value);
    ArrowBufferInit(&buffer);
    if (ArrowDecimalAppendDigitsToBuffer(&value, &buffer) != NANOARROW_OK) abort();
    char *number =
        xprintf("%.*se%d", (int)buffer.size_bytes, (const char *)buffer.data, -type.decimal_scale);
    ArrowBufferReset(&buffer);
    return slt_round_decimal(number, type.decimal_scale);
}

/* An empty text is made visible, final line ends are dropped, and NUL is shown as \0. */
static char *format_string(struct ArrowStringView value) {
    if (value.size_bytes == 0) return xstrdup("(empty)");
    while (value.size_bytes > 0 && value.data[value.size_bytes - 1] == '\n')
        value.size_bytes--;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (int64_t i = 0; i < value.size_bytes; i++) {
        if (value.data[i] == '\0')
            fputs("\\0", out);
        else
            fputc(value.data[i], out);
    }
    fclose(out);
    return text;
}

char *slt_format(const struct ArrowSchema *schema, const struct ArrowArrayView *view, int64_t row,
                 bool spark) {
    if (ArrowArrayViewIsNull(view, row)) return xstrdup("NULL");
    enum ArrowType type = type_of(schema);
    switch (type) {
    case NANOARROW_TYPE_NA:
        return xstrdup("NULL");
    case NANOARROW_TYPE_BOOL:
        return xstrdup(ArrowArrayViewGetIntUnsafe(view, row) ? "true" : "false");
    case NANOARROW_TYPE_DICTIONARY:
        return slt_format(schema->dictionary, view->dictionary,
                          ArrowArrayViewGetIntUnsafe(view, row), spark);
    case NANOARROW_TYPE_DOUBLE:
        return format_double(ArrowArrayViewGetDoubleUnsafe(view, row), false,
                             spark ? SPARK_PLACES : DEFAULT_PLACES);
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_HALF_FLOAT:
        return format_double(ArrowArrayViewGetDoubleUnsafe(view, row), true, DEFAULT_PLACES);
    case NANOARROW_TYPE_DECIMAL32:
    case NANOARROW_TYPE_DECIMAL64:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        return format_decimal(schema, view, row);
    default:
        return format_string(ArrowArrayViewGetStringUnsafe(view, row));
    }
}
