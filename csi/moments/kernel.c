/* Small systems (solve, definite), moments of missing patterns (gather), maximum likelihood moments of rows with absent
   answers (settle), rows in their order (arrange) and their moments (weigh), one weighting after another; measures of
   a point fit (htmt, total).

   The same numbers as linear.py, patterns.py, saturated.py, bare.py and pearson.py (and validity.py and effects.py of
   the measures) find, which are the reading version and stand in where no compiler was at hand or where this search does
   not apply; tests hold the two to each other.

   A pattern's rows are known by their first and second moments, which as many rows as the pattern has answers, and one
   more, bear as well: [a, z] with a^2 summing to the pattern's weight. Given P = Sigma^-1 the absent answers m of a row
   are expected to be mu_m - P_mm^-1 P_mo (z_o - mu_o), with covariance P_mm^-1; sums over answers given stay as they
   are. Steps of EM are drawn out by squared extrapolation as long as the likelihood rises. */

#include "elimination.h"
#include "kernel_frame.h"
#include "kernel_measures.h"
#include "kernel_rows.h"

/* One missing pattern: its `o` answered and `m` absent items. */
typedef struct {
    int64_t o, m;
    const int64_t *seen, *absent;
} Pattern;

/* All weightings: J patterns of p items, and the rules of the search. */
typedef struct {
    int64_t p, J, rounds;
    double settled;
    Pattern *patterns;
} Problem;

/* One weighting. rows: the patterns' stand-in rows [a, z_o], one after another, count of each. given: (p + 1)^2 sums of
   what was answered. scale, centre: of the items. */
typedef struct {
    double *rows, *given, *scale, *centre, *weight;
    int64_t *count;
    double total;
} Slice;

/* Room for the search: points are p means and p x p covariances. */
typedef struct {
    double *first, *second, *third, *drawn, *best;
    double *U, *half, *P, *T, *A, *K, *sums, *z, *left;
} Room;

/* Sum of products, in four strands whatever the processor. */
INLINE double along(const double *x, const double *y, int64_t n)
{
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int64_t k = 0; k < 4; k++) part[k] += x[i + k] * y[i + k];
    for (; i < n; i++) part[0] += x[i] * y[i];
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/* Upper factor U of S = U'U, in place of S (n x n); log-determinant, NaN where S is not positive definite. */
VECTORISED static double factored(double *S, int64_t n)
{
    double log_det = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double *row = S + i * n;
        const double pivot = row[i];
        if (!(pivot > 0.0) || !isfinite(pivot)) return NAN;
        const double root = sqrt(pivot), inverse = 1.0 / root;
        log_det += log(pivot);
        row[i] = root;
        for (int64_t j = i + 1; j < n; j++) row[j] *= inverse;
        for (int64_t k = i + 1; k < n; k++) {
            const double a = row[k];
            double *below = S + k * n;
            for (int64_t j = k; j < n; j++) below[j] -= a * row[j];
        }
    }
    return log_det;
}

/* P = (U'U)^-1; `half` takes U^-1, both n x n; column has room for n. */
VECTORISED static void inverted(const double *U, double *half, double *P, double *column, int64_t n)
{
    for (int64_t i = 0; i < n * n; i++) half[i] = P[i] = 0.0;
    for (int64_t i = n - 1; i >= 0; i--) {
        double *row = half + i * n;
        const double own = 1.0 / U[i * n + i];
        for (int64_t k = i + 1; k < n; k++) {
            const double a = U[i * n + k], *other = half + k * n;
            for (int64_t j = k; j < n; j++) row[j] -= a * other[j];
        }
        for (int64_t j = i + 1; j < n; j++) row[j] *= own;
        row[i] = own;
    }
    for (int64_t t = 0; t < n; t++) { /* P = sum_t half[:, t] half[:, t]', lower part, then mirrored */
        for (int64_t i = 0; i <= t; i++) column[i] = half[i * n + t];
        for (int64_t i = 0; i <= t; i++) {
            const double a = column[i];
            double *row = P + i * n;
            for (int64_t j = 0; j <= i; j++) row[j] += a * column[j];
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) P[j * n + i] = P[i * n + j];
}

/* X (n x k) becomes (U'U)^-1 X. */
VECTORISED static void solved(const double *U, double *X, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = X + i * k;
        for (int64_t t = 0; t < i; t++) {
            const double a = U[t * n + i], *above = X + t * k;
            for (int64_t j = 0; j < k; j++) row[j] -= a * above[j];
        }
        const double own = 1.0 / U[i * n + i];
        for (int64_t j = 0; j < k; j++) row[j] *= own;
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        double *row = X + i * k;
        for (int64_t t = i + 1; t < n; t++) {
            const double a = U[i * n + t], *below = X + t * k;
            for (int64_t j = 0; j < k; j++) row[j] -= a * below[j];
        }
        const double own = 1.0 / U[i * n + i];
        for (int64_t j = 0; j < k; j++) row[j] *= own;
    }
}

