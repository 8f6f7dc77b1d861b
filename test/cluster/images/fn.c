// A function for the tests: a WebSocket echo that can also fail in every way, at the start or on request. Static C, so that its
// image is small and a pod of it starts as fast as a pod can. It trusts its clients: nothing outside the tests may run it.
//
// Options, as `--name value` or as the environment variable FN_NAME (FN_IGNORE_TERM=1):
//   --delay MS        listens only after that time
//   --never           does not listen at all
//   --loopback        listens on 127.0.0.1 only
//   --exit CODE       exits with the code instead of listening; after --exit-after MS it does so while serving
//   --eat MB          takes memory before it listens
//   --ignore-term     lets SIGTERM pass; without it SIGTERM is exit 0 at once
//   --answer WHAT     to an upgrade request: silence, drop (close TCP), garbage (not HTTP), or a status such as 403 or 500
// PORT (9000) is where it listens.
//
// Every data frame comes back as it was, fragments too. An unfragmented text of one of these is obeyed instead:
//   exit N, kill      the process ends (as process 1, which no signal of its own can kill, with the code of kill -9, 137)
//   drop, reset       TCP ends without a close frame, by FIN or by RST
//   close N           a close frame with this code
//   eat [MB]          takes memory (512 MB), then answers
//   deaf              reads on, but never answers again, not even a close frame
//   stall             does not read any more
//   send N            answers with a binary message of N bytes
//   raw HEX           answers with these bytes, whatever they are
//   hostname, head    answers with the pod's name; with the upgrade request as it arrived
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 32 * 1024, CHUNK = 64 * 1024, EAT_MB = 512 };
enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static long long listen_ms;
static double listening_since; // ms since 1970
static int arg_count;
static char **arg_values;

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void sleep_ms(long long ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&t, &t) && errno == EINTR) continue;
}

static void sleep_forever(void) {
  for (;;) sleep_ms(1000000);
}

// The value of an option; "" if it has none; NULL if it is not set.
static const char *option(const char *name) {
  for (int i = 1; i < arg_count; i++) {
    if (strncmp(arg_values[i], "--", 2) || strcmp(arg_values[i] + 2, name)) continue;
    return i + 1 < arg_count && strncmp(arg_values[i + 1], "--", 2) ? arg_values[i + 1] : "";
  }
  char variable[64] = "FN_";
  for (size_t i = 0; i <= strlen(name); i++) variable[3 + i] = name[i] == '-' ? '_' : (char)toupper(name[i]);
  return getenv(variable);
}

static long long number(const char *name, long long otherwise) {
  const char *value = option(name);
  return value && *value ? atoll(value) : otherwise;
}

static void end(int code) {
  fprintf(stderr, "fn: exit %d\n", code);
  _exit(code);
}

static void eat(long long megabytes) {
  for (long long i = 0; i < megabytes; i++) {
    char *memory = malloc(1 << 20);
    if (memory) memset(memory, 1 + i % 255, 1 << 20);
  }
}

// ---- SHA-1 and base64, for Sec-WebSocket-Accept (RFC 6455, section 4.2.2) ----

static uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void sha1(const uint8_t *data, size_t length, uint8_t digest[20]) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  size_t blocks = (length + 8) / 64 + 1;
  for (size_t block = 0; block < blocks; block++) {
    uint8_t bytes[64];
    for (size_t i = 0; i < 64; i++) {
      size_t at = block * 64 + i;
      bytes[i] = at < length ? data[at] : at == length ? 0x80 : 0;
      if (block == blocks - 1 && i >= 56) bytes[i] = (uint8_t)((uint64_t)length * 8 >> (8 * (63 - i)));
    }
    uint32_t w[80];
    for (int i = 0; i < 16; i++) {
      w[i] = (uint32_t)bytes[4 * i] << 24 | bytes[4 * i + 1] << 16 | bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    }
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t f, k;
      if (i < 20) f = (b & c) | (~b & d), k = 0x5a827999;
      else if (i < 40) f = b ^ c ^ d, k = 0x6ed9eba1;
      else if (i < 60) f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
      else f = b ^ c ^ d, k = 0xca62c1d6;
      uint32_t t = rotate(a, 5) + f + e + k + w[i];
      e = d, d = c, c = rotate(b, 30), b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
  }
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (8 * (3 - i % 4)));
}

