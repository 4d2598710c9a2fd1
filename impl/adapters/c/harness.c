/* pool-harness/1: JSON Lines over stdin and stdout, for a pool in double and float: pool.c has what it says of itself and
 * what it computes, in the words of pool.h. */
#include "pool.h"
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_AXES = 32 };
static const uint64_t LARGEST = 1u << 31;

static const char *const COMMANDS[] = {"start", "run", "stop", NULL};
static const char *const PROTOCOLS[] = {"pool-harness/1", NULL};
static const char *const OPS[] = {"forward", "vjp", NULL};
static const char *const DTYPES[] = {"f64", "f32", "f16", "bf16", NULL};
static const char *const BRANCHES[] = {"relu",     "step", "halfSquare", "negative",
                                       "identity", "tanh", "sigmoid",    "softplus", NULL};
static const char *const CONSTRAINTS[] = {"free", "fixed", "sumToOne", "clip", "softmax", NULL};
/* Of pool.c, which is compiled twice. */
extern const char *const announcement_double;
const char *answer_double(const struct pool *, const double *, const double *, const double *, struct answer);
const char *answer_float(const struct pool *, const float *, const float *, const float *, struct answer);

static const char *f64(const struct pool *p, const void *x, const void *alpha, const void *dy, struct answer out) {
  return answer_double(p, x, alpha, dy, out);
}

static const char *f32(const struct pool *p, const void *x, const void *alpha, const void *dy, struct answer out) {
  return answer_float(p, x, alpha, dy, out);
}

static const struct {
  size_t bytes;
  const char *(*answer)(const struct pool *, const void *, const void *, const void *, struct answer);
} COMPUTED[] = {{8, f64}, {4, f32}};
static cJSON *announcement;

struct tensor {
  size_t rank, size;
  uint64_t shape[MOST_AXES];
  void *values;
};

/* Why there is no answer: a word of the protocol, and the text that goes with it. */
static const char *no;
static char why[512];

/* Memory of one request, freed with its reply. */
static struct block {
  struct block *next;
  max_align_t values[];
} *owned;

void *take(size_t count, size_t bytes) {
  struct block *block = calloc(1, sizeof *block + count * bytes);
  if (block == NULL) abort();
  block->next = owned;
  owned = block;
  return block->values;
}

static void release(void) {
  while (owned != NULL) {
    struct block *next = owned->next;
    free(owned);
    owned = next;
  }
}

static bool say(const char *word, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(why, sizeof why, format, list);
  va_end(list);
  no = word;
  return false;
}

static bool refuse(const char *name, const char *expected, const cJSON *got) {
  char *text = got == NULL ? NULL : cJSON_PrintUnformatted(got);
  say("refused", "\"%s\" expected %s, got %.80s", name, expected, text == NULL ? "nothing" : text);
  free(text);
  return false;
}

static cJSON *get(const cJSON *object, const char *name) { return cJSON_GetObjectItemCaseSensitive(object, name); }

static bool among(const char *name, const cJSON *value, const char *const *known, int *index) {
  for (*index = 0; cJSON_IsString(value) && known[*index] != NULL; ++*index)
    if (strcmp(value->valuestring, known[*index]) == 0) return true;
  char list[256] = "";
  for (size_t i = 0; known[i] != NULL; i++) {
    if (i > 0) strcat(list, ", ");
    strcat(list, known[i]);
  }
  return refuse(name, list, value);
}

static bool is_whole(const cJSON *value, double from, double below) {
  if (!cJSON_IsNumber(value) || !(value->valuedouble >= from && value->valuedouble < below)) return false;
  return value->valuedouble == (double)(uint64_t)value->valuedouble;
}

