/* Normal theory for Python: starts, value and derivatives, minimum, inverses and residuals of every slice of a stack.

   numpy stands in where no compiler was at hand; tests hold the two to each other. Every array is checked for its size
   and every place for its range before it is used. */

#include "kernel_indices.h"
#include "kernel_search.h"
#include "kernel_starts.h"

#define OF_GROUP 18 /* arrays of a group at most */

/* One group from (p, m, depth, position, mirror, u, v, c, of, s, flat, cov, mean, constant, weight or None). */
static int grouped(Buffers *all, PyObject *given, Group *g, int64_t b, int64_t r)
{
    PyObject *o[11], *weight;
    long long p, m, depth;
    if (!PyArg_ParseTuple(given, "LLLOOOOOOOOOOOO", &p, &m, &depth, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6],
                          &o[7], &o[8], &o[9], &o[10], &weight))
        return 0;
    if (p < 1 || m < 0) {
        PyErr_SetString(PyExc_ValueError, "a group has items");
        return 0;
    }
    g->p = p;
    g->m = m;
    g->depth = depth;
    g->size = p * m + p * p + 2 * m * m + p + m;
    if (!(g->position = taken_whole(all, o[0], &g->e))) return 0;
    const int64_t e = g->e;
    if (!(g->mirror = taken(all, o[1], e, 0)) || !(g->u = taken(all, o[2], e, 0)) || !(g->v = taken(all, o[3], e, 0))
        || !(g->c = taken(all, o[4], e, 0)) || !(g->of = taken(all, o[5], e, 0)) || !(g->s = taken(all, o[6], e, 0))
        || !(g->flat = taken(all, o[7], b * g->size, 0)) || !(g->cov = taken(all, o[8], b * p * p, 0))
        || !(g->mean = taken(all, o[9], b * p, 0)) || !(g->constant = taken(all, o[10], b, 0)))
        return 0;
    g->weight = NULL;
    const int64_t c = g->p + 2 * g->m;
    if (!within(g->position, g->e, g->size) || !within(g->mirror, g->e, g->size) || !within(g->u, g->e, c)
        || !within(g->v, g->e, c) || !within(g->c, g->e, g->m + 2) || !within(g->of, g->e, r))
        return 0;
    return weight == Py_None || (g->weight = taken(all, weight, b * p * p, 0)) != NULL;
}

/* Room for the largest group; NULL without memory. One block, freed at once. */
static double *roomy(const Problem *q, Room *w, State *s)
{
    int64_t p = 0, m = 0, size = 0, e = 0;
    for (int64_t i = 0; i < q->g; i++) {
        const Group *g = q->groups + i;
        if (g->p > p) p = g->p;
        if (g->m > m) m = g->m;
        if (g->size > size) size = g->size;
        if (g->e > e) e = g->e;
    }
    const int64_t c = p + 2 * m, r = q->r, wide = (p > 2 * m ? p : 2 * m) + 1;
    struct {
        double **at;
        int64_t n;
    } parts[] = {
        {&w->full, size}, {&w->A, m * m}, {&w->Phi, m * m}, {&w->T1, m * m}, {&w->B, 2 * p * m}, {&w->Sigma, p * p},
        {&w->W, p * p}, {&w->T, p * wide}, {&w->WT, p * p}, {&w->Q, p * p}, {&w->WB, 2 * p * m}, {&w->QB, 2 * p * m},
        {&w->G, c * c}, {&w->X, c * c}, {&w->R, c * c}, {&w->d, p}, {&w->h, c}, {&w->reach, m + 2}, {&w->level, m},
        {&w->part, e}, {&w->N, c * c}, {&s->phi, r}, {&s->slope, r}, {&s->H, r * r}, {&s->trial, r}, {&s->slope2, r},
        {&s->H2, r * r}, {&s->step, r}, {&s->scale, r}, {&s->factor, r * r}, {&s->copy, r * r},
    };
    const size_t count = sizeof(parts) / sizeof(parts[0]);
    size_t all = 0;
    for (size_t i = 0; i < count; i++) all += (size_t)((parts[i].n + 8) & ~(int64_t)7);
    double *block = calloc(all, sizeof(double)), *next = block;
    for (size_t i = 0; block && i < count; i++) {
        *parts[i].at = next;
        next += (parts[i].n + 8) & ~(int64_t)7;
    }
    return block;
}