static void base64(const uint8_t *data, size_t length, char *out) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    uint32_t v = data[i] << 16 | (i + 1 < length ? data[i + 1] << 8 : 0) | (i + 2 < length ? data[i + 2] : 0);
    *out++ = letters[v >> 18];
    *out++ = letters[v >> 12 & 63];
    *out++ = i + 1 < length ? letters[v >> 6 & 63] : '=';
    *out++ = i + 2 < length ? letters[v & 63] : '=';
  }
  *out = 0;
}

// ---- One connection, on a thread of its own ----

struct connection {
  int fd;
  char head[HEAD_MAX + 1];
  size_t head_length;              // to the end of the request
  size_t unread_from, unread_to;   // bytes of frames that came with the head
  int closing;                     // our close frame is out: the client's is the answer to it
};

static int write_all(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n <= 0) return 0;
    at += n, length -= (size_t)n;
  }
  return 1;
}

static int read_all(struct connection *c, void *data, size_t length) {
  char *at = data;
  while (length > 0) {
    ssize_t n;
    if (c->unread_from < c->unread_to) {
      size_t there = c->unread_to - c->unread_from;
      n = (ssize_t)(there < length ? there : length);
      memcpy(at, c->head + c->unread_from, (size_t)n);
      c->unread_from += (size_t)n;
    } else if ((n = recv(c->fd, at, length, 0)) <= 0) {
      return 0;
    }
    at += n, length -= (size_t)n;
  }
  return 1;
}

static int send_header(int fd, uint8_t first, uint64_t length) {
  uint8_t header[10] = {first};
  size_t size = 2;
  if (length < 126) {
    header[1] = (uint8_t)length;
  } else if (length < 65536) {
    header[1] = 126, size = 4;
    for (int i = 0; i < 2; i++) header[2 + i] = (uint8_t)(length >> (8 * (1 - i)));
  } else {
    header[1] = 127, size = 10;
    for (int i = 0; i < 8; i++) header[2 + i] = (uint8_t)(length >> (8 * (7 - i)));
  }
  return write_all(fd, header, size);
}

static int send_frame(int fd, int opcode, const void *data, size_t length) {
  return send_header(fd, (uint8_t)(0x80 | opcode), length) && write_all(fd, data, length);
}

static int send_close(int fd, int code) {
  uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
  return send_frame(fd, CLOSE, payload, 2);
}

// A header of the request; its value is copied without the spaces around it. Only the first of a name is found.
static int header(const struct connection *c, const char *name, char *value, size_t size) {
  size_t length = strlen(name);
  for (const char *line = strstr(c->head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, length) || line[2 + length] != ':') continue;
    const char *from = line + 3 + length, *to = strstr(from, "\r\n");
    while (*from == ' ' || *from == '\t') from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
    if ((size_t)(to - from) >= size) return 0;
    memcpy(value, from, (size_t)(to - from));
    value[to - from] = 0;
    return 1;
  }
  return 0;
}

static int read_head(struct connection *c) {
  size_t length = 0;
  while (length < HEAD_MAX) {
    ssize_t n = recv(c->fd, c->head + length, HEAD_MAX - length, 0);
    if (n <= 0) return 0;
    length += (size_t)n;
    c->head[length] = 0;
    char *end_of_head = strstr(c->head, "\r\n\r\n");
    if (!end_of_head) continue;
    c->head_length = c->unread_from = (size_t)(end_of_head + 4 - c->head);
    c->unread_to = length;
    return 1;
  }
  return 0;
}

static void answer_http(int fd, int status) {
  char text[256];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %d fn\r\nContent-Type: text/plain\r\nContent-Length: 16\r\nConnection: close\r\n\r\nfn answers: %3d\n", status, status);
  write_all(fd, text, (size_t)length);
}