/* Means and variances of the answers there are: where the search starts; 0 where some pair of items goes unanswered. */
static int available(const Problem *q, const double *n, const double *mean, const double *cov, Slice *s, double *pairs)
{
    const int64_t p = q->p;
    for (int64_t i = 0; i < p * p; i++) pairs[i] = 0.0;
    for (int64_t i = 0; i < p; i++) s->centre[i] = s->scale[i] = 0.0;
    for (int64_t j = 0; j < q->J; j++) {
        const Pattern *t = q->patterns + j;
        if (!(n[j] > 0.0)) continue;
        for (int64_t a = 0; a < t->o; a++) {
            const int64_t i = t->seen[a];
            s->centre[i] += n[j] * mean[j * p + i];
            for (int64_t b = 0; b < t->o; b++) pairs[i * p + t->seen[b]] += n[j];
        }
    }
    for (int64_t i = 0; i < p * p; i++)
        if (!(pairs[i] > 0.0)) return 0;
    for (int64_t i = 0; i < p; i++) s->centre[i] /= pairs[i * p + i];
    for (int64_t j = 0; j < q->J; j++) {
        const Pattern *t = q->patterns + j;
        if (!(n[j] > 0.0)) continue;
        for (int64_t a = 0; a < t->o; a++) {
            const int64_t i = t->seen[a];
            const double d = mean[j * p + i] - s->centre[i];
            s->scale[i] += n[j] * (cov[(j * p + i) * p + i] + d * d);
        }
    }
    for (int64_t i = 0; i < p; i++) {
        s->scale[i] = sqrt(s->scale[i] / pairs[i * p + i]);
        if (!(s->scale[i] > 0.0) || !isfinite(s->scale[i])) return 0;
    }
    return 1;
}

#define NOTHING 1e-13 /* share of an item's variance below which the rest of a pattern's rows is rounding */

/* The stand-in rows of every pattern, of items in units of their scale about their centre. */
static void stood_in(const Problem *q, const double *n, const double *mean, const double *cov, Slice *s, double *S)
{
    const int64_t p = q->p, wide = p + 1;
    double *next = s->rows;
    s->total = 0.0;
    for (int64_t i = 0; i < wide * wide; i++) s->given[i] = 0.0;
    for (int64_t j = 0; j < q->J; j++) {
        const Pattern *t = q->patterns + j;
        const int64_t o = t->o;
        s->count[j] = 0;
        s->weight[j] = o ? n[j] : 0.0;
        if (!(s->weight[j] > 0.0)) continue;
        s->total += n[j];
        const double a = sqrt(n[j]), *start = next;
        next[0] = a;
        for (int64_t i = 0; i < o; i++) {
            const int64_t x = t->seen[i];
            next[i + 1] = a * (mean[j * p + x] - s->centre[x]) / s->scale[x];
            for (int64_t k = 0; k < o; k++) {
                const int64_t y = t->seen[k];
                S[i * o + k] = n[j] * cov[(j * p + x) * p + y] / (s->scale[x] * s->scale[y]);
            }
        }
        next += o + 1;
        s->count[j] = 1;
        for (int64_t i = 0; i < o; i++) { /* a row of Cholesky's factor for every item that has variance left */
            const double pivot = S[i * o + i];
            if (!(pivot > NOTHING * n[j])) continue;
            const double root = sqrt(pivot);
            for (int64_t k = 0; k <= i; k++) next[k] = 0.0;
            next[i + 1] = root;
            for (int64_t k = i + 1; k < o; k++) next[k + 1] = S[i * o + k] / root;
            for (int64_t l = i + 1; l < o; l++)
                for (int64_t k = l; k < o; k++) S[l * o + k] -= next[l + 1] * next[k + 1];
            next += o + 1;
            s->count[j]++;
        }
        for (const double *row = start; row < next; row += o + 1) {
            s->given[0] += row[0] * row[0];
            for (int64_t i = 0; i < o; i++) {
                const int64_t x = t->seen[i] + 1;
                s->given[x] += row[0] * row[i + 1];
                for (int64_t k = 0; k < o; k++) s->given[x * wide + t->seen[k] + 1] += row[i + 1] * row[k + 1];
            }
        }
    }
}

