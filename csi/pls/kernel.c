/* Partial least squares on correlation matrices, one slice after another: the weights where they settle and all that
   follows from them.

   The same formulas as algorithm.py, inner.py and linear.py, which are the reading version and stand in where no
   compiler was at hand; tests hold the two to each other. */

#include "../moments/elimination.h"

#define ROUNDING 1e-9 /* as in consistent.py */

enum { PATH, FACTORIAL, CENTROID };

/* The model as indices, and the rules of the search; p items, q constructs. */
typedef struct {
    int64_t p, q, scheme, rounds;
    double tolerance;
    const int64_t *starts; /* q + 1: first item of each block, and p */
    const int64_t *arrows; /* q x q: 1 where [outcome, predictor] is a path */
    const int64_t *mode_b; /* q */
} Problem;

/* Scores of variance 1: weights (p), item covariances turned (q x p), correlations (q x q). */
typedef struct {
    double *w, *RW, *C;
} State;

/* Room for one slice. */
typedef struct {
    State now, next;
    double *E, *A, *x, *scale, *inverses, *W;
    int64_t *chosen;
} Room;

/* B (q x q): standardised regression coefficients [outcome, predictor] from correlations C. */
static void regressed(const Problem *m, const double *C, Room *r, double *B, int definite)
{
    const int64_t q = m->q;
    for (int64_t i = 0; i < q * q; i++) B[i] = 0.0;
    for (int64_t y = 0; y < q; y++) {
        int64_t k = 0;
        for (int64_t x = 0; x < q; x++)
            if (m->arrows[y * q + x]) r->chosen[k++] = x;
        if (k == 1) B[y * q + r->chosen[0]] = C[y * q + r->chosen[0]];
        if (k < 2) continue;
        for (int64_t i = 0; i < k; i++) {
            for (int64_t j = 0; j < k; j++) r->A[i * k + j] = C[r->chosen[i] * q + r->chosen[j]];
            r->x[i] = C[r->chosen[i] * q + y];
        }
        eliminated(r->A, r->x, r->scale, k, 1, definite);
        for (int64_t i = 0; i < k; i++) B[y * q + r->chosen[i]] = r->x[i];
    }
}

/* Paths and R2 from correlations C; R2 is NaN where nothing predicts. */
static void explained(const Problem *m, const double *C, Room *r, double *paths, double *r2, int definite)
{
    const int64_t q = m->q;
    regressed(m, C, r, paths, definite);
    for (int64_t y = 0; y < q; y++) {
        int64_t predictors = 0;
        r2[y] = 0.0;
        for (int64_t x = 0; x < q; x++) {
            predictors += m->arrows[y * q + x];
            r2[y] += paths[y * q + x] * C[y * q + x];
        }
        if (!predictors) r2[y] = NAN;
    }
}

/* Inner weights E [construct, neighbour]. */
static void inner(const Problem *m, const double *C, Room *r)
{
    const int64_t q = m->q;
    if (m->scheme == PATH) regressed(m, C, r, r->E, 1);
    for (int64_t j = 0; j < q; j++)
        for (int64_t k = 0; k < q; k++) {
            const double c = C[j * q + k];
            const int into = m->arrows[j * q + k] != 0, out = m->arrows[k * q + j] != 0;
            double *e = r->E + j * q + k;
            if (m->scheme == PATH)
                *e += out ? c : 0.0;
            else if (!into && !out)
                *e = 0.0;
            else
                *e = m->scheme == FACTORIAL ? c : c > 0 ? 1.0 : c < 0 ? -1.0 : c;
        }
}