/* The problem from its Python form; 0 with an exception set. */
static int problem_of(Buffers *all, PyObject *groups, PyObject *share, PyObject *total, int means, int64_t b,
                      int64_t r, Problem *q)
{
    const Py_ssize_t count = PyTuple_Size(groups);
    if (count < 0 || !widened(all, OF_GROUP * count)) return 0;
    if (b < 0 || r < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return 0;
    }
    q->r = r;
    q->g = count;
    q->means = means;
    q->groups = calloc((size_t)count, sizeof(Group));
    if (!q->groups) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (!grouped(all, PyTuple_GetItem(groups, i), q->groups + i, b, r)) return 0;
    return (q->share = taken(all, share, b * count, 0)) != NULL && (q->total = taken(all, total, b, 0)) != NULL;
}

/* evaluate(groups, share, total, means, exact, phi, value, slope, hessian): fills the last three for every slice. */
static PyObject *evaluate(PyObject *self, PyObject *args)
{
    PyObject *groups, *share, *total, *phi_, *value_, *slope_, *hessian_;
    int means, exact;
    long long b, r;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLO!OOppOOOO", &b, &r, &PyTuple_Type, &groups, &share, &total, &means, &exact, &phi_,
                          &value_, &slope_, &hessian_))
        return NULL;
    Buffers all = {.count = 0};
    Problem q = {0};
    Room w;
    State s;
    double *block = NULL, *phi, *value, *slope, *hessian;
    PyObject *done = NULL;
    if (problem_of(&all, groups, share, total, means, b, r, &q)
        && (phi = taken(&all, phi_, b * r, 0)) && (value = taken(&all, value_, b, 1))
        && (slope = taken(&all, slope_, b * r, 1)) && (hessian = taken(&all, hessian_, b * r * r, 1))) {
        block = roomy(&q, &w, &s);
        if (block) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++)
                value[i] = evaluated(&q, i, phi + i * r, exact, &w, slope + i * r, hessian + i * r * r);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(block);
    free(q.groups);
    let_go(&all);
    return done;
}

/* Where the implied moments of one group go: A, Phi, K, Sigma, mu, reach. */
typedef struct {
    double *A, *Phi, *K, *Sigma, *mu, *reach;
} Told;

/* The implied moments of one slice of a group from the room into `to`; NaN where arrows imply none. */
static void told(const Group *g, int64_t slice, const double *theta, int means, Room *w, const Told *to)
{
    const int64_t p = g->p, m = g->m, c = p + 2 * m;
    double *K = to->K + slice * p * c, *mu = to->mu + slice * p, *reach = to->reach + slice * (m + 2);
    const int sound = implied(g, slice, theta, means, w);
    if (!sound)
        for (int64_t i = 0; i < m * m; i++) w->A[i] = w->Phi[i] = NAN;
    memcpy(to->A + slice * m * m, w->A, (size_t)(m * m) * sizeof(double));
    memcpy(to->Phi + slice * m * m, w->Phi, (size_t)(m * m) * sizeof(double));
    for (int64_t i = 0; i < p; i++) {
        for (int64_t j = 0; j < p; j++) {
            K[i * c + j] = i == j;
            to->Sigma[slice * p * p + i * p + j] = sound ? w->Sigma[i * p + j] : NAN;
        }
        for (int64_t j = 0; j < 2 * m; j++) K[i * c + p + j] = sound ? w->B[i * 2 * m + j] : NAN;
        mu[i] = !means ? 0.0 : sound ? g->mean[slice * p + i] - w->d[i] : NAN;
    }
    for (int64_t j = 0; j < m + 2; j++) reach[j] = !means ? 0.0 : sound ? w->reach[j] : NAN;
}

