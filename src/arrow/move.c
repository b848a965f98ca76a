/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"

#include <stddef.h>

void wr_arrow_move_schema(struct ArrowSchema *from, struct ArrowSchema *to) {
    *to = *from;
    from->release = NULL;
}

void wr_arrow_move_array(struct ArrowArray *from, struct ArrowArray *to) {
    *to = *from;
    from->release = NULL;
}

void wr_arrow_move_stream(struct ArrowArrayStream *from, struct ArrowArrayStream *to) {
    *to = *from;
    from->release = NULL;
}

void wr_arrow_release_schema(struct ArrowSchema *schema) {
    if (schema && schema->release) schema->release(schema);
}

void wr_arrow_release_array(struct ArrowArray *array) {
    if (array && array->release) array->release(array);
}

void wr_arrow_release_stream(struct ArrowArrayStream *stream) {
    if (!stream || !stream->release) return;
    stream->release(stream);
    stream->release = NULL; /* some drivers leave it */
}
