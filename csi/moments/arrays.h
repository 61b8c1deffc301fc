/* Arrays of Python as C arrays of eight-byte numbers, for the compiled functions. */

#ifndef CSI_ARRAYS_H
#define CSI_ARRAYS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Inner loops run along rows, so that a compiler can vectorise them without changing the order of any sum: results do
   not depend on the processor's registers. */
#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

#define ARRAYS 24 /* arrays of one call, when no more are asked for */

/* The buffers that a call holds: `own`, and `extra` more in `more`. */
typedef struct {
    int64_t count, extra;
    Py_buffer *more;
    Py_buffer own[ARRAYS];
} Buffers;

/* The buffer that was taken last. */
INLINE Py_buffer *last(Buffers *all)
{
    return all->count <= ARRAYS ? all->own + all->count - 1 : all->more + (all->count - 1 - ARRAYS);
}

static void let_go(Buffers *all)
{
    for (; all->count; all->count--) PyBuffer_Release(last(all));
    free(all->more);
    all->more = NULL;
}

/* A buffer of `items` numbers of eight bytes, of any number of them where that is negative; NULL with an exception
   set. */
static void *taken_by(Buffers *all, PyObject *given, int64_t items, int flags)
{
    if (all->count == ARRAYS + all->extra) {
        PyErr_SetString(PyExc_ValueError, "too many arrays");
        return NULL;
    }
    Py_buffer *one = all->count < ARRAYS ? all->own + all->count : all->more + (all->count - ARRAYS);
    if (PyObject_GetBuffer(given, one, PyBUF_C_CONTIGUOUS | flags) < 0) return NULL;
    all->count++;
    if (one->itemsize != 8 || (items >= 0 && one->len != items * 8)) {
        PyErr_SetString(PyExc_ValueError, "an array has another size than the problem");
        return NULL;
    }
    return one->buf;
}

INLINE void *taken(Buffers *all, PyObject *given, int64_t items, int writable)
{
    return taken_by(all, given, items, writable ? PyBUF_WRITABLE : 0);
}

/* Room for `extra` more buffers; 0 with an exception set. */
INLINE int widened(Buffers *all, int64_t extra)
{
    all->more = calloc((size_t)extra + 1, sizeof(Py_buffer));
    if (!all->more) {
        PyErr_NoMemory();
        return 0;
    }
    all->extra = extra;
    return 1;
}

/* A buffer of as many numbers as there are, and how many; NULL with an exception set. */
INLINE void *taken_whole(Buffers *all, PyObject *given, int64_t *items)
{
    void *found = taken(all, given, -1, 0);
    if (found) *items = last(all)->len / 8;
    return found;
}

/* Whether `count` places lie in [0, below); an exception is set where not. */
INLINE int within(const int64_t *places, int64_t count, int64_t below)
{
    for (int64_t i = 0; i < count; i++)
        if (places[i] < 0 || places[i] >= below) {
            PyErr_SetString(PyExc_IndexError, "a place lies outside its array");
            return 0;
        }
    return 1;
}

#endif