/* The state of weights s->w: scaled to scores of variance 1, with what follows from them. */
VECTORISED static void normalised(const Problem *m, const double *R, State *s, double *scale)
{
    const int64_t p = m->p, q = m->q;
    for (int64_t j = 0; j < q; j++) {
        double *turned = s->RW + j * p;
        for (int64_t i = 0; i < p; i++) turned[i] = 0.0;
        for (int64_t k = m->starts[j]; k < m->starts[j + 1]; k++) {
            const double w = s->w[k], *row = R + k * p;
            for (int64_t i = 0; i < p; i++) turned[i] += w * row[i];
        }
    }
    for (int64_t j = 0; j < q; j++)
        for (int64_t k = 0; k <= j; k++) {
            double sum = 0.0;
            const double *turned = s->RW + k * p;
            for (int64_t i = m->starts[j]; i < m->starts[j + 1]; i++) sum += s->w[i] * turned[i];
            s->C[j * q + k] = s->C[k * q + j] = sum;
        }
    for (int64_t j = 0; j < q; j++) scale[j] = 1.0 / sqrt(s->C[j * q + j]);
    for (int64_t j = 0; j < q; j++) {
        double *turned = s->RW + j * p;
        for (int64_t i = 0; i < p; i++) turned[i] *= scale[j];
        for (int64_t i = m->starts[j]; i < m->starts[j + 1]; i++) s->w[i] *= scale[j];
        for (int64_t k = 0; k < q; k++) s->C[j * q + k] *= scale[j] * scale[k];
    }
}

/* New outer weights: covariances of items and proxies, in the items' units or regressed for mode B. */
VECTORISED static void outer(const Problem *m, const Room *r, const double *sd, double *w)
{
    const int64_t p = m->p, q = m->q;
    for (int64_t j = 0; j < q; j++) {
        const int64_t start = m->starts[j], stop = m->starts[j + 1], size = stop - start;
        for (int64_t i = start; i < stop; i++) w[i] = 0.0;
        for (int64_t k = 0; k < q; k++) {
            if (!m->arrows[j * q + k] && !m->arrows[k * q + j]) continue;
            const double e = r->E[j * q + k], *turned = r->now.RW + k * p;
            for (int64_t i = start; i < stop; i++) w[i] += e * turned[i];
        }
        if (m->mode_b[j] && size > 1) {
            const double *inverse = r->inverses + start * p;
            for (int64_t i = 0; i < size; i++) r->x[i] = 0.0;
            for (int64_t k = 0; k < size; k++)
                for (int64_t i = 0; i < size; i++) r->x[i] += inverse[k * size + i] * w[start + k];
            memcpy(w + start, r->x, (size_t)size * sizeof(double));
        } else if (sd)
            for (int64_t i = start; i < stop; i++) w[i] *= sd[i] * sd[i];
    }
}

/* The larger; not a number where either is none. */
static double larger(double a, double b) { return b > a || b != b ? b : a; }

/* Largest change of a weight, whichever way each score points. */
static double changed(const Problem *m, const double *new, const double *old)
{
    double most = 0.0;
    for (int64_t j = 0; j < m->q; j++) {
        double same = 0.0, turned = 0.0;
        for (int64_t i = m->starts[j]; i < m->starts[j + 1]; i++) {
            same = larger(same, fabs(new[i] - old[i]));
            turned = larger(turned, fabs(new[i] + old[i]));
        }
        most = larger(most, same != same || turned != turned ? NAN : same < turned ? same : turned);
    }
    return most;
}

/* Inverse correlations of every block in mode B, each at its first item's row. */
static void inverted(const Problem *m, const double *R, Room *r)
{
    for (int64_t j = 0; j < m->q; j++) {
        const int64_t start = m->starts[j], size = m->starts[j + 1] - start;
        if (!m->mode_b[j] || size < 2) continue;
        double *X = r->inverses + start * m->p;
        for (int64_t i = 0; i < size; i++)
            for (int64_t k = 0; k < size; k++) {
                r->W[i * size + k] = R[(start + i) * m->p + start + k];
                X[i * size + k] = i == k;
            }
        eliminated(r->W, X, r->scale, size, size, 1);
    }
}

