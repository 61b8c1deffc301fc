/* One batch of answers added to the sums of its cells; `stream_batch.py` is the same to read and stands in where this was
   not compiled. Both find the same integers: weights are whole multiples of one unit, answers of another, and every sum
   is kept below 2^53 of their products before it moves on into two whole numbers of 64 bits. */

#include <float.h>

#include "kernel_frame.h"
#include "stream_tiles.h"

#define BLOCK 8192 /* rows brought into the order of their cells at a time */
#define TOGETHER 48 /* rows whose products are added at once */
#define LIMB 4294967296.0 /* 2^32: a sum is high * LIMB + low */
#define EXACT 9007199254740992.0 /* 2^53 */
#define NO_ANSWER 1
#define OUTSIDE 2
#define PARAMETERS 6 /* of an item: sign, shift, unit, low, high, what an answer outside of them is */

typedef struct {
    const double *parameters, *codes;
    int64_t count; /* of codes */
    int8_t whole; /* answers of one byte stand in the tables */
    float value[256];
    uint8_t flag[256];
    uint8_t turn, shift, bias, first, span, some; /* of bytes that are whole numbers, see `bytes_of` */
} Coding;

typedef struct {
    int64_t p, wide, rows, size, cells; /* rows: p + 1, or some more that are whole fours; size of the sums of a cell */
    int64_t each; /* bytes from one row to the next, whole sixteens */
    int narrow; /* every answer fits one byte */
    double most; /* the largest square of an answer, in units */
    double *sums, *plain, *bound; /* (cells, p + 1, wide), (cells, wide), (cells) */
    int64_t *counts; /* (cells, 5): complete rows, all rows, squares of weights in three parts */
    int64_t *limbs; /* (cells, L, 2) */
} Tally;

/* What an answer is worth in units about the origin; *flag says where there is none. */
INLINE float coded(const Coding *own, double x, uint8_t *flag, double *rounded)
{
    const double *a = own->parameters;
    *flag = NO_ANSWER;
    if (!(fabs(x) <= DBL_MAX)) return 0.0f;
    for (int64_t c = 0; c < own->count; c++)
        if (x == own->codes[c]) return 0.0f;
    if (x < a[3] || x > a[4]) {
        *flag = (uint8_t)a[5];
        return 0.0f;
    }
    const double z = (a[0] * x + a[1]) * a[2], at = rint(z), off = fabs(z - at) / a[2];
    *flag = 0;
    if (off > *rounded) *rounded = off;
    return (float)at;
}

/* Tables of all answers that one byte can say, by its bits. */
static void tabled(Coding *own, char kind)
{
    double none = 0.0;
    for (int i = 0; i < 256; i++) {
        const double x = kind == 'c' ? (double)(int8_t)i : (double)i;
        own->value[i] = coded(own, x, own->flag + i, &none);
    }
    own->whole = 1;
    const double *a = own->parameters, least = kind == 'c' ? -128.0 : 0.0, low = fmax(ceil(a[3]), least),
                 high = fmin(floor(a[4]), least + 255.0);
    own->turn = a[0] < 0.0 ? 0xff : 0;
    own->shift = (uint8_t)((int64_t)a[1] + (a[0] < 0.0));
    own->bias = kind == 'c' ? 0x80 : 0;
    own->some = high >= low;
    own->first = own->some ? (uint8_t)(low - least) : 0;
    own->span = own->some ? (uint8_t)(high - low) : 0;
}