static int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The tensor `name`, of the shape of `expected` unless that is NULL. */
static bool decode(const char *name, const cJSON *from, int dtype, const struct tensor *expected, struct tensor *to) {
  char of[64];
  int index;
  if (!cJSON_IsObject(from)) return refuse(name, "an object of dtype, shape and hex", from);
  snprintf(of, sizeof of, "%s.dtype", name);
  const char *const same[] = {DTYPES[dtype], NULL};
  if (!among(of, get(from, "dtype"), same, &index)) return false;
  snprintf(of, sizeof of, "%s.shape", name);
  const cJSON *shape = get(from, "shape"), *n;
  if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > MOST_AXES)
    return refuse(of, "an array of at most 32 integers", shape);
  to->rank = 0;
  to->size = 1;
  uint64_t product = 1;
  cJSON_ArrayForEach(n, shape) {
    if (!is_whole(n, 0, (double)LARGEST)) return refuse(of, "integers from 0", shape);
    uint64_t length = (uint64_t)n->valuedouble;
    to->shape[to->rank++] = length;
    to->size *= length;
    if (length > 0) product *= length;
    if (product >= LARGEST) return refuse(of, "a product below 2^31", shape);
  }
  if (expected != NULL && (to->rank != expected->rank || memcmp(to->shape, expected->shape, to->rank * 8) != 0)) {
    char text[256] = "shape [";
    for (size_t axis = 0; axis < expected->rank && strlen(text) < 200; axis++)
      sprintf(text + strlen(text), axis == 0 ? "%llu" : ", %llu", (unsigned long long)expected->shape[axis]);
    return refuse(name, strcat(text, "]"), shape);
  }
  const cJSON *hex = get(from, "hex");
  if (hex == NULL && get(from, "base64") != NULL) return say("unsupported", "encoding:base64");
  size_t bytes = COMPUTED[dtype].bytes, digits = 2 * bytes * to->size;
  char *text = cJSON_IsString(hex) ? hex->valuestring : NULL;
  if (text == NULL || strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits) {
    snprintf(of, sizeof of, "%s.hex", name);
    char expectation[64];
    snprintf(expectation, sizeof expectation, "%zu hex digits", digits);
    return refuse(of, expectation, hex);
  }
  to->values = take(to->size, bytes);
  for (size_t i = 0; i < to->size; i++) {
    uint64_t bits = 0;
    for (size_t k = 0; k < 2 * bytes; k++) bits = bits << 4 | (uint64_t)digit(*text++);
    if (bytes == 8) ((uint64_t *)to->values)[i] = bits;
    else ((uint32_t *)to->values)[i] = (uint32_t)bits;
  }
  return true;
}

static cJSON *encode(const struct tensor *of, int dtype, const void *values) {
  static const char digits[] = "0123456789abcdef";
  size_t bytes = COMPUTED[dtype].bytes;
  char *hex = take(of->size * bytes * 2 + 1, 1), *to = hex;
  for (size_t i = 0; i < of->size; i++) {
    uint64_t bits = bytes == 8 ? ((const uint64_t *)values)[i] : ((const uint32_t *)values)[i];
    for (int shift = (int)bytes * 8 - 4; shift >= 0; shift -= 4) *to++ = digits[bits >> shift & 15];
  }
  cJSON *tensor = cJSON_CreateObject(), *shape = cJSON_AddArrayToObject(tensor, "shape");
  for (size_t axis = 0; axis < of->rank; axis++) cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)of->shape[axis]));
  cJSON_AddStringToObject(tensor, "dtype", DTYPES[dtype]);
  cJSON_AddStringToObject(tensor, "hex", hex);
  return tensor;
}

/* Which units share a position in S, and the shape [rows, ...S] of alpha. */
static bool lay_out(const cJSON *sharing, const struct tensor *x, struct pool *pool, struct tensor *alpha) {
  size_t rank = x->rank;
  bool is_shared[MOST_AXES] = {false}, is_layer = false, is_channel = false;
  const cJSON *axes = get(sharing, "sharedAxes"), *axis;
  if (rank == 0) return say("refused", "\"x\" expected rank 1 or more, got shape []");
  if (cJSON_IsString(sharing)) {
    is_layer = strcmp(sharing->valuestring, "layer") == 0;
    is_channel = strcmp(sharing->valuestring, "channel") == 0;
    if (is_channel && rank < 2) return say("refused", "\"pool.sharing\" \"channel\" expected \"x\" of rank 2 or more");
    for (size_t a = 1; a < rank; a++) is_shared[a] = is_layer || (is_channel && a < rank - 1);
  }
  bool is_known = cJSON_IsString(sharing) && (is_layer || is_channel || strcmp(sharing->valuestring, "unit") == 0);
  if (!is_known && (!cJSON_IsArray(axes) || cJSON_GetArraySize(sharing) != 1))
    return refuse("pool.sharing", "layer, channel, unit or an object of sharedAxes", sharing);
  cJSON_ArrayForEach(axis, axes) {
    if (!is_whole(axis, 1, (double)rank) || is_shared[axis->valueint])
      return refuse("sharedAxes", "different unit axes of \"x\", from 1", axes);
    is_shared[axis->valueint] = true;
  }
  alpha->rank = 1;
  pool->positions = 1;
  /* An empty x uses no position, however many units its shape names. */
  pool->units = x->shape[0] == 0 ? 0 : 1;
  for (size_t a = 1; a < rank; a++) {
    uint64_t kept = is_shared[a] ? 1 : x->shape[a];
    if (!is_layer && !(is_channel && a < rank - 1)) alpha->shape[alpha->rank++] = kept;
    pool->positions *= kept;
    pool->units *= x->shape[a];
  }
  pool->position_of = take(pool->units, sizeof(size_t));
  for (size_t unit = 0; unit < pool->units; unit++) {
    size_t rest = unit, stride = 1;
    for (size_t a = rank - 1; a >= 1; a--) {
      if (!is_shared[a]) {
        pool->position_of[unit] += rest % x->shape[a] * stride;
        stride *= x->shape[a];
      }
      rest /= x->shape[a];
    }
  }
  return true;
}