/* What a pattern with absent answers adds to the completed sums T; returns log|P_mm|, NaN where it has none. */
VECTORISED static double completed(const Pattern *t, const double *rows, int64_t count, double weight, int64_t p,
                                   const double *mu, Room *r)
{
    const int64_t o = t->o, m = t->m, wide = p + 1;
    double *A = r->A, *K = r->K, *U = r->sums;
    for (int64_t i = 0; i < m; i++) { /* K = [mu_m - K mu_o, K], the answers expected of [a, z_o] */
        const double *row = r->P + t->absent[i] * p;
        for (int64_t k = 0; k < m; k++) A[i * m + k] = row[t->absent[k]];
        for (int64_t k = 0; k < o; k++) K[i * (o + 1) + k + 1] = -row[t->seen[k]];
        K[i * (o + 1)] = 0.0;
    }
    const double log_det = factored(A, m);
    if (log_det != log_det) return log_det;
    solved(A, K, m, o + 1);
    for (int64_t i = 0; i < m; i++) {
        double *row = K + i * (o + 1), sum = mu[t->absent[i]];
        for (int64_t k = 0; k < o; k++) sum -= row[k + 1] * mu[t->seen[k]];
        row[0] = sum;
    }
    for (int64_t i = 0; i < m * (o + 1 + m); i++) U[i] = 0.0;
    double *V = U + m * (o + 1);
    for (int64_t i = 0; i < m; i++) V[i * m + i] = weight;
    solved(A, V, m, m); /* weight P_mm^-1 */
    for (int64_t c = 0; c < count; c++) {
        const double *row = rows + c * (o + 1);
        for (int64_t i = 0; i < m; i++) r->z[i] = along(K + i * (o + 1), row, o + 1);
        for (int64_t i = 0; i < m; i++) {
            const double z = r->z[i];
            double *sum = U + i * (o + 1), *among = V + i * m;
            for (int64_t k = 0; k < o + 1; k++) sum[k] += z * row[k];
            for (int64_t k = 0; k < m; k++) among[k] += z * r->z[k];
        }
    }
    for (int64_t i = 0; i < m; i++) {
        const int64_t x = t->absent[i] + 1;
        r->T[x] += U[i * (o + 1)];
        for (int64_t k = 0; k < o; k++) {
            const int64_t y = t->seen[k] + 1;
            r->T[x * wide + y] += U[i * (o + 1) + k + 1];
            r->T[y * wide + x] += U[i * (o + 1) + k + 1];
        }
        for (int64_t k = 0; k < m; k++) r->T[x * wide + t->absent[k] + 1] += V[i * m + k];
    }
    return log_det;
}

#define LOG_2_PI 1.8378770664093454836

/* One step of EM from a point to the next; *value takes -2 log L at the first (of items in their scale's units). 0 where
   its covariance is not positive definite. */
