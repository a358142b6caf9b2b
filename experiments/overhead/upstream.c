// A model server that costs next to nothing: OpenAI's JSON or SSE, at once or after a while.
//
//   upstream PORT      on 127.0.0.1, one thread, until killed
//
// A body with "stream": true is answered by 20 events without a pause. The words of a prompt say
// otherwise: "Take 50 ms." to the first byte, and 10 ms between events; "Stream 200 tokens." for as
// many events, one every millisecond.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 16, FDS = 1 << 16 };

typedef struct Conn {
  int fd, delay_ms, gap_ms, streaming, events, left;
  size_t len;
  double due;
  struct Conn *next;  // of those that wait for their time
  char buf[BODY_MAX + 1];
} Conn;

static int epoll_fd, timer_fd;
static int listening;
static Conn *conns[FDS], *waiting;
static char whole[2048], head[256], first[512], middle[512], last[1024];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void chunked(char *out, const char *data) { sprintf(out, "%zx\r\n%s\r\n", strlen(data), data); }

static void write_answers(void) {
  const char *json =
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"mock\","
      "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick brown fox "
      "jumps over the lazy dog. Pack my box with five dozen liquor jugs. How vexingly quick daft "
      "zebras jump.\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":120,"
      "\"completion_tokens\":40,\"total_tokens\":160}}";
  sprintf(whole, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
          strlen(json), json);
  strcpy(head, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  const char *event =
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\","
      "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
  chunked(first, event);
  chunked(middle, event);
  chunked(last,
          "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\","
          "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
  strcat(last, "0\r\n\r\n");
}

static int put(Conn *c, const char *text) {
  for (size_t left = strlen(text); left;) {
    ssize_t n = write(c->fd, text, left);
    if (n < 0 && errno == EAGAIN) { usleep(20); continue; }
    if (n < 0) return -1;
    text += n, left -= n;
  }
  return 0;
}

static void drop(Conn *c) {
  for (Conn **p = &waiting; *p; p = &(*p)->next)
    if (*p == c) { *p = c->next; break; }
  conns[c->fd] = NULL;
  close(c->fd);
  free(c);
}

static void wait_for(Conn *c, double seconds) {
  c->due = now() + seconds;
  Conn **p = &waiting;
  while (*p && (*p)->due <= c->due) p = &(*p)->next;
  c->next = *p;
  *p = c;
  double in = waiting->due - now();
  if (in < 1e-6) in = 1e-6;
  struct itimerspec at = {.it_value = {(time_t)in, (long)((in - (time_t)in) * 1e9) + 1}};
  timerfd_settime(timer_fd, 0, &at, NULL);
}

// The next piece of an answer. 0: answered, 1: more to come, -1: the client is gone.
static int answer(Conn *c) {
  if (!c->streaming) return put(c, whole);
  do {
    if (c->left == c->events && put(c, head)) return -1;
    if (put(c, c->left == c->events ? first : c->left == 1 ? last : middle)) return -1;
    if (--c->left == 0) return 0;
  } while (!c->gap_ms);
  wait_for(c, c->gap_ms / 1e3);
  return 1;
}

// Take one whole request off the buffer. 0: there is none yet.
static int request(Conn *c) {
  c->buf[c->len] = 0;
  char *end = strstr(c->buf, "\r\n\r\n");
  if (!end) return 0;
  char *field = strcasestr(c->buf, "\ncontent-length:");
  size_t size = end + 4 - c->buf + (field && field < end ? strtoul(field + 16, NULL, 10) : 0);
  if (c->len < size) return 0;
  char *flag = memmem(c->buf, size, "\"stream\"", 8);
  c->streaming = flag && strspn(flag + 8, " :") && flag[8 + strspn(flag + 8, " :")] == 't';
  int slow = memmem(c->buf, size, "Take 50 ms.", 11) != NULL;
  int many = memmem(c->buf, size, "Stream 200 tokens.", 18) != NULL;
  c->delay_ms = slow ? 50 : 0;
  c->gap_ms = slow ? 10 : many ? 1 : 0;
  c->left = c->events = many ? 200 : 20;
  memmove(c->buf, c->buf + size, c->len -= size);
  return 1;
}

static void serve(Conn *c) {
  while (request(c)) {
    if (c->delay_ms) { wait_for(c, c->delay_ms / 1e3); return; }
    if (answer(c) < 0) { drop(c); return; }
  }
}

static void ready(int fd) {
  if (fd == listening) {
    for (int client; (client = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
      int one = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      Conn *c = conns[client] = calloc(1, sizeof *c);
      c->fd = client;
      struct epoll_event e = {.events = EPOLLIN, .data.fd = client};
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client, &e);
    }
    return;
  }
  Conn *c = conns[fd];
  ssize_t n = c ? read(fd, c->buf + c->len, BODY_MAX - c->len) : 0;
  if (n <= 0) { if (c && !(n < 0 && errno == EAGAIN)) drop(c); return; }
  c->len += n;
  serve(c);
}

static void on_time(void) {
  unsigned long long ticks;
  if (read(timer_fd, &ticks, sizeof ticks) < 0) return;
  while (waiting && waiting->due <= now()) {
    Conn *c = waiting;
    waiting = c->next;
    int left = answer(c);
    if (left < 0) drop(c);
    else if (left == 0) serve(c);
  }
  if (waiting) {
    Conn *c = waiting;
    double in = c->due - now();
    waiting = c->next;
    wait_for(c, in > 0 ? in : 0);
  }
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  write_answers();
  epoll_fd = epoll_create1(0);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = timer_fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &e);
  if (count != 2) return 2;
  int one = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listening, (void *)&at, sizeof at) || listen(listening, 4096)) { perror("bind"); return 1; }
  e.data.fd = listening;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listening, &e);
  for (struct epoll_event events[256];;) {
    int n = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < n; i++)
      if (events[i].data.fd == timer_fd) on_time();
      else ready(events[i].data.fd);
  }
}
