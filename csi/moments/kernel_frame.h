/* Columns of a data frame as rows, through the Arrow C stream that it hands over: nothing is copied on the way.

   The three structures are those of the Arrow C data interface and C stream interface (Apache Arrow, "The Arrow C data
   interface"), word for word. */

#ifndef CSI_FRAME_H
#define CSI_FRAME_H

#include "arrays.h"

typedef struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
} ArrowSchema;

typedef struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
} ArrowArray;

typedef struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
} ArrowArrayStream;

/* Where an item stands among the columns, and the letter of its kind. */
typedef struct {
    int64_t place;
    char kind;
} Column;

/* Numbers of one type, every `p`-th of `out`. */
#define COPIED(letter, type)                                                                                           \
    case letter:                                                                                                       \
        for (int64_t i = 0; i < n; i++) out[i * p] = (double)((const type *)numbers)[first + i];                       \
        return 1;

/* The numbers first to first + n - 1 of a column of any kind; 0 where the kind is not that of numbers. */
static int copied(char kind, const void *numbers, int64_t first, int64_t n, int64_t p, double *out)
{
    switch (kind) {
        COPIED('g', double)
        COPIED('f', float)
        COPIED('l', int64_t)
        COPIED('i', int32_t)
        COPIED('s', int16_t)
        COPIED('c', int8_t)
        COPIED('L', uint64_t)
        COPIED('I', uint32_t)
        COPIED('S', uint16_t)
        COPIED('C', uint8_t)
    }
    return 0;
}

/* Columns with these p names; 0 where one is absent, or holds no plain numbers. Names in the columns' order are found at
   one go. */
static int located(const ArrowSchema *schema, const char *const *names, int64_t p, Column *columns)
{
    const int64_t count = schema->n_children;
    for (int64_t j = 0, next = 0; j < p; j++) {
        int64_t tried = 0;
        while (tried < count && strcmp(schema->children[(next + tried) % count]->name, names[j])) tried++;
        if (tried == count) return 0;
        const ArrowSchema *own = schema->children[columns[j].place = (next + tried) % count];
        if (!own->format[0] || own->format[1] || own->dictionary || own->metadata) return 0;
        columns[j].kind = own->format[0];
        next = columns[j].place + 1;
    }
    return 1;
}

/* The rows of one batch, into `rows`; 0 where an answer is absent or a column is none of numbers. */
static int batched(const ArrowArray *batch, const Column *columns, int64_t p, double *rows)
{
    if (batch->null_count && batch->buffers[0]) return 0;
    for (int64_t j = 0; j < p; j++) {
        const ArrowArray *own = batch->children[columns[j].place];
        if (own->null_count && own->buffers[0]) return 0;
        if (!copied(columns[j].kind, own->buffers[1], batch->offset + own->offset, batch->length, p, rows + j)) return 0;
    }
    return 1;
}

/* The columns with these p names as rows (n x p), batch after batch; 0 where they are no complete columns of numbers,
   or not of n answers. */
static int streamed(ArrowArrayStream *stream, const char *const *names, int64_t n, int64_t p, Column *columns, double *rows)
{
    ArrowSchema schema = {.release = NULL};
    if (stream->get_schema(stream, &schema)) return 0;
    int good = located(&schema, names, p, columns);
    schema.release(&schema);
    int64_t filled = 0;
    while (good) {
        ArrowArray batch = {.release = NULL};
        if (stream->get_next(stream, &batch)) return 0;
        if (!batch.release) break;
        good = batch.length <= n - filled && batched(&batch, columns, p, rows + filled * p);
        filled += batch.length;
        batch.release(&batch);
    }
    return good && filled == n;
}

#endif