/* imply(b, r, groups, share, total, means, theta, outs): the implied moments, into six arrays of every group. */
static PyObject *imply(PyObject *self, PyObject *args)
{
    PyObject *groups, *share, *total, *theta_, *outs;
    int means;
    long long b, r;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLO!OOpOO!", &b, &r, &PyTuple_Type, &groups, &share, &total, &means, &theta_,
                          &PyTuple_Type, &outs))
        return NULL;
    Buffers all = {.count = 0};
    Problem q = {0};
    Room w;
    State s;
    double *block = NULL, *theta;
    PyObject *done = NULL;
    int sound = problem_of(&all, groups, share, total, means, b, r, &q)
        && (theta = taken(&all, theta_, b * r, 0)) && PyTuple_Size(outs) == PyTuple_Size(groups);
    if (sound && !(block = roomy(&q, &w, &s))) {
        PyErr_NoMemory();
        sound = 0;
    }
    for (int64_t i = 0; sound && i < q.g; i++) {
        const Group *g = q.groups + i;
        const int64_t p = g->p, m = g->m, sizes[6] = {m * m, m * m, p * (p + 2 * m), p * p, p, m + 2};
        double *at[6];
        PyObject *own = PyTuple_GetItem(outs, i);
        sound = own && PyTuple_Check(own) && PyTuple_Size(own) == 6;
        for (int j = 0; sound && j < 6; j++) sound = (at[j] = taken(&all, PyTuple_GetItem(own, j), b * sizes[j], 1)) != NULL;
        const Told to = {at[0], at[1], at[2], at[3], at[4], at[5]};
        for (int64_t slice = 0; sound && slice < b; slice++) told(g, slice, theta + slice * r, means, &w, &to);
    }
    if (sound)
        done = Py_NewRef(Py_None);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "six arrays for every group");
    free(block);
    free(q.groups);
    let_go(&all);
    return done;
}

/* minimise(b, r, groups, share, total, means, rules, expected, phi, value, slope, hessian, iterations, settled, drop):
   phi holds the starts and takes the minima. */
static PyObject *minimise(PyObject *self, PyObject *args)
{
    PyObject *groups, *share, *total, *phi_, *value_, *slope_, *hessian_, *iterations_, *settled_, *drop_;
    int means, expected;
    long long b, r, rounds;
    Rules rules;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLO!OOp(dddddL)pOOOOOOO", &b, &r, &PyTuple_Type, &groups, &share, &total, &means,
                          &rules.settled, &rules.near, &rules.flat, &rules.rough, &rules.limit, &rounds, &expected,
                          &phi_, &value_, &slope_, &hessian_, &iterations_, &settled_, &drop_))
        return NULL;
    rules.rounds = rounds;
    Buffers all = {.count = 0};
    Problem q = {0};
    Room w;
    State s;
    double *block = NULL, *phi, *value, *slope, *hessian, *drop;
    int64_t *iterations, *settled;
    PyObject *done = NULL;
    if (problem_of(&all, groups, share, total, means, b, r, &q)
        && (phi = taken(&all, phi_, b * r, 1)) && (value = taken(&all, value_, b, 1))
        && (slope = taken(&all, slope_, b * r, 1)) && (hessian = taken(&all, hessian_, b * r * r, 1))
        && (iterations = taken(&all, iterations_, b, 1))
        && (settled = taken(&all, settled_, b, 1)) && (drop = taken(&all, drop_, b, 1))) {
        block = roomy(&q, &w, &s);
        if (block) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++) {
                memcpy(s.phi, phi + i * r, (size_t)r * sizeof(double));
                const Ending end = searched(&q, i, &rules, &w, &s);
                value[i] = end.value;
                memcpy(phi + i * r, s.phi, (size_t)r * sizeof(double));
                if (expected && end.exact) value[i] = evaluated(&q, i, phi + i * r, 0, &w, s.slope, s.H);
                memcpy(slope + i * r, s.slope, (size_t)r * sizeof(double));
                memcpy(hessian + i * r * r, s.H, (size_t)(r * r) * sizeof(double));
                iterations[i] = end.iterations;
                settled[i] = end.settled;
                drop[i] = end.drop;
            }
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(block);
    free(q.groups);
    let_go(&all);
    return done;
}