/* Repeat the step until the weights settle: they are left in r->next. */
static int64_t settled(const Problem *m, const double *R, const double *sd, Room *r, double *change)
{
    inverted(m, R, r);
    for (int64_t i = 0; i < m->p; i++) r->now.w[i] = sd ? sd[i] : 1.0;
    normalised(m, R, &r->now, r->scale);
    for (int64_t round = 1;; round++) {
        inner(m, r->now.C, r);
        outer(m, r, sd, r->next.w);
        normalised(m, R, &r->next, r->scale);
        *change = changed(m, r->next.w, r->now.w);
        if (!(*change >= m->tolerance) || round >= m->rounds) return round;
        const State old = r->now;
        r->now = r->next;
        r->next = old;
    }
}

/* Every score turned to correlate positively with that of weights `reference` (equal weights where NULL). */
static void oriented(const Problem *m, const double *reference, State *s)
{
    const int64_t p = m->p, q = m->q;
    for (int64_t j = 0; j < q; j++) {
        double agreement = 0.0, *turned = s->RW + j * p;
        for (int64_t i = m->starts[j]; i < m->starts[j + 1]; i++)
            agreement += (reference ? reference[i] : 1.0) * turned[i];
        if (!(agreement < 0)) continue;
        for (int64_t i = 0; i < p; i++) turned[i] = -turned[i];
        for (int64_t i = m->starts[j]; i < m->starts[j + 1]; i++) s->w[i] = -s->w[i];
        for (int64_t k = 0; k < q; k++) s->C[j * q + k] = -s->C[j * q + k];
        for (int64_t k = 0; k < q; k++) s->C[k * q + j] = -s->C[k * q + j];
    }
}

static int all_finite(const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return 0;
    return 1;
}

/* Where the results of all slices go. */
typedef struct {
    double *w, *cross, *C, *paths, *r2, *change;
    int64_t *iterations, *converged;
} Results;

/* One slice. */
static void solved(const Problem *m, const double *R, const double *sd, const double *reference, Room *r, int64_t at,
                   const Results *out)
{
    const int64_t p = m->p, q = m->q;
    double *w = out->w + at * p, *cross = out->cross + at * p * q, *C = out->C + at * q * q;
    double *paths = out->paths + at * q * q, *r2 = out->r2 + at * q;
    out->iterations[at] = m->rounds;
    out->change[at] = NAN;
    const int whole = all_finite(R, p * p);
    if (whole) out->iterations[at] = settled(m, R, sd, r, out->change + at);
    if (!whole || !all_finite(r->next.w, p))
        for (int64_t i = 0; i < p; i++) r->next.w[i] = NAN;
    out->converged[at] = out->change[at] < m->tolerance;
    normalised(m, R, &r->next, r->scale);
    oriented(m, reference, &r->next);
    memcpy(w, r->next.w, (size_t)p * sizeof(double));
    memcpy(C, r->next.C, (size_t)(q * q) * sizeof(double));
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < q; j++) cross[i * q + j] = r->next.RW[j * p + i];
    explained(m, C, r, paths, r2, 1);
}

/* rho_A of the block from start to stop - 1: (w'w)^2 (w'(R - diag R)w) / (w'(ww' - diag ww')w). */
static double reliable(const Problem *m, const double *R, const double *w, int64_t start, int64_t stop, double *squared)
{
    double shared = 0.0, fourth = 0.0;
    *squared = 0.0;
    for (int64_t i = start; i < stop; i++) {
        double beside = 0.0;
        for (int64_t k = start; k < stop; k++) beside += i == k ? 0.0 : R[i * m->p + k] * w[k];
        shared += beside * w[i];
        *squared += w[i] * w[i];
        fourth += w[i] * w[i] * w[i] * w[i];
    }
    return *squared * *squared * shared / (*squared * *squared - fourth);
}

/* What is doubtful of a slice after correction: a rho_A above 1; a correlation beyond 1; whether the correlations are
   positive definite; whether all are numbers; a factor's loading beyond 1, which leaves its item a negative variance. */