static int stepped(const Problem *q, const Slice *s, const double *point, double *next, double *value, Room *r)
{
    const int64_t p = q->p, wide = p + 1;
    const double *mu = point, *Sigma = point + p;
    memcpy(r->U, Sigma, (size_t)(p * p) * sizeof(double));
    const double whole = factored(r->U, p);
    if (whole != whole) return 0;
    inverted(r->U, r->half, r->P, r->z, p);
    memcpy(r->T, s->given, (size_t)(wide * wide) * sizeof(double));
    double sum = 0.0;
    const double *rows = s->rows;
    for (int64_t j = 0; j < q->J; j++) {
        const Pattern *t = q->patterns + j;
        if (!s->count[j]) continue;
        double log_det = 0.0;
        if (t->m) log_det = completed(t, rows, s->count[j], s->weight[j], p, mu, r);
        sum += s->weight[j] * ((double)t->o * LOG_2_PI + whole + log_det - (double)t->m);
        rows += s->count[j] * (t->o + 1);
    }
    if (sum != sum) return 0;
    for (int64_t i = 0; i < p; i++) {
        double own = 0.0;
        const double *T = r->T + (i + 1) * wide + 1, *P = r->P + i * p, first = r->T[i + 1];
        for (int64_t k = 0; k < p; k++)
            own += P[k] * (T[k] - mu[i] * r->T[k + 1] - first * mu[k] + s->total * mu[i] * mu[k]);
        sum += own;
    }
    *value = sum;
    for (int64_t i = 0; i < p; i++) next[i] = r->T[i + 1] / s->total;
    for (int64_t i = 0; i < p; i++)
        for (int64_t k = 0; k < p; k++)
            next[p + i * p + k] = r->T[(i + 1) * wide + k + 1] / s->total - next[i] * next[k];
    return 1;
}

/* Largest change of a moment; items are in the units of their scale. */
static double changed(const double *one, const double *other, int64_t size)
{
    double most = 0.0;
    for (int64_t i = 0; i < size; i++) {
        const double change = fabs(one[i] - other[i]);
        if (!(change <= most)) most = change;
    }
    return most;
}

/* The point first - 2 a r + a^2 v of squared extrapolation into `drawn`; 0 where it is no further than `third`. */
static int extrapolated(const double *first, const double *second, const double *third, double *drawn, int64_t size)
{
    double along_r = 0.0, along_v = 0.0;
    for (int64_t i = 0; i < size; i++) {
        const double step = second[i] - first[i], bend = third[i] - second[i] - step;
        along_r += step * step;
        along_v += bend * bend;
    }
    const double a = -sqrt(along_r / along_v);
    if (!(a < -1.0) || !isfinite(a)) return 0;
    for (int64_t i = 0; i < size; i++) {
        const double step = second[i] - first[i], bend = third[i] - second[i] - step;
        drawn[i] = first[i] - 2.0 * a * step + a * a * bend;
    }
    return 1;
}

/* Search from r->first; the maximum is left in r->best. 1 where it settled; *rounds counts steps of EM. */
static int searched(const Problem *q, const Slice *s, Room *r, double *value, int64_t *rounds)
{
    const int64_t size = q->p + q->p * q->p;
    double was, now, *swap;
    for (*rounds = 0; *rounds < q->rounds;) {
        double *last = r->second;
        if (!stepped(q, s, r->first, r->second, &was, r)) return 0;
        double change = changed(r->first, r->second, size);
        ++*rounds;
        if (!(change < q->settled)) {
            if (!stepped(q, s, last = r->second, r->third, &was, r)) return 0;
            change = changed(r->second, r->third, size);
            last = r->third;
            ++*rounds;
        }
        if (!(change < q->settled) && extrapolated(r->first, r->second, r->third, r->drawn, size)) {
            ++*rounds;
            if (stepped(q, s, r->drawn, r->best, &now, r) && now <= was) {
                change = changed(r->drawn, r->best, size);
                last = r->best;
            }
        }
        if (change < q->settled) {
            memcpy(r->drawn, last, (size_t)size * sizeof(double));
            if (!stepped(q, s, r->drawn, r->best, value, r)) return 0;
            memcpy(r->best, r->drawn, (size_t)size * sizeof(double));
            return 1;
        }
        swap = r->first;
        r->first = last;
        if (last == r->second) r->second = swap;
        else if (last == r->third) r->third = swap;
        else r->best = swap;
    }
    return 0;
}