/* start(b, p, n, plan, numbers, cov, mean, values): starts of every slice of one group into values (b, t). */
static PyObject *start(PyObject *self, PyObject *args)
{
    PyObject *plan_, *numbers_, *cov_, *mean_, *values_, *done = NULL;
    long long b, p, n, t;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLLOOOOO", &b, &p, &n, &t, &plan_, &numbers_, &cov_, &mean_, &values_)) return NULL;
    Buffers all = {.count = 0};
    Begun w;
    double *block = NULL, *values;
    const double *numbers, *cov, *mean;
    const int64_t *places;
    int64_t steps, count;
    if (b < 0 || p < 1 || n < p || t < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((places = taken_whole(&all, plan_, &steps))) {
        const Plan plan = {places, places + steps, 0};
        if ((numbers = taken_whole(&all, numbers_, &count)) && (cov = taken(&all, cov_, b * p * p, 0))
            && (mean = taken(&all, mean_, b * p, 0))
            && (values = taken(&all, values_, b * t, 1))) {
            block = begun_room(&w, n, t);
            int sound = block != NULL;
            for (int64_t i = 0; i < b && sound; i++)
                sound = begun(plan, numbers, count, p, t, &w, cov + i * p * p, mean + i * p, values + i * t);
            if (sound)
                done = Py_NewRef(Py_None);
            else if (block)
                PyErr_SetString(PyExc_IndexError, "a place lies outside its array");
            else
                PyErr_NoMemory();
        }
    }
    free(block);
    let_go(&all);
    return done;
}

/* Moments of a stack: observed, implied, and which items are given. */
typedef struct {
    const double *cov, *mean, *Sigma, *mu;
    const int64_t *given;
    int means;
} Both;

/* The moments from their Python form; 0 with an exception set. */
static int both_of(Buffers *all, PyObject **o, int64_t b, int64_t p, Both *m)
{
    if (b < 0 || p < 1) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return 0;
    }
    return (m->cov = taken(all, o[0], b * p * p, 0)) && (m->mean = taken(all, o[1], b * p, 0))
        && (m->Sigma = taken(all, o[2], b * p * p, 0)) && (m->mu = taken(all, o[3], b * p, 0))
        && (m->given = taken(all, o[4], p, 0));
}

/* Both sums of slice `i`; 0 where Sigma, which the weights of `parts` are the inverse of, is not positive definite.
   `room` takes 4 p p + 2 p numbers. */
static int residual_sums(const Both *m, int64_t i, int64_t p, double *room, double *sums, double *parts)
{
    double *U = room, *W = U + p * p, *R = W + p * p, *WR = R + p * p, *s = WR + p * p;
    const double *S = m->cov + i * p * p, *A = m->Sigma + i * p * p, *mean = m->mean + i * p, *mu = m->mu + i * p;
    squared(p, S, mean, A, mu, s, s + p, sums);
    if (!cholesky(A, U, p)) return 0;
    inverted(U, W, R, p); /* the inverse into R; W is room */
    memcpy(W, R, (size_t)(p * p) * sizeof(double));
    weighed(p, S, mean, A, mu, m->given, m->means, W, R, WR, parts);
    return 1;
}

/* residuals(b, p, cov, mean, Sigma, mu, given, means, sums, parts): what `squared` and `weighed` find; returns how many
   slices, from the first, have a positive definite Sigma. */