// 1 if the connection is now a WebSocket.
static int handshake(struct connection *c) {
  char key[128], accept[32], protocols[256], protocol[300] = "", text[1024];
  uint8_t digest[20];
  if (!read_head(c)) return 0;
  const char *answer = option("answer");
  if (answer && !strcmp(answer, "silence")) sleep_forever();
  if (answer && !strcmp(answer, "drop")) return 0;
  if (answer && !strcmp(answer, "garbage")) {
    write_all(c->fd, "this is not HTTP\r\n\r\n", 20);
    return 0;
  }
  if (answer && atoi(answer) >= 200) {
    answer_http(c->fd, atoi(answer));
    return 0;
  }
  if (!header(c, "Sec-WebSocket-Key", key, 64)) {
    answer_http(c->fd, 426);
    return 0;
  }
  strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  sha1((const uint8_t *)key, strlen(key), digest);
  base64(digest, sizeof digest, accept);
  if (header(c, "Sec-WebSocket-Protocol", protocols, sizeof protocols)) {
    protocols[strcspn(protocols, ", ")] = 0; // the first that is offered
    snprintf(protocol, sizeof protocol, "Sec-WebSocket-Protocol: %s\r\n", protocols);
  }
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\nX-Listen-Ms: %lld\r\nX-Listening-Since: %.3f\r\n%s\r\n",
                        accept, listen_ms, listening_since, protocol);
  return write_all(c->fd, text, (size_t)length);
}

static int send_zeros(int fd, uint64_t length) {
  static const char zeros[CHUNK];
  if (!send_header(fd, 0x80 | BINARY, length)) return 0;
  while (length > 0) {
    size_t n = length < CHUNK ? (size_t)length : CHUNK;
    if (!write_all(fd, zeros, n)) return 0;
    length -= n;
  }
  return 1;
}

static int send_raw(int fd, const char *hex) {
  uint8_t bytes[64];
  size_t length = 0;
  unsigned value;
  while (length < sizeof bytes && sscanf(hex + 2 * length, "%2x", &value) == 1) bytes[length++] = (uint8_t)value;
  return write_all(fd, bytes, length);
}

// What a text asks for. 1: done, go on; 0: the connection is over; -1: it asks for nothing.
static int obey(struct connection *c, const char *text) {
  long long n = 0;
  char name[256];
  if (sscanf(text, "exit %lld", &n) == 1) end((int)n);
  if (!strcmp(text, "kill")) {
    kill(getpid(), SIGKILL);
    end(137);
  }
  if (!strcmp(text, "drop")) return 0;
  if (!strcmp(text, "reset")) {
    struct linger at_once = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return 0;
  }
  if (sscanf(text, "close %lld", &n) == 1) {
    c->closing = 1;
    return send_close(c->fd, (int)n);
  }
  if (!strcmp(text, "eat") || sscanf(text, "eat %lld", &n) == 1) {
    eat(n ? n : EAT_MB);
    return send_frame(c->fd, TEXT, "eaten", 5);
  }
  if (!strcmp(text, "deaf")) {
    char waste[4096];
    while (read_all(c, waste, 1)) continue;
    return 0;
  }
  if (!strcmp(text, "stall")) sleep_forever();
  if (sscanf(text, "send %lld", &n) == 1) return send_zeros(c->fd, (uint64_t)n);
  if (!strncmp(text, "raw ", 4)) return send_raw(c->fd, text + 4);
  if (!strcmp(text, "hostname")) {
    gethostname(name, sizeof name);
    return send_frame(c->fd, TEXT, name, strlen(name));
  }
  if (!strcmp(text, "head")) return send_frame(c->fd, TEXT, c->head, c->head_length);
  return -1;
}

// Sends a data frame back while it arrives, of any length.
static int echo(struct connection *c, uint8_t first, uint64_t length, const uint8_t mask[4]) {
  uint8_t bytes[CHUNK];
  if (!send_header(c->fd, first, length)) return 0;
  while (length > 0) {
    size_t n = length < CHUNK ? (size_t)length : CHUNK; // a multiple of 4, so that the mask starts anew
    if (!read_all(c, bytes, n)) return 0;
    for (size_t i = 0; i < n; i++) bytes[i] ^= mask[i % 4];
    if (!write_all(c->fd, bytes, n)) return 0;
    length -= n;
  }
  return 1;
}