/* One weighting: mean, cov and value are filled where the search settled. */
static int found(const Problem *q, const double *n, const double *mean, const double *cov, Slice *s, Room *r,
                 double *mu, double *Sigma, double *value, int64_t *rounds)
{
    const int64_t p = q->p;
    *rounds = 0;
    if (!available(q, n, mean, cov, s, r->P)) return 0;
    stood_in(q, n, mean, cov, s, r->left);
    for (int64_t i = 0; i < p + p * p; i++) r->first[i] = 0.0;
    for (int64_t i = 0; i < p; i++) r->first[p + i * p + i] = 1.0;
    if (!searched(q, s, r, value, rounds)) return 0;
    for (int64_t j = 0; j < q->J; j++)
        for (int64_t i = 0; s->count[j] && i < q->patterns[j].o; i++)
            *value += 2.0 * s->weight[j] * log(s->scale[q->patterns[j].seen[i]]);
    for (int64_t i = 0; i < p; i++) {
        mu[i] = s->centre[i] + s->scale[i] * r->best[i];
        for (int64_t k = 0; k < p; k++) {
            const double both = r->best[p + i * p + k] + r->best[p + k * p + i];
            Sigma[i * p + k] = 0.5 * both * s->scale[i] * s->scale[k];
        }
    }
    return 1;
}

/* The patterns from (J, p) flags; `places` holds J p numbers. */
static void patterned(Problem *q, const int64_t *observed, int64_t *places)
{
    for (int64_t j = 0; j < q->J; j++) {
        Pattern *t = q->patterns + j;
        int64_t *here = places + j * q->p;
        t->o = t->m = 0;
        for (int64_t i = 0; i < q->p; i++)
            if (observed[j * q->p + i]) here[t->o++] = i;
        for (int64_t i = 0; i < q->p; i++)
            if (!observed[j * q->p + i]) here[t->o + t->m++] = i;
        t->seen = here;
        t->absent = here + t->o;
    }
}

/* Room for a weighting in one block; NULL where there is no memory. */
static double *roomy(const Problem *q, Slice *s, Room *r)
{
    const int64_t p = q->p, wide = p + 1, point = p + p * p;
    int64_t rows = 0;
    for (int64_t j = 0; j < q->J; j++) rows += (q->patterns[j].o + 1) * (q->patterns[j].o + 1);
    struct {
        double **at;
        int64_t n;
    } parts[] = {
        {&s->rows, rows}, {&s->given, wide * wide}, {&s->scale, p}, {&s->centre, p}, {&s->weight, q->J},
        {&r->first, point}, {&r->second, point}, {&r->third, point}, {&r->drawn, point}, {&r->best, point},
        {&r->U, p * p}, {&r->half, p * p}, {&r->P, p * p}, {&r->T, wide * wide}, {&r->A, p * p}, {&r->K, p * wide},
        {&r->sums, p * (2 * wide)}, {&r->z, p}, {&r->left, p * p},
    };
    const size_t count = sizeof(parts) / sizeof(parts[0]);
    int64_t all = q->J;
    for (size_t i = 0; i < count; i++) all += parts[i].n;
    double *block = calloc((size_t)all, sizeof(double)), *next = block;
    for (size_t i = 0; block && i < count; i++) {
        *parts[i].at = next;
        next += parts[i].n;
    }
    s->count = (int64_t *)next;
    return block;
}

/* settle(b, J, p, observed, n, mean, cov, tolerance, rounds, mu, Sigma, value, iterations, settled): fills the last five
   for every weighting. */
