/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_DEPTH = 64 };

/* ---- Out ---- */

void wp_put(struct wp_out *out, const void *data, size_t length) {
    if (out->failed || length == 0) return;
    if (out->length + length > out->capacity) {
        size_t capacity = out->capacity * 2 > out->length + length ? out->capacity * 2
                                                                   : out->length + length + 256;
        uint8_t *grown = realloc(out->data, capacity);
        if (!grown) {
            out->failed = true;
            return;
        }
        out->data = grown;
        out->capacity = capacity;
    }
    memcpy(out->data + out->length, data, length);
    out->length += length;
}

void wp_put_number(struct wp_out *out, int64_t number) {
    wp_put(out, &number, sizeof number);
}

void wp_put_bytes(struct wp_out *out, const void *data, size_t length) {
    wp_put_number(out, (int64_t)length);
    wp_put(out, data, length);
}

void wp_put_text(struct wp_out *out, const char *text) {
    wp_put_number(out, text ? 1 : 0);
    if (text) wp_put_bytes(out, text, strlen(text) + 1);
}

static size_t metadata_size(const char *metadata) {
    int32_t n_pairs, length;
    size_t at = sizeof n_pairs;
    memcpy(&n_pairs, metadata, sizeof n_pairs);
    for (int64_t i = 0; i < 2 * (int64_t)n_pairs; i++) {
        memcpy(&length, metadata + at, sizeof length);
        at += sizeof length + (size_t)length;
    }
    return at;
}

void wp_put_schema(struct wp_out *out, const struct ArrowSchema *schema) {
    wp_put_text(out, schema->format);
    wp_put_text(out, schema->name);
    wp_put_bytes(out, schema->metadata, schema->metadata ? metadata_size(schema->metadata) : 0);
    wp_put_number(out, schema->flags);
    wp_put_number(out, schema->dictionary ? 1 : 0);
    if (schema->dictionary) wp_put_schema(out, schema->dictionary);
    wp_put_number(out, schema->n_children);
    for (int64_t i = 0; i < schema->n_children; i++)
        wp_put_schema(out, schema->children[i]);
}

void wp_out_reset(struct wp_out *out) {
    free(out->data);
    *out = (struct wp_out){0};
}

/* ---- In ---- */

int64_t wp_get_number(struct wp_in *in) {
    int64_t number = 0;
    if (in->failed || in->length - in->at < sizeof number) {
        in->failed = true;
        return 0;
    }
    memcpy(&number, in->data + in->at, sizeof number);
    in->at += sizeof number;
    return number;
}

const uint8_t *wp_get_bytes(struct wp_in *in, size_t *ret_length) {
    uint64_t length = (uint64_t)wp_get_number(in);
    *ret_length = 0;
    if (in->failed || length > in->length - in->at) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *bytes = in->data + in->at;
    in->at += length;
    *ret_length = length;
    return bytes;
}

const char *wp_get_text(struct wp_in *in) {
    size_t length;
    if (wp_get_number(in) != 1) return NULL;
    const uint8_t *text = wp_get_bytes(in, &length);
    if (!text || length == 0 || memchr(text, 0, length) != text + length - 1) {
        in->failed = true;
        return NULL;
    }
    return (const char *)text;
}

/* Whether the pairs fill the bytes exactly. */
static bool is_metadata(const uint8_t *data, size_t size) {
    int32_t n_pairs, length;
    size_t at = sizeof n_pairs;
    if (size < at) return false;
    memcpy(&n_pairs, data, sizeof n_pairs);
    for (int64_t i = 0; i < 2 * (int64_t)n_pairs; i++) {
        if (size - at < sizeof length) return false;
        memcpy(&length, data + at, sizeof length);
        at += sizeof length;
        if (length < 0 || (size_t)length > size - at) return false;
        at += (size_t)length;
    }
    return n_pairs >= 0 && at == size;
}