// 1: go on; 0: the connection is over.
static int one_frame(struct connection *c) {
  uint8_t start[2], extended[8], mask[4] = {0}, payload[126];
  if (!read_all(c, start, 2)) return 0;
  uint64_t length = start[1] & 127;
  int bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes) {
    if (!read_all(c, extended, (size_t)bytes)) return 0;
    length = 0;
    for (int i = 0; i < bytes; i++) length = length << 8 | extended[i];
  }
  if (start[1] & 128 && !read_all(c, mask, 4)) return 0;
  if (length > 125) return echo(c, start[0], length, mask);

  if (!read_all(c, payload, (size_t)length)) return 0;
  for (size_t i = 0; i < length; i++) payload[i] ^= mask[i % 4];
  payload[length] = 0;
  int opcode = start[0] & 15;
  if (opcode == PONG) return 1;
  if (opcode == PING) return send_frame(c->fd, PONG, payload, (size_t)length);
  if (opcode == CLOSE) {
    if (!c->closing) send_frame(c->fd, CLOSE, payload, length < 2 ? 0 : 2);
    return 0;
  }
  if (start[0] == (0x80 | TEXT)) {
    int obeyed = obey(c, (const char *)payload);
    if (obeyed >= 0) return obeyed;
  }
  return send_header(c->fd, start[0], length) && write_all(c->fd, payload, (size_t)length);
}

static void *serve(void *argument) {
  struct connection *c = argument;
  if (handshake(c)) {
    while (one_frame(c)) continue;
  }
  close(c->fd);
  free(c);
  return NULL;
}

// ---- The process ----

static void *exit_later(void *ms) {
  sleep_ms((long long)(intptr_t)ms);
  end((int)number("exit", 0));
  return NULL;
}

static void terminated(int signal) {
  (void)signal;
  _exit(0);
}

static void start_thread(void *(*work)(void *), void *argument) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  if (pthread_create(&thread, &attributes, work, argument)) end(1);
}

static int listen_here(void) {
  const char *port = getenv("PORT");
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
  struct sockaddr_in ipv4 = {.sin_family = AF_INET};
  int loopback = option("loopback") != NULL, yes = 1, no = 0, number = port && *port ? atoi(port) : 9000;
  any.sin6_port = ipv4.sin_port = htons((uint16_t)number);
  ipv4.sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);

  int fd = loopback ? -1 : socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (!bind(fd, (struct sockaddr *)&any, sizeof any) && !listen(fd, 128)) return fd;
    close(fd); // a machine without IPv6
  }
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&ipv4, sizeof ipv4) || listen(fd, 128)) {
    perror("fn: listen");
    _exit(1);
  }
  return fd;
}

int main(int count, char **values) {
  long long started = now_ms();
  arg_count = count, arg_values = values;
  setvbuf(stdout, NULL, _IOLBF, 0);
  // Process 1 of a pod gets no signal that it does not handle: both must be said.
  signal(SIGTERM, option("ignore-term") ? SIG_IGN : terminated);
  signal(SIGINT, terminated);

  eat(number("eat", 0));
  if (option("exit")) {
    long long after = number("exit-after", 0);
    if (after == 0) end((int)number("exit", 0));
    start_thread(exit_later, (void *)(intptr_t)after);
  }
  if (option("never")) sleep_forever();
  sleep_ms(number("delay", 0));

  int listener = listen_here();
  struct timespec since;
  clock_gettime(CLOCK_REALTIME, &since);
  listening_since = since.tv_sec * 1e3 + since.tv_nsec / 1e6;
  listen_ms = now_ms() - started;
  printf("listening on port %s after %lld ms\n", getenv("PORT") ? getenv("PORT") : "9000", listen_ms);
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), yes = 1;
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct connection *c = calloc(1, sizeof *c);
    if (!c) end(1);
    c->fd = fd;
    start_thread(serve, c);
  }
}
