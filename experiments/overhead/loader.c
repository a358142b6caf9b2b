// Closed-loop load over keep-alive connections, one thread; prints one line of JSON.
//
//   loader PORT PATH CONNECTIONS SECONDS BODIES [HEADER ...]      to 127.0.0.1 only
//
// BODIES has a body a line; each request sends the next. Latencies are in microseconds, of answers
// that began after the first fifth and have status 200, or the one of the variable STATUS. `events`
// counts the events of streams a second, and `served` all answers, early ones too.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd, status, chunked, closes;
  long body_at, length;  // -1: not known yet
  size_t len;
  double begun, first;
  char buf[1 << 17];
} Conn;

enum { BODIES = 1024 };

static char *requests[BODIES];
static size_t request_lens[BODIES], request_count, next_request, events_read;
static int wanted = 200;
static struct sockaddr_in target;
static int epoll_fd;
static float *total, *first;
static size_t count, room, failed, served;
static double measured_from;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void begin(Conn *c) {
  c->len = c->status = c->chunked = c->closes = 0;
  c->body_at = c->length = -1;
  c->first = 0;
  c->begun = now();
  size_t chosen = next_request++ % request_count;
  for (size_t sent = 0; sent < request_lens[chosen];) {
    ssize_t n = write(c->fd, requests[chosen] + sent, request_lens[chosen] - sent);
    if (n < 0 && errno == EAGAIN) { usleep(20); continue; }
    if (n < 0) return;  // its end will be read
    sent += n;
  }
}

static void dial(Conn *c) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  while (connect(c->fd, (void *)&target, sizeof target)) {
    failed++;
    usleep(2000);
    close(c->fd);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
  }
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
  begin(c);
}

static int whole(Conn *c) {
  if (c->body_at < 0) {
    char *end = memmem(c->buf, c->len, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    c->status = atoi(c->buf + 9);
    char *length = strcasestr(c->buf, "\ncontent-length:");
    if (length) c->length = atol(length + 16);
    c->chunked = strcasestr(c->buf, "\ntransfer-encoding: chunked") != NULL;
    c->closes = strcasestr(c->buf, "\nconnection: close") != NULL;
    c->body_at = end + 4 - c->buf;
  }
  if (!c->first && (long)c->len > c->body_at) c->first = now();
  if (c->chunked) return c->len >= 5 && !memcmp(c->buf + c->len - 5, "0\r\n\r\n", 5);
  return c->length >= 0 && (long)c->len >= c->body_at + c->length;
}

static void note(Conn *c) {
  if (c->status != wanted) { failed++; return; }
  served++;
  if (c->begun < measured_from) return;
  if (count == room) {
    room = room ? 2 * room : 1 << 16;
    total = realloc(total, room * sizeof *total);
    first = realloc(first, room * sizeof *first);
  }
  total[count] = (now() - c->begun) * 1e6;
  first[count++] = ((c->first ? c->first : now()) - c->begun) * 1e6;
}

// An event may come in two pieces, so the search goes back by all of its name but one letter.
static void count_events(Conn *c, size_t n) {
  char *end = c->buf + c->len + n;
  for (char *at = c->buf + (c->len < 5 ? 0 : c->len - 5); (at = memmem(at, end - at, "data: ", 6)); at += 6)
    events_read++;
}

static void ready(Conn *c) {
  ssize_t n = read(c->fd, c->buf + c->len, sizeof c->buf - c->len);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    failed++;
    close(c->fd);
    dial(c);
    return;
  }
  if (now() >= measured_from) count_events(c, n);
  c->len += n;
  if (!whole(c)) return;
  note(c);
  if (!c->closes) { begin(c); return; }
  close(c->fd);
  dial(c);
}

static int up(const void *a, const void *b) { return (*(float *)a > *(float *)b) - (*(float *)a < *(float *)b); }
static double at(float *sorted, double share) { return count ? sorted[(size_t)((count - 1) * share)] : 0; }

int main(int arguments, char **argument) {
  if (arguments < 6) return 2;
  signal(SIGPIPE, SIG_IGN);
  int connections = atoi(argument[3]);
  double seconds = atof(argument[4]);
  FILE *file = fopen(argument[5], "r");
  if (!file || connections > 512 || seconds > 60) return 2;
  if (getenv("STATUS")) wanted = atoi(getenv("STATUS"));
  target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argument[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char *body = NULL;
  size_t allocated = 0;
  for (ssize_t size; request_count < BODIES && (size = getline(&body, &allocated, file)) > 0; request_count++) {
    if (body[size - 1] == '\n') size--;
    char *request = requests[request_count] = malloc(size + 4096);
    size_t len = sprintf(request, "POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                         "content-length: %zd\r\n", argument[2], size);
    for (int i = 6; i < arguments; i++) len += sprintf(request + len, "%s\r\n", argument[i]);
    len += sprintf(request + len, "\r\n");
    memcpy(request + len, body, size);
    request_lens[request_count] = len + size;
  }
  if (!request_count) return 2;
  epoll_fd = epoll_create1(0);
  double begun = now(), end = begun + seconds;
  measured_from = begun + seconds / 5;
  Conn *conns = calloc(connections, sizeof *conns);
  for (int i = 0; i < connections; i++) dial(&conns[i]);
  for (struct epoll_event events[256]; now() < end;) {
    int n = epoll_wait(epoll_fd, events, 256, 20);
    for (int i = 0; i < n; i++) ready(events[i].data.ptr);
  }
  qsort(total, count, sizeof *total, up);
  qsort(first, count, sizeof *first, up);
  printf("{\"requests\": %zu, \"rps\": %.1f, \"p50\": %.1f, \"p95\": %.1f, \"p99\": %.1f, \"first50\": %.1f, "
         "\"first95\": %.1f, \"events\": %.1f, \"served\": %zu, \"failed\": %zu}\n", count, count / (seconds * 0.8), at(total, .5), at(total, .95),
         at(total, .99), at(first, .5), at(first, .95),
         events_read / (seconds * 0.8), served, failed);
}