static void free_nodes(struct ArrowSchema *node) {
    for (int64_t i = 0; i < node->n_children && node->children; i++) {
        if (!node->children[i]) continue;
        free_nodes(node->children[i]);
        free(node->children[i]);
    }
    if (node->dictionary) free_nodes(node->dictionary);
    free(node->dictionary);
    free(node->children);
}

/* Nodes whose texts are the message's. */
static bool read_node(struct wp_in *in, struct ArrowSchema *node, int depth) {
    size_t metadata;
    *node = (struct ArrowSchema){.format = wp_get_text(in), .name = wp_get_text(in)};
    node->metadata = (const char *)wp_get_bytes(in, &metadata);
    if (metadata == 0) node->metadata = NULL;
    node->flags = wp_get_number(in);
    if (in->failed || !node->format || depth > MOST_DEPTH ||
        (node->metadata && !is_metadata((const uint8_t *)node->metadata, metadata)))
        return false;
    if (wp_get_number(in) == 1) {
        node->dictionary = calloc(1, sizeof *node->dictionary);
        if (!node->dictionary || !read_node(in, node->dictionary, depth + 1)) return false;
    }
    int64_t n_children = wp_get_number(in);
    if (in->failed || n_children < 0 || (uint64_t)n_children > in->length) return false;
    if (n_children == 0) return true;
    node->children = calloc((size_t)n_children, sizeof *node->children);
    if (!node->children) return false;
    node->n_children = n_children;
    for (int64_t i = 0; i < n_children; i++) {
        node->children[i] = calloc(1, sizeof *node->children[i]);
        if (!node->children[i] || !read_node(in, node->children[i], depth + 1)) return false;
    }
    return true;
}

int wp_get_schema(struct wp_in *in, struct ArrowSchema *ret_schema) {
    struct ArrowSchema node;
    bool is_read = read_node(in, &node, 0);
    int result = is_read ? wp_schema_copy(&node, ret_schema) : EBADMSG;
    free_nodes(&node);
    return result;
}

/* ---- Messages ---- */

struct head {
    uint32_t type;
    uint32_t has_fd;
    uint64_t length;
};

static int send_all(int socket, const void *data, size_t length) {
    const uint8_t *at = data;
    while (length > 0) {
        ssize_t n = send(socket, at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

int wp_send(int socket, int type, const struct wp_out *out, int fd) {
    if (out && out->failed) return ENOMEM;
    struct head head = {(uint32_t)type, fd >= 0, out ? out->length : 0};
    struct iovec piece = {&head, sizeof head};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno;
    int number =
        (size_t)n < sizeof head ? send_all(socket, (char *)&head + n, sizeof head - (size_t)n) : 0;
    return number ? number : send_all(socket, out ? out->data : NULL, head.length);
}

static int receive_all(int socket, void *data, size_t length) {
    uint8_t *at = data;
    while (length > 0) {
        ssize_t n = recv(socket, at, length, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? errno : EPIPE;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

static int receive_head(int socket, struct head *head, int *ret_fd) {
    struct iovec piece = {head, sizeof *head};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return n < 0 ? errno : EPIPE;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
    }
    return (size_t)n < sizeof *head
               ? receive_all(socket, (char *)head + n, sizeof *head - (size_t)n)
               : 0;
}

int wp_receive(int socket, struct wp_frame *ret_frame) {
    struct head head;
    struct wp_frame frame = {.fd = -1};
    int number = receive_head(socket, &head, &frame.fd);
    if (number == 0 && (head.length > (uint64_t)1 << 40 || head.has_fd != (frame.fd >= 0)))
        number = EBADMSG;
    if (number == 0) {
        frame.type = (int)head.type;
        frame.bytes.length = head.length;
        frame.bytes.data = malloc(head.length + 1);
        number = frame.bytes.data ? receive_all(socket, frame.bytes.data, head.length) : ENOMEM;
    }
    if (number)
        wp_frame_reset(&frame);
    else
        *ret_frame = frame;
    return number;
}

void wp_frame_reset(struct wp_frame *frame) {
    if (frame->fd >= 0) close(frame->fd);
    free(frame->bytes.data);
    *frame = (struct wp_frame){.fd = -1};
}