static bool is_announced(const char *word, const char *list, const char *needed) {
  const cJSON *one;
  cJSON_ArrayForEach(one, get(get(announcement, "capabilities"), list))
    if (cJSON_IsString(one) && strcmp(one->valuestring, needed) == 0) return true;
  return say("unsupported", "%s:%s", word, needed);
}

static bool run(const cJSON *request, cJSON *reply) {
  int op, dtype, index;
  struct tensor x, alpha, alpha_shape, dy, bounds, bounds_shape = {.rank = 1};
  struct pool pool = {0};
  if (!among("op", get(request, "op"), OPS, &op) || !among("dtype", get(request, "dtype"), DTYPES, &dtype)) return false;
  if (dtype > 1) return say("unsupported", "dtype:%s", DTYPES[dtype]);
  const cJSON *asked = get(request, "pool"), *inputs = get(request, "inputs"), *branch;
  if (!cJSON_IsObject(asked)) return refuse("pool", "an object", asked);
  if (!cJSON_IsObject(inputs)) return refuse("inputs", "an object", inputs);
  if (!decode("x", get(inputs, "x"), dtype, NULL, &x)) return false;
  const cJSON *branches = get(asked, "branches"), *constraint = get(asked, "constraint");
  if (!cJSON_IsArray(branches) || cJSON_GetArraySize(branches) == 0)
    return refuse("pool.branches", "an array of at least one branch", branches);
  pool.branches = take((size_t)cJSON_GetArraySize(branches), sizeof *pool.branches);
  cJSON_ArrayForEach(branch, branches) {
    if (!among("pool.branches", branch, BRANCHES, &index)) return false;
    pool.branches[pool.n++] = (enum branch)index;
  }
  if (!lay_out(get(asked, "sharing"), &x, &pool, &alpha_shape)) return false;
  if (!cJSON_IsObject(constraint)) return refuse("pool.constraint", "an object", constraint);
  if (!among("pool.constraint.kind", get(constraint, "kind"), CONSTRAINTS, &index)) return false;
  if (index > CLIP) return say("unsupported", "constraint:%s", CONSTRAINTS[index]);
  pool.constraint = (enum constraint)index;
  if (pool.constraint == CLIP) {
    bounds_shape.shape[0] = pool.n;
    if (!decode("bounds", get(constraint, "bounds"), dtype, &bounds_shape, &bounds)) return false;
    pool.bounds = bounds.values;
    for (size_t i = 0; i < pool.n; i++) {
      double bound = dtype == 0 ? ((double *)bounds.values)[i] : (double)((float *)bounds.values)[i];
      if (!(bound >= 0)) return say("refused", "\"bounds\" expected numbers from 0, got %g", bound);
    }
  }
  pool.rows = alpha_shape.shape[0] = pool.n - (pool.constraint == SUM_TO_ONE);
  if (!decode("alpha", get(inputs, "alpha"), dtype, &alpha_shape, &alpha)) return false;
  size_t bytes = COMPUTED[dtype].bytes;
  bool is_vjp = strcmp(OPS[op], "vjp") == 0;
  if (is_vjp && !decode("dy", get(inputs, "dy"), dtype, &x, &dy)) return false;
  if (!is_announced("op", "ops", OPS[op]) || !is_announced("dtype", "dtypes", DTYPES[dtype])) return false;
  cJSON_ArrayForEach(branch, branches) if (!is_announced("branch", "branches", branch->valuestring)) return false;
  const cJSON *sharing = get(asked, "sharing");
  if (!is_announced("sharing", "sharing", cJSON_IsString(sharing) ? sharing->valuestring : "sharedAxes")) return false;
  if (!is_announced("constraint", "constraints", CONSTRAINTS[index])) return false;
  pool.size = x.size;
  struct answer out = {take(x.size, bytes), take(x.size, bytes), take(alpha.size, bytes)};
  const void *cotangent = is_vjp ? dy.values : take(x.size, bytes);
  const char *broke = COMPUTED[dtype].answer(&pool, x.values, alpha.values, cotangent, out);
  if (broke != NULL) return say("error", "%s", broke);
  cJSON *outputs = cJSON_AddObjectToObject(reply, "outputs");
  if (!is_vjp) return cJSON_AddItemToObject(outputs, "y", encode(&x, dtype, out.y));
  cJSON_AddItemToObject(outputs, "dx", encode(&x, dtype, out.dx));
  return cJSON_AddItemToObject(outputs, "dalpha", encode(&alpha, dtype, out.dalpha));
}