/* No answer where the bit of a row is 0, 64 rows at a time. */
static void unanswered(const uint8_t *valid, int64_t at, int64_t n, uint8_t *own)
{
    static const uint8_t whole[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *byte = valid + (at >> 3);
    for (int64_t i = -(at & 7); i < n; i += 64, byte += 8) {
        if (n - i >= 64 && !memcmp(byte, whole, 8)) continue;
        for (int64_t k = 0; k < 64 && i + k < n; k++)
            if (i + k >= 0 && !((byte[k >> 3] >> (k & 7)) & 1)) own[i + k] = NO_ANSWER;
    }
}

#define READ(letter, type)                                                                                             \
    case letter: return (double)((const type *)numbers)[i];

INLINE double read_as(char kind, const void *numbers, int64_t i)
{
    switch (kind) {
        READ('g', double)
        READ('f', float)
        READ('l', int64_t)
        READ('i', int32_t)
        READ('s', int16_t)
        READ('L', uint64_t)
        READ('I', uint32_t)
        READ('S', uint16_t)
    }
    return NAN;
}

/* Flags of one item joined into `flags`; how many have no answer, or one outside. */
WIDEST static void joined(const uint8_t *restrict own, int64_t n, uint8_t *restrict flags, int64_t *restrict counts)
{
    for (int64_t first = 0; first < n; first += 128) {
        const int64_t end = n - first < 128 ? n : first + 128;
        uint8_t absent = 0, outside = 0;
        for (int64_t i = first; i < end; i++) {
            flags[i] |= own[i];
            absent += own[i] == NO_ANSWER;
            outside += own[i] == OUTSIDE;
        }
        counts[0] += absent;
        counts[1] += outside;
    }
}

/* A whole number added to one of two limbs. */
INLINE void moved(double x, int64_t *limb)
{
    const double high = floor(x / LIMB);
    limb[1] += (int64_t)high;
    limb[0] += (int64_t)(x - high * LIMB);
}

/* The sums of a cell into its limbs; the sums are 0 after it. */
static void flushed(Tally *all, int64_t cell)
{
    const int64_t p = all->p, wide = all->wide, each = 5 + p + (p + 1) * (p + 2) / 2;
    double *sums = all->sums + cell * all->size, *plain = all->plain + cell * wide;
    int64_t *limb = all->limbs + cell * each * 2, *counts = all->counts + cell * 5;
    for (int64_t k = 0; k < 5; k++, limb += 2) {
        limb[1] += counts[k] >> 32;
        limb[0] += counts[k] & 0xffffffffLL;
        counts[k] = 0;
    }
    for (int64_t k = 0; k < p; k++, limb += 2) moved(plain[k], limb);
    for (int64_t j = 0; j <= p; j++)
        for (int64_t k = j; k <= p; k++, limb += 2) moved(sums[begins(j, wide) + k], limb);
    memset(sums, 0, (size_t)all->size * sizeof(double));
    memset(plain, 0, (size_t)wide * sizeof(double));
    all->bound[cell] = 0.0;
}

/* Rows i to i + n - 1 of the block as floats z (n, wide), their weights times them a (n, wide), their plain sums. */
WIDEST static void widened_rows(const Tally *all, const float *z, const int8_t *small, const double *restrict w, int64_t i,
                                int64_t n, double *restrict out, double *restrict a, double *restrict plain)
{
    const int64_t wide = all->wide, size = n * wide;
    if (all->narrow)
        for (int64_t t = 0; t < n; t++)
            for (int64_t j = 0; j < wide; j++) out[t * wide + j] = (double)small[(i + t) * all->each + j];
    else
        for (int64_t k = 0; k < size; k++) out[k] = (double)z[i * wide + k];
    for (int64_t t = 0; t < n; t++) {
        const double own = w[i + t];
        for (int64_t j = 0; j < wide; j++) a[t * wide + j] = own * out[t * wide + j];
    }
    for (int64_t t = 0; t < n; t++)
        for (int64_t j = 0; j < wide; j++) plain[j] += out[t * wide + j];
}

/* Squares of weights in three parts, of n <= TOGETHER rows: w = high 2^20 + low. */
WIDEST static void squared(const double *restrict w, int64_t n, int64_t *restrict counts)
{
    double parts[3][8] = {{0.0}};
    for (int64_t i = 0; i < n; i += 8)
        for (int64_t k = 0; k < 8; k++) {
            const double own = i + k < n ? w[i + k] : 0.0, high = (double)((int32_t)(own * 0x1p-20)), low = own - high * 0x1p20;
            parts[0][k] += high * high;
            parts[1][k] += high * low;
            parts[2][k] += low * low;
        }
    for (int64_t j = 0; j < 3; j++)
        for (int64_t k = 0; k < 8; k++) counts[j] += (int64_t)parts[j][k];
}

/* Rows of one cell, from `from` to from + n - 1 of the block, with weights w, into its sums. */
static void gathered(Tally *all, int64_t cell, const float *z, const int8_t *small, const double *w, int64_t from, int64_t n,
                     double *room)
{
    const int64_t wide = all->wide;
    double *sums = all->sums + cell * all->size, *plain = all->plain + cell * wide, *a = room + TOGETHER * wide;
    all->counts[cell * 5] += n;
    for (int64_t first = from, count; first < from + n; first += count) {
        double heavy = w[first] * all->most;
        for (count = 1; count < TOGETHER && first + count < from + n; count++) {
            const double more = heavy + w[first + count] * all->most;
            if (more >= EXACT) break;
            heavy = more;
        }
        if (all->bound[cell] + heavy >= EXACT) flushed(all, cell);
        all->bound[cell] += heavy;
        squared(w + first, count, all->counts + cell * 5 + 2);
        widened_rows(all, z, small, w, first, count, room, a, plain);
        added(a, room, count, all->rows, wide, sums);
    }
}

/* Where the rows of a block go that are complete, cell by cell: place[i], the row to spare where one leaves;
   starts (cells + 1), and as much room again. */
static void placed(const Tally *all, const uint8_t *flags, const int64_t *cell, int64_t n, int64_t *starts, int32_t *place)
{
    int64_t *every = starts + all->cells + 1;
    memset(starts, 0, (size_t)(2 * all->cells + 1) * sizeof(int64_t));
    for (int64_t i = 0; i < n; i++) {
        starts[cell[i] + 1] += !flags[i];
        every[cell[i]]++;
    }
    for (int64_t c = 0; c < all->cells; c++) {
        all->counts[c * 5 + 1] += every[c];
        every[c] = starts[c];
        starts[c + 1] += starts[c];
    }
    for (int64_t i = 0; i < n; i++) {
        place[i] = flags[i] ? BLOCK : (int32_t)every[cell[i]];
        every[cell[i]] += !flags[i];
    }
}

/* The rooms of one call. */
typedef struct {
    uint8_t *flags, *own;
    int32_t *place;
    int64_t *starts;
    float *z, *out;
    int8_t *small;
    uint8_t *columns;
    double *w, *room;
} Rooms;

/* Answers x of one item, each a byte: sign x + shift, and where that is none; `u` is x counted from the least byte. */
WIDEST static void bytes_of(const Coding *code, const uint8_t *restrict x, int64_t n, uint8_t *restrict z,
                            uint8_t *restrict own)
{
    const uint8_t turn = code->turn, shift = code->shift, bias = code->bias, first = code->first, span = code->span,
                  some = code->some, outside = (uint8_t)code->parameters[5];
    for (int64_t i = 0; i < n; i++) {
        const uint8_t u = x[i] ^ bias, there = ((uint8_t)(u - first) <= span) & some;
        z[i] = (uint8_t)((x[i] ^ turn) + shift);
        own[i] = there ? 0 : outside;
    }
    for (int64_t c = 0; c < code->count; c++) {
        const double known = code->codes[c], least = bias ? -128.0 : 0.0;
        if (!(known >= least && known < least + 256.0) || known != floor(known)) continue;
        const uint8_t one = (uint8_t)(int64_t)known;
        for (int64_t i = 0; i < n; i++) own[i] = x[i] == one ? NO_ANSWER : own[i];
    }
}

/* The items of a block where each answer fits a byte: rows at their places, with flags and counts. */
static void narrow_of(const Tally *all, const ArrowArray *batch, const Column *columns, const Coding *codings, int64_t first,
                      int64_t n, Rooms *rooms, int64_t *counts)
{
    for (int64_t j = 0; j < all->p; j++) {
        const ArrowArray *one = batch->children[columns[j].place];
        const int64_t at = batch->offset + one->offset + first;
        bytes_of(codings + j, (const uint8_t *)one->buffers[1] + at, n, rooms->columns + j * BLOCK, rooms->own);
        if (one->null_count && one->buffers[0]) unanswered(one->buffers[0], at, n, rooms->own);
        joined(rooms->own, n, rooms->flags, counts + 2 * j);
    }
}

/* The items of a block as floats, column by column, with flags and counts. */
static void floats_of(const Tally *all, const ArrowArray *batch, const Column *columns, const Coding *codings, int64_t first,
                      int64_t n, Rooms *rooms, int64_t *counts, double *rounded)
{
    for (int64_t j = 0; j < all->p; j++) {
        const ArrowArray *one = batch->children[columns[j].place];
        const int64_t at = batch->offset + one->offset + first;
        const uint8_t *valid = one->null_count ? one->buffers[0] : NULL, *bytes = (const uint8_t *)one->buffers[1] + at;
        const Coding *code = codings + j;
        float *z = rooms->z + j * BLOCK;
        for (int64_t i = 0; i < n; i++)
            if (code->whole) {
                rooms->own[i] = code->flag[bytes[i]];
                z[i] = code->value[bytes[i]];
            } else
                z[i] = coded(code, read_as(columns[j].kind, one->buffers[1], at + i), rooms->own + i, rounded + j);
        if (valid) unanswered(valid, at, n, rooms->own);
        joined(rooms->own, n, rooms->flags, counts + 2 * j);
    }
}

/* One block of a batch: rows first to first + n - 1 of the columns, with their cells and weights. */
static void block_of(Tally *all, const ArrowArray *batch, const Column *columns, Coding *codings, int64_t first, int64_t n,
                     const int64_t *cell, const double *weight, Rooms *rooms, int64_t *counts, double *rounded)
{
    const int64_t wide = all->wide;
    memset(rooms->flags, 0, (size_t)n);
    if (all->narrow)
        narrow_of(all, batch, columns, codings, first, n, rooms, counts);
    else
        floats_of(all, batch, columns, codings, first, n, rooms, counts, rounded);
    placed(all, rooms->flags, cell, n, rooms->starts, rooms->place);
    if (all->narrow)
        carried_to(rooms->columns, BLOCK, rooms->place, n, all->each, (uint8_t *)rooms->small);
    else
        for (int64_t j = 0; j < all->p; j++)
            for (int64_t i = 0; i < n; i++) rooms->out[rooms->place[i] * wide + j] = rooms->z[j * BLOCK + i];
    for (int64_t i = 0; i < n; i++) rooms->w[rooms->place[i]] = weight[i];
    for (int64_t c = 0; c < all->cells; c++) {
        const int64_t from = rooms->starts[c], count = rooms->starts[c + 1] - from;
        if (count) gathered(all, c, rooms->out, rooms->small, rooms->w, from, count, rooms->room);
    }
}

static int roomed(Rooms *rooms, const Tally *all)
{
    const size_t wide = (size_t)all->wide;
    rooms->flags = malloc(BLOCK);
    rooms->own = malloc(BLOCK);
    rooms->place = malloc(BLOCK * sizeof(int32_t));
    rooms->starts = malloc((size_t)(2 * all->cells + 1) * sizeof(int64_t));
    rooms->z = malloc((size_t)all->p * BLOCK * sizeof(float));
    rooms->out = calloc((BLOCK + 1) * wide, sizeof(float));
    rooms->small = calloc((BLOCK + 1) * (size_t)all->each, 1);
    rooms->columns = calloc(BLOCK * (size_t)all->each, 1);
    rooms->w = malloc((BLOCK + 1) * sizeof(double));
    rooms->room = malloc(2 * TOGETHER * wide * sizeof(double));
    return rooms->flags && rooms->own && rooms->place && rooms->starts && rooms->z && rooms->out && rooms->small && rooms->columns && rooms->w && rooms->room;
}

static void unroomed(Rooms *rooms)
{
    free(rooms->flags);
    free(rooms->own);
    free(rooms->place);
    free(rooms->starts);
    free(rooms->z);
    free(rooms->out);
    free(rooms->small);
    free(rooms->columns);
    free(rooms->w);
    free(rooms->room);
}

/* Every batch of the stream; 0 where its columns are no numbers, or not of n rows. */
static int64_t passed(Tally *all, ArrowArrayStream *stream, const char *const *names, Column *columns, Coding *codings,
                      int64_t n, const int64_t *cell, const double *weight, Rooms *rooms, int64_t *counts, double *rounded)
{
    ArrowSchema schema = {.release = NULL};
    if (stream->get_schema(stream, &schema)) return 0;
    int good = located(&schema, names, all->p, columns), narrow = all->most <= 127.0 * 127.0;
    for (int64_t j = 0; good && j < all->p; j++) {
        const char kind = columns[j].kind;
        good = strchr("gflisLISCc", kind) != NULL;
        if (kind == 'c' || kind == 'C') tabled(codings + j, kind);
        narrow &= codings[j].whole;
    }
    all->narrow = narrow;
    for (int64_t i = 0; !narrow && i < BLOCK; i++) rooms->out[i * all->wide + all->p] = 1.0f;
    schema.release(&schema);
    int64_t done = 0;
    while (good) {
        ArrowArray batch = {.release = NULL};
        if (stream->get_next(stream, &batch)) return 0;
        if (!batch.release) break;
        good = batch.length <= n - done && !(batch.null_count && batch.buffers[0]);
        for (int64_t i = 0; good && i < batch.length; i += BLOCK) {
            const int64_t some = batch.length - i < BLOCK ? batch.length - i : BLOCK;
            block_of(all, &batch, columns, codings, i, some, cell + done + i, weight + done + i, rooms, counts, rounded);
        }
        done += batch.length;
        batch.release(&batch);
    }
    for (int64_t c = 0; c < all->cells; c++) flushed(all, c);
    return good && done == n;
}

/* The sums and rooms of one call; NULL with an exception set where a name is no text. */
static int prepared(Tally *all, Rooms *rooms, PyObject *names_, const char **names, Coding *codings,
                    const double *parameters, const double *codes, const int64_t *ends)
{
    const size_t wide = (size_t)all->wide, cells = (size_t)all->cells + 1;
    all->sums = calloc(cells * (size_t)all->size, sizeof(double));
    all->plain = calloc(cells * wide, sizeof(double));
    all->bound = calloc(cells, sizeof(double));
    all->counts = calloc(cells * 5, sizeof(int64_t));
    if (!all->sums || !all->plain || !all->bound || !all->counts || !roomed(rooms, all)) {
        PyErr_NoMemory();
        return 0;
    }
    memset(rooms->columns + all->p * BLOCK, 1, BLOCK);
    for (int64_t j = 0; j < all->p; j++) {
        if (!(names[j] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names_, j)))) return 0;
        codings[j].parameters = parameters + j * PARAMETERS;
        codings[j].codes = codes + ends[j];
        codings[j].count = ends[j + 1] - ends[j];
    }
    return 1;
}