static PyObject *settle(PyObject *self, PyObject *args)
{
    PyObject *o[9];
    long long b, J, p, rounds;
    Problem q;
    Buffers all = {.count = 0};
    Slice s;
    Room r;
    const int64_t *observed;
    const double *n, *mean, *cov;
    double *mu, *Sigma, *value, *block = NULL;
    int64_t *iterations, *settled, *places = NULL;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLOOOOdLOOOOO", &b, &J, &p, &o[0], &o[1], &o[2], &o[3], &q.settled, &rounds, &o[4],
                          &o[5], &o[6], &o[7], &o[8]))
        return NULL;
    if (b < 0 || J < 1 || p < 1) {
        PyErr_SetString(PyExc_ValueError, "there is no pattern, or no item");
        return NULL;
    }
    q.p = p;
    q.J = J;
    q.rounds = rounds;
    q.patterns = NULL;
    if ((observed = taken(&all, o[0], J * p, 0)) && (n = taken(&all, o[1], b * J, 0))
        && (mean = taken(&all, o[2], b * J * p, 0)) && (cov = taken(&all, o[3], b * J * p * p, 0))
        && (mu = taken(&all, o[4], b * p, 1)) && (Sigma = taken(&all, o[5], b * p * p, 1))
        && (value = taken(&all, o[6], b, 1)) && (iterations = taken(&all, o[7], b, 1))
        && (settled = taken(&all, o[8], b, 1))) {
        q.patterns = calloc((size_t)J, sizeof(Pattern));
        places = calloc((size_t)(J * p), sizeof(int64_t));
        if (q.patterns && places) {
            patterned(&q, observed, places);
            block = roomy(&q, &s, &r);
        }
        if (block) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++)
                settled[i] = found(&q, n + i * J, mean + i * J * p, cov + i * J * p * p, &s, &r, mu + i * p,
                                   Sigma + i * p * p, value + i, iterations + i);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(block);
    free(places);
    free(q.patterns);
    let_go(&all);
    return done;
}

/* Moments of the rows first to last - 1 under weights w: n, mean (p), cov (p x p), divisor n. */
VECTORISED static double weighed(const double *answers, const double *w, const int64_t *order, int64_t first,
                                 int64_t last, int64_t p, double *mean, double *cov)
{
    double n = 0.0;
    for (int64_t i = 0; i < p; i++) mean[i] = 0.0;
    for (int64_t i = 0; i < p * p; i++) cov[i] = 0.0;
    for (int64_t row = first; row < last; row++) {
        const double own = w[order[row]], *z = answers + row * p;
        n += own;
        if (own == 0.0) continue;
        for (int64_t i = 0; i < p; i++) {
            const double a = own * z[i];
            double *sums = cov + i * p;
            mean[i] += a;
            if (a == 0.0) continue;
            for (int64_t k = 0; k < p; k++) sums[k] += a * z[k];
        }
    }
    const double divisor = n > 0.0 ? n : 1.0;
    for (int64_t i = 0; i < p; i++) mean[i] /= divisor;
    for (int64_t i = 0; i < p; i++)
        for (int64_t k = 0; k < p; k++) cov[i * p + k] = cov[i * p + k] / divisor - mean[i] * mean[k];
    return n;
}