enum { ABOVE, BEYOND, DEFINITE, FINITE, HEYWOOD, DOUBTS };

/* One slice of b after correction for unreliability, with its column of the doubts. */
static void corrected(const Problem *m, const int64_t *factor, const double *R, const double *w, const double *cross,
                      const double *scores, Room *r, double *rho, double *loadings, double *C, double *paths, double *r2,
                      int64_t *doubts, int64_t b)
{
    const int64_t q = m->q;
    double *root = r->now.w;
    int above = 0, beyond = 0, heywood = 0;
    for (int64_t j = 0; j < q; j++) {
        double squared = 1.0;
        const int64_t start = m->starts[j], stop = m->starts[j + 1];
        rho[j] = factor[j] ? reliable(m, R, w, start, stop, &squared) : 1.0;
        root[j] = sqrt(rho[j] > 0.0 ? rho[j] : NAN);
        above |= rho[j] > 1.0 + ROUNDING;
        for (int64_t i = start; i < stop; i++) {
            loadings[i] = factor[j] ? w[i] * (root[j] / squared) : cross[i * q + j];
            heywood |= factor[j] && fabs(loadings[i]) > 1.0 + ROUNDING;
        }
    }
    for (int64_t j = 0; j < q; j++)
        for (int64_t k = 0; k < q; k++) {
            const double own = scores[j * q + k];
            C[j * q + k] = j == k ? own : own / (root[j] * root[k]);
            beyond |= fabs(C[j * q + k]) > 1.0 + ROUNDING;
        }
    explained(m, C, r, paths, r2, 0);
    memcpy(r->A, C, (size_t)(q * q) * sizeof(double));
    doubts[ABOVE * b] = above;
    doubts[BEYOND * b] = beyond;
    doubts[DEFINITE * b] = is_definite(r->A, q);
    doubts[FINITE * b] = all_finite(C, q * q);
    doubts[HEYWOOD * b] = heywood;
}

/* Room for a slice in one block; NULL where there is no memory. */
static double *roomy(const Problem *m, Room *r)
{
    const int64_t p = m->p, q = m->q, wide = p > q ? p : q;
    double **const parts[] = {&r->now.w, &r->next.w, &r->now.RW, &r->next.RW, &r->now.C,      &r->next.C,
                              &r->E,     &r->A,      &r->x,      &r->scale,   &r->inverses,   &r->W};
    const int64_t sizes[] = {wide, p, p * q, p * q, q * q, q * q, q * q, q * q, wide, wide, p * p, p * p};
    int64_t all = q;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) all += sizes[i];
    double *block = calloc((size_t)all, sizeof(double)), *next = block;
    for (size_t i = 0; block && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        *parts[i] = next;
        next += sizes[i];
    }
    r->chosen = (int64_t *)next;
    return block;
}

/* Whether the blocks follow one another and fill the items. */
static int blocked(const Problem *m)
{
    int good = m->starts[0] == 0 && m->starts[m->q] == m->p;
    for (int64_t j = 0; j < m->q; j++) good = good && m->starts[j] <= m->starts[j + 1];
    if (!good) PyErr_SetString(PyExc_IndexError, "blocks of items do not follow one another");
    return good;
}

/* solve(b, p, q, starts, arrows, mode_b, scheme, tolerance, rounds, R, sd, reference, w, cross, C, paths, r2,
   iterations, change, converged): fills the last eight for every slice; sd and reference may be None. */
