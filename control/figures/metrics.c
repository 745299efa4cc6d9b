/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/figures/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control.h"
#include "control/figures/figures.h"
#include "control/figures/metrics_address.h"
#include "control/server/socket_file.h"
#include "flashgate/exit_status.h"

#define CONNECTIONS_MAX 16    /* scrapers of one machine; one more takes the oldest's place */
#define CONNECTION_S    5     /* without progress */
#define REQUEST_BYTES   16384 /* of one connection: headers, and the reply's */
#define BACKLOG         16

struct fg_metrics {
    struct fg_engine *engine;
    struct MHD_Daemon *server;
    int connected[CONNECTIONS_MAX]; /* descriptors, the oldest first; the server's thread's */
    unsigned connected_count;
    struct fg_socket_file file; /* of a Unix socket; fd -1: TCP */
    int fd;                     /* TCP: the server's from its start on */
};

/* --- answers --- */

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Scrapers name the formats that they know by preference; Prometheus names both, OpenMetrics
 * first. */
static enum fg_figures_format format_wanted(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return accept && strstr(accept, "application/openmetrics-text") ? FG_FIGURES_OPENMETRICS
                                                                    : FG_FIGURES_TEXT;
}

static char *page_text(struct fg_engine *engine, enum fg_figures_format format, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    if (!out)
        return NULL;
    const struct fg_board *board = fg_control_board(engine->control);
    fg_figures_text(engine, board, format, out);
    if (board)
        fg_control_board_return(engine->control, board);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static enum MHD_Result answer_page(struct fg_metrics *metrics, struct MHD_Connection *connection)
{
    static const char *const types[] = {
        [FG_FIGURES_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
        [FG_FIGURES_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    enum fg_figures_format format = format_wanted(connection);
    size_t length;
    char *text = page_text(metrics->engine, format, &length);
    if (!text)
        return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "memory is short\n");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, types[format]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* Called when a request's headers are there, and again for what follows them. */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    (void)version;
    (void)upload;
    (void)context;
    if (*upload_size > 0)
        return MHD_NO; /* nothing is taken: the connection ends */
    if (strcmp(url, "/metrics") != 0)
        return answer_text(connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET is wanted\n");
    return answer_page(arg, connection);
}

/* --- places --- */

static int descriptor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* Places are few, and whoever reads a byte now and then keeps one for hours: at the last place the
 * oldest connection is shut, and the server's next look at it ends it. A scrape takes some
 * milliseconds. */
static void note_connection(void *arg, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct fg_metrics *metrics = arg;
    int fd = descriptor_of(connection);
    unsigned i = 0;
    (void)context;
    while (i < metrics->connected_count && metrics->connected[i] != fd)
        i++;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (i < metrics->connected_count)
            memmove(&metrics->connected[i], &metrics->connected[i + 1],
                    (--metrics->connected_count - i) * sizeof(*metrics->connected));
        return;
    }
    if (metrics->connected_count < CONNECTIONS_MAX)
        metrics->connected[metrics->connected_count++] = fd;
    if (metrics->connected_count == CONNECTIONS_MAX)
        shutdown(metrics->connected[0], SHUT_RDWR);
}

/* --- the socket --- */

static int listen_tcp(struct fg_metrics *metrics, const struct fg_metrics_address *address,
                      const char *text, char *message, size_t size)
{
    int on = 1, fd = socket(address->tcp.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    metrics->fd = fd;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, &address->tcp.any, address->length) == 0 && listen(fd, BACKLOG) == 0)
        return FG_EXIT_OK;
    int error = errno;
    snprintf(message, size, "metrics.listen: %s cannot be listened on: %s", text, strerror(error));
    return error == EADDRINUSE ? FG_EXIT_IN_USE : FG_EXIT_FAILED;
}

static int open_socket(struct fg_metrics *metrics, const char *text, char *message, size_t size)
{
    struct fg_metrics_address address;
    if (fg_metrics_address_parse(text, &address) != 0) {
        snprintf(message, size, "metrics.listen: %s is no address", text);
        return FG_EXIT_CONFIG;
    }
    if (!address.path)
        return listen_tcp(metrics, &address, text, message, size);
    int status = fg_socket_file_open(&metrics->file, address.path, (gid_t)-1, message, size);
    if (status == FG_EXIT_OK)
        metrics->fd = metrics->file.fd;
    return status;
}

static void close_socket(struct fg_metrics *metrics)
{
    if (metrics->file.fd >= 0)
        fg_socket_file_close(&metrics->file);
    else if (metrics->fd >= 0)
        close(metrics->fd);
}

/* --- start and stop --- */

/* The server's thread blocks every signal: signals are for the main thread. The socket is the
 * server's from then on, and ends with it; a Unix socket's file stays ours. */
static struct MHD_Daemon *start_server(struct fg_metrics *metrics)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *server =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC, 0, NULL,
                         NULL, answer, metrics, MHD_OPTION_LISTEN_SOCKET, metrics->fd,
                         MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_NOTIFY_CONNECTION,
                         note_connection, metrics, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return server;
}

int fg_metrics_start(struct fg_engine *engine, char *message, size_t size)
{
    const char *listen_on = engine->config.metrics_listen;
    if (!listen_on)
        return FG_EXIT_OK;
    struct fg_metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics) {
        snprintf(message, size, "no memory for the metrics page");
        return FG_EXIT_MEMORY;
    }
    *metrics = (struct fg_metrics){.engine = engine, .fd = -1, .file = {.fd = -1, .lock = -1}};
    int status = open_socket(metrics, listen_on, message, size);
    if (status == FG_EXIT_OK) {
        metrics->server = start_server(metrics);
        if (!metrics->server) {
            snprintf(message, size, "the metrics page's server cannot start: %s", strerror(errno));
            status = FG_EXIT_FAILED;
        }
    }
    if (status != FG_EXIT_OK) {
        close_socket(metrics);
        free(metrics);
        return status;
    }
    engine->metrics = metrics;
    return FG_EXIT_OK;
}

void fg_metrics_stop(struct fg_engine *engine)
{
    struct fg_metrics *metrics = engine->metrics;
    if (!metrics)
        return;
    /* It would close the socket; we do, with its file. */
    (void)MHD_quiesce_daemon(metrics->server);
    MHD_stop_daemon(metrics->server);
    close_socket(metrics);
    engine->metrics = NULL;
    free(metrics);
}