/* gather(b, J, p, rows, starts, order, answers, W, n, mean, cov): the patterns' moments, into the last three. */
static PyObject *gather(PyObject *self, PyObject *args)
{
    PyObject *o[7];
    long long b, J, p, count;
    Buffers all = {.count = 0};
    const int64_t *starts, *order;
    const double *answers, *W;
    double *n, *mean, *cov;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLLOOOOOOO", &b, &J, &p, &count, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6]))
        return NULL;
    if (b < 0 || J < 0 || p < 0 || count < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((starts = taken(&all, o[0], J + 1, 0)) && within(starts, J + 1, count + 1)
        && (order = taken(&all, o[1], count, 0)) && within(order, count, count)
        && (answers = taken(&all, o[2], count * p, 0)) && (W = taken(&all, o[3], b * count, 0))
        && (n = taken(&all, o[4], b * J, 1)) && (mean = taken(&all, o[5], b * J * p, 1))
        && (cov = taken(&all, o[6], b * J * p * p, 1))) {
        Py_BEGIN_ALLOW_THREADS
        for (int64_t i = 0; i < b; i++)
            for (int64_t j = 0; j < J; j++) {
                const int64_t at = i * J + j;
                n[at] = weighed(answers, W + i * count, order, starts[j], starts[j + 1], p, mean + at * p,
                                cov + at * p * p);
            }
        Py_END_ALLOW_THREADS
        done = Py_NewRef(Py_None);
    }
    let_go(&all);
    return done;
}

/* solve(b, k, m, A, X, definite): A X = Y for every slice, X in place of Y; A is lost. */
static PyObject *solve(PyObject *self, PyObject *args)
{
    PyObject *A_, *X_;
    long long b, k, m;
    int definite;
    Buffers all = {.count = 0};
    double *A, *X, *scale = NULL;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLOOp", &b, &k, &m, &A_, &X_, &definite)) return NULL;
    if (b < 0 || k < 0 || m < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((A = taken(&all, A_, b * k * k, 1)) && (X = taken(&all, X_, b * k * m, 1))) {
        scale = calloc((size_t)(k + 1), sizeof(double));
        if (scale) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++) eliminated(A + i * k * k, X + i * k * m, scale, k, m, definite);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(scale);
    let_go(&all);
    return done;
}

/* definite(b, k, A, found): 1 where a slice of A, which is lost, is positive definite. */
static PyObject *definite(PyObject *self, PyObject *args)
{
    PyObject *A_, *found_;
    long long b, k;
    Buffers all = {.count = 0};
    double *A;
    int64_t *found_at;
    PyObject *done = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOO", &b, &k, &A_, &found_)) return NULL;
    if (b < 0 || k < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((A = taken(&all, A_, b * k * k, 1)) && (found_at = taken(&all, found_, b, 1))) {
        Py_BEGIN_ALLOW_THREADS
        for (int64_t i = 0; i < b; i++) found_at[i] = is_definite(A + i * k * k, k);
        Py_END_ALLOW_THREADS
        done = Py_NewRef(Py_None);
    }
    let_go(&all);
    return done;
}

/* arrange(n, p, stream, names, rows, order, ends): sorted rows (n, p) of the columns with these p names of a frame of n
   rows, the order that sorts them, the least and the most of each column; False where a column is absent, holds no plain
   numbers, or something that is absent or not finite. */
static PyObject *arrange(PyObject *self, PyObject *args)
{
    PyObject *stream_, *names_, *rows_, *order_, *ends_, *done = NULL;
    long long n, p;
    Buffers all = {.count = 0};
    double *rows, *ends, *kept = NULL;
    int64_t *order, *spare = NULL;
    Column *columns = NULL;
    const char **names = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOO!OOO", &n, &p, &stream_, &PyTuple_Type, &names_, &rows_, &order_, &ends_))
        return NULL;
    if (n < 0 || p < 1 || PyTuple_GET_SIZE(names_) != p) {
        PyErr_SetString(PyExc_ValueError, "there are not as many columns");
        return NULL;
    }
    ArrowArrayStream *stream = PyCapsule_GetPointer(stream_, "arrow_array_stream");
    if (stream && (rows = taken(&all, rows_, n * p, 1)) && (order = taken(&all, order_, n, 1))
        && (ends = taken(&all, ends_, 2 * p, 1))) {
        columns = calloc((size_t)p, sizeof(Column));
        names = calloc((size_t)p, sizeof(char *));
        spare = calloc((size_t)n + 1, sizeof(int64_t));
        kept = calloc((size_t)p, sizeof(double));
        int good = columns && names && spare && kept;
        if (!good) PyErr_NoMemory();
        for (int64_t j = 0; good && j < p; j++) good = (names[j] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names_, j))) != NULL;
        if (good && (good = streamed(stream, names, n, p, columns, rows))) {
            Py_BEGIN_ALLOW_THREADS
            good = ended(rows, n, p, ends);
            if (good) sorted(rows, n, p, order, spare);
            if (good) ordered(rows, n, p, order, spare, kept);
            Py_END_ALLOW_THREADS
        }
        if (!PyErr_Occurred()) done = PyBool_FromLong(good);
    }
    free(columns);
    free(names);
    free(kept);
    free(spare);
    let_go(&all);
    return done;
}

/* weigh(n, p, rows, w, sums, mean, cov): moments of complete rows under one weighting, into the last three; False where
   an answer is absent. */
static PyObject *weigh(PyObject *self, PyObject *args)
{
    PyObject *o[5], *done = NULL;
    long long n, p;
    Buffers all = {.count = 0};
    const double *rows, *w;
    double *sums, *mean, *cov, *room = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOOOOO", &n, &p, &o[0], &o[1], &o[2], &o[3], &o[4])) return NULL;
    if (n < 0 || p < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((rows = taken(&all, o[0], n * p, 0)) && (w = taken(&all, o[1], n, 0)) && (sums = taken(&all, o[2], 2, 1))
        && (mean = taken(&all, o[3], p, 1)) && (cov = taken(&all, o[4], p * p, 1))) {
        room = calloc((size_t)((wide_of(p) + TOGETHER) * wide_of(p) + p + TOGETHER), sizeof(double));
        if (room) {
            int complete;
            Py_BEGIN_ALLOW_THREADS
            complete = summed(rows, w, n, p, sums, mean, cov, room);
            Py_END_ALLOW_THREADS
            done = PyBool_FromLong(complete);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

/* Whether every item's block is one of q, or none (-1); an exception is set where not. */
static int owned(const int64_t *owner, int64_t p, int64_t q)
{
    for (int64_t i = 0; i < p; i++)
        if (owner[i] < -1 || owner[i] >= q) {
            PyErr_SetString(PyExc_IndexError, "a place lies outside its array");
            return 0;
        }
    return 1;
}

/* htmt(b, p, q, cov, owner, signed, found): HTMT of every slice of item covariances, into the last. */
static PyObject *htmt(PyObject *self, PyObject *args)
{
    PyObject *cov_, *owner_, *found_, *done = NULL;
    long long b, p, q;
    int keep_signs;
    Buffers all = {.count = 0};
    const double *cov;
    const int64_t *owner;
    double *found_at, *room = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLLOOpO", &b, &p, &q, &cov_, &owner_, &keep_signs, &found_)) return NULL;
    if (b < 0 || p < 0 || q < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((cov = taken(&all, cov_, b * p * p, 0)) && (owner = taken(&all, owner_, p, 0)) && owned(owner, p, q)
        && (found_at = taken(&all, found_, b * q * q, 1))) {
        room = calloc((size_t)(p + q * q + 2 * q + 1), sizeof(double));
        if (room) {
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; i < b; i++) distinct(cov + i * p * p, owner, p, q, keep_signs, room, found_at + i * q * q);
            Py_END_ALLOW_THREADS
            done = Py_NewRef(Py_None);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

/* total(b, q, paths, found): total effects of every slice, into the last; False where one is not recursive. */
static PyObject *total(PyObject *self, PyObject *args)
{
    PyObject *paths_, *found_, *done = NULL;
    long long b, q;
    Buffers all = {.count = 0};
    const double *paths;
    double *found_at, *room = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "LLOO", &b, &q, &paths_, &found_)) return NULL;
    if (b < 0 || q < 0) {
        PyErr_SetString(PyExc_ValueError, "sizes are not negative");
        return NULL;
    }
    if ((paths = taken(&all, paths_, b * q * q, 0)) && (found_at = taken(&all, found_, b * q * q, 1))) {
        room = calloc((size_t)(q * q + q + 1), sizeof(double));
        if (room) {
            int recursive = 1;
            Py_BEGIN_ALLOW_THREADS
            for (int64_t i = 0; recursive && i < b; i++)
                recursive = totalled(paths + i * q * q, q, room, found_at + i * q * q);
            Py_END_ALLOW_THREADS
            done = PyBool_FromLong(recursive);
        } else
            PyErr_NoMemory();
    }
    free(room);
    let_go(&all);
    return done;
}

static PyMethodDef functions[] = {
    {"arrange", arrange, METH_VARARGS, "Columns of a frame as rows, with the order that sorts them, into given arrays."},
    {"htmt", htmt, METH_VARARGS, "HTMT of every slice of item covariances, into a given array."},
    {"total", total, METH_VARARGS, "Total effects of recursive models, into a given array."},
    {"weigh", weigh, METH_VARARGS, "Moments of complete rows under one weighting, into given arrays."},
    {"solve", solve, METH_VARARGS, "Small systems by elimination, in place."},
    {"definite", definite, METH_VARARGS, "Whether small matrices are positive definite, into a given array."},
    {"gather", gather, METH_VARARGS, "Moments of missing patterns under every weighting, into given arrays."},
    {"settle", settle, METH_VARARGS, "Maximum likelihood moments of every weighting, into given arrays."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "csi.moments.kernel", "Compiled moments.", -1, functions,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModule_Create(&module); }