static bool answer(const cJSON *request, cJSON *reply) {
  int command, index;
  if (!cJSON_IsObject(request)) return refuse("the line", "a JSON object", request);
  if (!among("cmd", get(request, "cmd"), COMMANDS, &command)) return false;
  if (command == 1) return run(request, reply);
  if (!among("protocol", get(request, "protocol"), PROTOCOLS, &index)) return false;
  cJSON_AddItemReferenceToObject(reply, "ok", announcement);
  return true;
}

/* Whether to go on: not after `stop`. */
static bool handle(const char *line) {
  if (line[strspn(line, " \t\r")] == 0) return true;
  cJSON *request = cJSON_Parse(line), *reply = cJSON_CreateObject();
  const cJSON *command = get(request, "cmd"), *id = get(request, "id");
  bool goes_on = !(cJSON_IsString(command) && strcmp(command->valuestring, "stop") == 0);
  if (goes_on) {
    cJSON_AddItemToObject(reply, "id", id == NULL ? cJSON_CreateNull() : cJSON_Duplicate(id, true));
    /* cJSON would end a text there. */
    bool ends = strstr(line, "\\u0000") != NULL && !say("refused", "the line expected no \\u0000, got one");
    if (ends || !answer(request, reply)) cJSON_AddStringToObject(reply, no, why);
    char *text = cJSON_PrintUnformatted(reply);
    puts(text);
    free(text);
  }
  release();
  cJSON_Delete(request);
  cJSON_Delete(reply);
  return goes_on;
}

int main(void) {
  announcement = cJSON_Parse(announcement_double);
  cJSON *able = get(announcement, "capabilities");
  if (able == NULL) {
    fputs("ANNOUNCE in pool.c expected JSON with capabilities\n", stderr);
    return 1;
  }
  const char *const encodings[] = {"hex"};
  cJSON_AddItemToObject(able, "encodings", cJSON_CreateStringArray(encodings, 1));
  cJSON_AddNumberToObject(able, "pipeline", 16);
  size_t room = 1 << 16, held = 0;
  char *text = malloc(room + 1);
  ssize_t more;
  bool goes_on = true;
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  while (text != NULL && goes_on && (more = read(0, text + held, room - held)) > 0) {
    char *line = text, *end, *from = text + held;
    held += (size_t)more;
    for (; goes_on && (end = memchr(from, '\n', (size_t)(text + held - from))) != NULL; line = from = end + 1) {
      *end = 0;
      goes_on = handle(line);
    }
    /* No whole line waits: what has been answered leaves together. */
    fflush(stdout);
    held -= (size_t)(line - text);
    memmove(text, line, held);
    if (held == room) text = realloc(text, (room *= 2) + 1);
  }
  if (text == NULL) return 1;
  text[held] = 0;
  if (goes_on) handle(text);
  free(text);
  cJSON_Delete(announcement);
  return 0;
}