/* tally(n, cells, most, stream, names, parameters, codes, ends, cell, weight, counts, rounded, limbs): the answers of n
   rows added to the limbs (cells, L, 2) of their cells; counts (p, 2) of answers that are absent and outside, and the
   largest rounding of each item (p), are added to. False where a column is absent or holds no plain numbers. */
static PyObject *tally(PyObject *self, PyObject *args)
{
    PyObject *o[9], *stream_, *names_, *done = NULL;
    long long n, cells;
    double most;
    Buffers held = {.count = 0};
    (void)self;
    if (!PyArg_ParseTuple(args, "LLdOO!OOOOOOOO", &n, &cells, &most, &stream_, &PyTuple_Type, &names_, &o[0], &o[1], &o[2],
                          &o[3], &o[4], &o[5], &o[6], &o[7]))
        return NULL;
    const int64_t p = PyTuple_GET_SIZE(names_);
    if (n < 0 || cells < 0 || p < 1) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    ArrowArrayStream *stream = PyCapsule_GetPointer(stream_, "arrow_array_stream");
    Tally all = {.p = p, .wide = (p + 8) / 8 * 8, .rows = (p + 4) / 4 * 4, .each = (p + 16) / 16 * 16, .cells = cells, .most = most};
    all.size = begins(all.rows - 1, all.wide) + all.wide;
    Rooms rooms = {.flags = NULL};
    const double *parameters, *codes, *weight;
    const int64_t *ends, *cell;
    int64_t *counts, some;
    double *rounded;
    Column *columns = calloc((size_t)p, sizeof(Column));
    Coding *codings = calloc((size_t)p, sizeof(Coding));
    const char **names = calloc((size_t)p, sizeof(char *));
    if (!columns || !codings || !names)
        PyErr_NoMemory();
    else if (stream && (parameters = taken(&held, o[0], p * PARAMETERS, 0)) && (codes = taken_whole(&held, o[1], &some))
             && (ends = taken(&held, o[2], p + 1, 0)) && within(ends, p + 1, some + 1)
             && (cell = taken(&held, o[3], n, 0)) && within(cell, n, cells) && (weight = taken(&held, o[4], n, 0))
             && (counts = taken(&held, o[5], 2 * p, 1)) && (rounded = taken(&held, o[6], p, 1))
             && (all.limbs = taken(&held, o[7], cells * (5 + p + (p + 1) * (p + 2) / 2) * 2, 1))
             && prepared(&all, &rooms, names_, names, codings, parameters, codes, ends)) {
        int64_t good;
        Py_BEGIN_ALLOW_THREADS
        good = passed(&all, stream, names, columns, codings, n, cell, weight, &rooms, counts, rounded);
        Py_END_ALLOW_THREADS
        done = PyBool_FromLong(good != 0);
    }
    unroomed(&rooms);
    free(all.sums);
    free(all.plain);
    free(all.bound);
    free(all.counts);
    free(columns);
    free(codings);
    free(names);
    let_go(&held);
    return done;
}

static PyMethodDef functions[] = {
    {"tally", tally, METH_VARARGS, "The answers of a batch added to the sums of their cells."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "csi.moments.stream_kernel", "Compiled sums of batches.", -1,
                                    functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_stream_kernel(void) { return PyModule_Create(&module); }