static PyObject *solve(PyObject *self, PyObject *args)
{
    PyObject *starts, *arrows, *mode_b, *R_, *sd_, *reference_, *o[8];
    long long b, p, q, scheme, rounds;
    Problem m;
    Buffers all = {.count = 0};
    Room r;
    Results out;
    const double *R, *sd = NULL, *reference = NULL;
    double *block = NULL;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLOOOLdLOOOOOOOOOOO", &b, &p, &q, &starts, &arrows, &mode_b, &scheme, &m.tolerance,
                          &rounds, &R_, &sd_, &reference_, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7]))
        return NULL;
    if (b < 0 || p < 0 || q < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    m.p = p;
    m.q = q;
    m.scheme = scheme;
    m.rounds = rounds;
    if ((m.starts = taken(&all, starts, q + 1, 0)) && blocked(&m) && (m.arrows = taken(&all, arrows, q * q, 0))
        && (m.mode_b = taken(&all, mode_b, q, 0)) && (R = taken(&all, R_, b * p * p, 0))
        && (sd_ == Py_None || (sd = taken(&all, sd_, b * p, 0)))
        && (reference_ == Py_None || (reference = taken(&all, reference_, p, 0)))
        && (out.w = taken(&all, o[0], b * p, 1)) && (out.cross = taken(&all, o[1], b * p * q, 1))
        && (out.C = taken(&all, o[2], b * q * q, 1)) && (out.paths = taken(&all, o[3], b * q * q, 1))
        && (out.r2 = taken(&all, o[4], b * q, 1)) && (out.iterations = taken(&all, o[5], b, 1))
        && (out.change = taken(&all, o[6], b, 1)) && (out.converged = taken(&all, o[7], b, 1))) {
        block = roomy(&m, &r);
        if (block) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++)
                solved(&m, R + i * p * p, sd ? sd + i * p : NULL, reference, &r, i, &out);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(block);
    let_go(&all);
    return done;
}

/* correct(b, p, q, starts, arrows, factor, R, w, cross, scores, rho, loadings, C, paths, r2, doubts): fills the last six
   for every slice, the doubts (5 x b) as listed above. */
static PyObject *correct(PyObject *self, PyObject *args)
{
    PyObject *o[13];
    long long b, p, q;
    Problem m = {0};
    Buffers all = {.count = 0};
    Room r;
    const int64_t *factor;
    const double *R, *w, *cross, *scores;
    double *rho, *loadings, *C, *paths, *r2, *block = NULL;
    int64_t *doubts;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLOOOOOOOOOOOOO", &b, &p, &q, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7],
                          &o[8], &o[9], &o[10], &o[11], &o[12]))
        return NULL;
    if (b < 0 || p < 0 || q < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    m.p = p;
    m.q = q;
    if ((m.starts = taken(&all, o[0], q + 1, 0)) && blocked(&m) && (m.arrows = taken(&all, o[1], q * q, 0))
        && (factor = taken(&all, o[2], q, 0)) && (R = taken(&all, o[3], b * p * p, 0))
        && (w = taken(&all, o[4], b * p, 0)) && (cross = taken(&all, o[5], b * p * q, 0))
        && (scores = taken(&all, o[6], b * q * q, 0)) && (rho = taken(&all, o[7], b * q, 1))
        && (loadings = taken(&all, o[8], b * p, 1)) && (C = taken(&all, o[9], b * q * q, 1))
        && (paths = taken(&all, o[10], b * q * q, 1)) && (r2 = taken(&all, o[11], b * q, 1))
        && (doubts = taken(&all, o[12], DOUBTS * b, 1))) {
        block = roomy(&m, &r);
        if (block) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++)
                corrected(&m, factor, R + i * p * p, w + i * p, cross + i * p * q, scores + i * q * q, &r, rho + i * q,
                          loadings + i * p, C + i * q * q, paths + i * q * q, r2 + i * q, doubts + i, b);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(block);
    let_go(&all);
    return done;
}

static PyMethodDef functions[] = {
    {"correct", correct, METH_VARARGS, "Factors' correlations, loadings and paths of every slice, into given arrays."},
    {"solve", solve, METH_VARARGS, "Weights, paths and correlations of every slice, into given arrays."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "csi.pls.kernel", "Compiled partial least squares.", -1,
                                    functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModule_Create(&module); }
