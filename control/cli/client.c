/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control/server/socket_file.h"
#include "flashgate/control_api.h"
#include "flashgate/exit_status.h"

#define ANSWER_LIMIT_S   30 /* above all that the engine allows itself for one call */
#define ANSWER_BYTES_MAX (256 << 20)

static int unreachable(char *message, size_t size, const char *path, const char *what, int error)
{
    snprintf(message, size, "%s: %s%s%s", path, what, error ? ": " : "",
             error ? strerror(error) : "");
    return FG_EXIT_UNREACHABLE;
}

static int connect_to(const char *path, char *message, size_t size)
{
    int fd = fg_socket_connect(path);
    if (fd == -ENOENT || fd == -ECONNREFUSED)
        return -unreachable(message, size, path,
                            "no engine answers on this control socket; start flashgated, or name "
                            "its socket with --socket",
                            0);
    if (fd < 0)
        return -unreachable(message, size, path, "the control socket cannot be reached", -fd);
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

/* 0 or an errno. */
static int send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        text += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Reads up to the newline: an allocated, terminated line; NULL with *error. */
static char *receive_line(int fd, int *error)
{
    size_t used = 0, room = 64 << 10;
    char *line = malloc(room);
    *error = ENOMEM;
    while (line) {
        ssize_t n = recv(fd, line + used, room - used - 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        *error = n < 0 ? errno : ECONNRESET;
        if (n <= 0)
            break;
        char *end = memchr(line + used, '\n', (size_t)n);
        used += (size_t)n;
        if (end) {
            *end = '\0';
            return line;
        }
        *error = EMSGSIZE;
        if (used + 1 < room)
            continue;
        if (room >= ANSWER_BYTES_MAX)
            break;
        char *grown = realloc(line, room * 2);
        *error = ENOMEM;
        if (!grown)
            break;
        line = grown;
        room *= 2;
    }
    free(line);
    return NULL;
}

/* What an operator's script learns from the exit status. */
static int status_of(int code)
{
    switch (code) {
    case FG_RPC_SALE_FILE:
        return FG_EXIT_CONFIG;
    case FG_RPC_PARAMS:
        return FG_EXIT_USAGE;
    case FG_RPC_CONFIRM:
        return FG_EXIT_UNCONFIRMED;
    case FG_RPC_REFUSED:
    case FG_RPC_FORBIDDEN:
    case FG_RPC_NOT_FOUND:
    case FG_RPC_INVALID:
        return FG_EXIT_REFUSED;
    default:
        return FG_EXIT_FAILED;
    }
}

static int read_answer(const char *path, const char *line, json_t **result, char *message,
                       size_t size)
{
    json_t *answer = json_loads(line, 0, NULL);
    json_t *error = json_object_get(answer, "error");
    *result = json_incref(json_object_get(answer, "result"));
    int status = FG_EXIT_OK;
    if (error) {
        const char *text = json_string_value(json_object_get(error, "message"));
        snprintf(message, size, "%s", text ? text : "the engine gave no reason");
        status = status_of((int)json_integer_value(json_object_get(error, "code")));
        if (status == FG_EXIT_UNCONFIRMED)
            *result = json_incref(json_object_get(error, "data"));
    } else if (!*result) {
        status = unreachable(message, size, path, "what answers here is not an engine", 0);
    }
    json_decref(answer);
    return status;
}

static char *request_line(const char *method, json_t *params)
{
    json_t *request = json_pack("{s:s,s:i,s:s,s:o*}", "jsonrpc", "2.0", "id", 1, "method", method,
                                "params", params);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    char *line = NULL;
    json_decref(request);
    if (text && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

int fg_client_call(const char *socket_path, const char *method, json_t *params, json_t **result,
                   char *message, size_t size)
{
    *result = NULL;
    char *request = request_line(method, params);
    if (!request) {
        snprintf(message, size, "memory is short for the request");
        return FG_EXIT_MEMORY;
    }
    int status, error;
    int fd = connect_to(socket_path, message, size);
    if (fd < 0) {
        status = -fd;
        goto free_request;
    }
    /* An engine that has had enough may answer and close before it has read all: so the answer is
     * looked for even after a failed send. */
    int send_error = send_all(fd, request, strlen(request));
    char *line = receive_line(fd, &error);
    if (line)
        status = read_answer(socket_path, line, result, message, size);
    else
        status = unreachable(message, size, socket_path, "the engine did not answer",
                             send_error ? send_error : error);
    free(line);
    close(fd);
free_request:
    free(request);
    return status;
}