static PyObject *residuals(PyObject *self, PyObject *args)
{
    PyObject *o[5], *sums_, *parts_, *done = NULL;
    long long b, p;
    Both m;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOOOOOpOO", &b, &p, &o[0], &o[1], &o[2], &o[3], &o[4], &m.means, &sums_, &parts_))
        return NULL;
    Buffers all = {.count = 0};
    double *room = NULL, *sums, *parts;
    if (both_of(&all, o, b, p, &m) && (sums = taken(&all, sums_, b * SUMS, 1))
        && (parts = taken(&all, parts_, b * 2, 1))) {
        room = malloc((size_t)(4 * p * p + 2 * p) * sizeof(double));
        if (room) {
            long long good = 0;
            while (good < b && residual_sums(&m, good, p, room, sums + good * SUMS, parts + good * 2)) good++;
            done = PyLong_FromLongLong(good);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

/* indices(b, p, cov, mean, Sigma, mu, given, means, counts, numbers, out): the fit measures in closed form of every
   slice of one group, into out (INDICES, b), from `Counts` and the `Numbers` (6, b); returns as `residuals`. */
static PyObject *indices(PyObject *self, PyObject *args)
{
    PyObject *o[5], *numbers_, *out_, *done = NULL;
    long long b, p;
    Both m;
    Counts c;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOOOOOp(dddddd)OO", &b, &p, &o[0], &o[1], &o[2], &o[3], &o[4], &m.means, &c.df,
                          &c.df0, &c.npar, &c.moments, &c.critical_05, &c.critical_01, &numbers_, &out_))
        return NULL;
    Buffers all = {.count = 0};
    double *room = NULL, *out, found[INDICES], sums[SUMS], parts[2];
    const double *x;
    if (both_of(&all, o, b, p, &m) && (x = taken(&all, numbers_, b * 6, 0)) && (out = taken(&all, out_, b * INDICES, 1))) {
        room = malloc((size_t)(4 * p * p + 2 * p) * sizeof(double));
        if (room) {
            long long i = 0;
            for (; i < b && residual_sums(&m, i, p, room, sums, parts); i++) {
                const Numbers own = {x[i], x[b + i], x[2 * b + i], x[3 * b + i], x[4 * b + i], x[5 * b + i]};
                compared(&c, &own, found);
                counted(&c, &own, (double)p, found);
                sized(&c, sums, parts, (double)p, m.means, found);
                for (int64_t k = 0; k < INDICES; k++) out[k * b + i] = found[k];
            }
            done = PyLong_FromLongLong(i);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

/* invert(b, n, stack, out): inverses of positive definite matrices; returns how many of them, from the first, are. */
static PyObject *invert(PyObject *self, PyObject *args)
{
    PyObject *stack_, *out_, *done = NULL;
    long long b, n;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOO", &b, &n, &stack_, &out_)) return NULL;
    Buffers all = {.count = 0};
    double *room = NULL, *out;
    const double *stack;
    if (b < 0 || n < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((stack = taken(&all, stack_, b * n * n, 0))
        && (out = taken(&all, out_, b * n * n, 1))) {
        room = malloc((size_t)(2 * n * n + 8) * sizeof(double));
        if (room) {
            long long i = 0;
            Py_BEGIN_ALLOW_THREADS
            for (; i < b && cholesky(stack + i * n * n, room, n); i++) inverted(room, room + n * n, out + i * n * n, n);
            Py_END_ALLOW_THREADS
            done = PyLong_FromLongLong(i);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

/* definite(b, n, stack, logdet, sound): log-determinants, -inf where there is no Cholesky factor, and whether the matrix
   with a unit diagonal has one by a margin of 1e-10. */
static PyObject *definite(PyObject *self, PyObject *args)
{
    PyObject *stack_, *logdet_, *sound_, *done = NULL;
    long long b, n;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOOO", &b, &n, &stack_, &logdet_, &sound_)) return NULL;
    Buffers all = {.count = 0};
    double *room = NULL, *logdet;
    int64_t *sound;
    const double *stack;
    if (b < 0 || n < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((stack = taken(&all, stack_, b * n * n, 0))
        && (logdet = taken(&all, logdet_, b, 1)) && (sound = taken(&all, sound_, b, 1))) {
        room = malloc((size_t)(2 * n * n + n + 8) * sizeof(double));
        if (room) {
            for (long long i = 0; i < b; i++)
                sound[i] = determined(stack + i * n * n, n, room, room + n * n, room + 2 * n * n, logdet + i);
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

static PyMethodDef functions[] = {
    {"evaluate", evaluate, METH_VARARGS, "Value, gradient and Hessian of every slice, into given arrays."},
    {"minimise", minimise, METH_VARARGS, "The minimum of every slice, into given arrays."},
    {"definite", definite, METH_VARARGS, "Log-determinants and definiteness, into given arrays."},
    {"imply", imply, METH_VARARGS, "Implied moments of every slice, into given arrays."},
    {"invert", invert, METH_VARARGS, "Inverses of positive definite matrices, into a given array."},
    {"indices", indices, METH_VARARGS, "Fit measures in closed form, into a given array."},
    {"residuals", residuals, METH_VARARGS, "Sums of squared and weighted residuals, into given arrays."},
    {"start", start, METH_VARARGS, "Start values of every slice of a group, into a given array."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "csi.sem.kernel", "Compiled normal theory.", -1, functions,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModule_Create(&module); }
