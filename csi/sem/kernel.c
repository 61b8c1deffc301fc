/* Normal-theory covariance structures, one slice after another: value, gradient, Hessian, and their minimum.

   The same formulas as normal.py and optimise.py, which are the reading version and stand in where no compiler was at
   hand; tests hold the two to each other. With K = [I | Lambda A | Lambda Phi] every derivative of Sigma is
   s (K_u K_v' + K_v K_u'), so a Hessian is gathered from G = K' W K and X = K' Q K.

   Inner loops run along rows, so that a compiler can vectorise them without changing the order of any sum: the result
   does not depend on the processor's registers. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

/* One group: sizes, places of its entries, and its moments for every slice. */
typedef struct {
    int64_t p, m, depth, e, size;
    const int64_t *position, *mirror, *u, *v, *c, *of;
    const double *s;
    const double *flat, *cov, *mean, *constant, *weight; /* weight is NULL for ML */
} Group;

/* The whole problem; r working parameters, g groups. */
typedef struct {
    int64_t r, g, means;
    const double *share, *total;
    Group *groups;
} Problem;

/* Room for one slice. */
typedef struct {
    double *full, *A, *Phi, *T1, *B, *Sigma, *W, *T, *WT, *Q, *WB, *QB, *G, *X, *R, *d, *h, *reach, *level, *part, *N;
} Room;

/* ---- small matrices, row-major ---- */

/* C (n x k) = A (n x l) B (l x k). */
VECTORISED static void product(const double *A, const double *B, double *C, int64_t n, int64_t l, int64_t k)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = C + i * k;
        for (int64_t j = 0; j < k; j++) row[j] = 0.0;
        for (int64_t t = 0; t < l; t++) {
            const double a = A[i * l + t];
            if (a == 0.0) continue;
            const double *other = B + t * k;
            for (int64_t j = 0; j < k; j++) row[j] += a * other[j];
        }
    }
}

static void transposed(const double *A, double *C, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++) C[j * n + i] = A[i * k + j];
}

/* Upper factor U of S = U'U into U, both n x n; 0 where S is not positive definite. */
VECTORISED static int cholesky(const double *S, double *U, int64_t n)
{
    memcpy(U, S, (size_t)(n * n) * sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        double *row = U + i * n;
        const double pivot = row[i];
        if (!(pivot > 0.0) || !isfinite(pivot)) return 0;
        const double root = sqrt(pivot), inverse = 1.0 / root;
        row[i] = root;
        for (int64_t j = i + 1; j < n; j++) row[j] *= inverse;
        for (int64_t k = i + 1; k < n; k++) {
            const double a = row[k];
            double *below = U + k * n;
            for (int64_t j = k; j < n; j++) below[j] -= a * row[j];
        }
    }
    return 1;
}

/* x = (U'U)^-1 b in place. */
VECTORISED static void back(const double *U, double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] /= U[i * n + i];
        const double a = x[i];
        const double *row = U + i * n;
        for (int64_t j = i + 1; j < n; j++) x[j] -= a * row[j];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        double sum = x[i];
        const double *row = U + i * n;
        for (int64_t j = i + 1; j < n; j++) sum -= row[j] * x[j];
        x[i] = sum / row[i];
    }
}

/* W = (U'U)^-1; `half` (n x n) takes U^-1. */
VECTORISED static void inverted(const double *U, double *half, double *W, int64_t n)
{
    for (int64_t i = 0; i < n * n; i++) half[i] = W[i] = 0.0;
    for (int64_t i = n - 1; i >= 0; i--) {
        double *row = half + i * n;
        const double own = 1.0 / U[i * n + i];
        for (int64_t k = i + 1; k < n; k++) {
            const double a = U[i * n + k];
            const double *other = half + k * n;
            for (int64_t j = k; j < n; j++) row[j] -= a * other[j];
        }
        for (int64_t j = i + 1; j < n; j++) row[j] *= own;
        row[i] = own;
    }
    double *turned = (double *)U; /* U is not needed any more */
    transposed(half, turned, n, n);
    for (int64_t t = 0; t < n; t++) /* W = sum_t half[:, t] half[:, t]' */
        for (int64_t i = 0; i <= t; i++) {
            const double a = turned[t * n + i];
            double *row = W + i * n;
            const double *other = turned + t * n;
            for (int64_t j = 0; j <= t; j++) row[j] += a * other[j];
        }
}

/* x = H^-1 b by elimination with pivots, H and b destroyed; 0 where a pivot is nothing. */
static int eliminated(double *H, double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t best = i;
        for (int64_t k = i + 1; k < n; k++)
            if (fabs(H[k * n + i]) > fabs(H[best * n + i])) best = k;
        if (H[best * n + i] == 0.0 || !isfinite(H[best * n + i])) return 0;
        if (best != i) {
            for (int64_t j = i; j < n; j++) {
                const double kept = H[i * n + j];
                H[i * n + j] = H[best * n + j];
                H[best * n + j] = kept;
            }
            const double kept = b[i];
            b[i] = b[best];
            b[best] = kept;
        }
        for (int64_t k = i + 1; k < n; k++) {
            const double a = H[k * n + i] / H[i * n + i];
            if (a == 0.0) continue;
            for (int64_t j = i + 1; j < n; j++) H[k * n + j] -= a * H[i * n + j];
            b[k] -= a * b[i];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++) b[i] -= H[i * n + j] * b[j];
        b[i] /= H[i * n + i];
    }
    return 1;
}

/* ---- implied moments ---- */

/* A = (I - Beta)^-1: a power series where arrows run in no circle; 0 where it does not exist. */
static int arrows(const Group *g, const double *Beta, Room *w)
{
    const int64_t m = g->m;
    double *A = w->A;
    for (int64_t i = 0; i < m * m; i++) A[i] = 0.0;
    for (int64_t i = 0; i < m; i++) A[i * m + i] = 1.0;
    if (g->depth == 0) return 1;
    if (g->depth < 0) {
        for (int64_t k = 0; k < m; k++) {
            for (int64_t i = 0; i < m * m; i++) w->T1[i] = -Beta[i];
            for (int64_t i = 0; i < m; i++) w->T1[i * m + i] += 1.0;
            for (int64_t i = 0; i < m; i++) w->level[i] = i == k;
            if (!eliminated(w->T1, w->level, m)) return 0;
            for (int64_t i = 0; i < m; i++) A[i * m + k] = w->level[i];
        }
        return 1;
    }
    for (int64_t i = 0; i < m * m; i++) A[i] += Beta[i];
    for (int64_t t = 1; t < g->depth; t++) {
        product(Beta, A, w->T1, m, m, m);
        for (int64_t i = 0; i < m * m; i++) A[i] = w->T1[i];
        for (int64_t i = 0; i < m; i++) A[i * m + i] += 1.0;
    }
    return 1;
}

/* Sigma, mu (as d = mean - mu), B = [Lambda A | Lambda Phi], reach, for one group of one slice. */
static int implied(const Group *g, int64_t slice, const double *phi, int means, Room *w)
{
    const int64_t p = g->p, m = g->m;
    memcpy(w->full, g->flat + slice * g->size, (size_t)g->size * sizeof(double));
    for (int64_t k = 0; k < g->e; k++) {
        const double value = phi[g->of[k]];
        w->full[g->position[k]] = value;
        w->full[g->mirror[k]] = value;
    }
    const double *Lambda = w->full, *Theta = Lambda + p * m, *Psi = Theta + p * p, *Beta = Psi + m * m;
    const double *nu = Beta + m * m, *alpha = nu + p;
    if (!arrows(g, Beta, w)) return 0;
    if (g->depth) {
        product(w->A, Psi, w->T1, m, m, m);
        transposed(w->A, w->R, m, m);
        product(w->T1, w->R, w->Phi, m, m, m);
    } else
        memcpy(w->Phi, Psi, (size_t)(m * m) * sizeof(double));
    double *AP = w->R; /* [A | Phi], m x 2m: one product gives B */
    for (int64_t i = 0; i < m; i++) {
        memcpy(AP + i * 2 * m, w->A + i * m, (size_t)m * sizeof(double));
        memcpy(AP + i * 2 * m + m, w->Phi + i * m, (size_t)m * sizeof(double));
    }
    product(Lambda, AP, w->B, p, m, 2 * m);
    memcpy(w->Sigma, Theta, (size_t)(p * p) * sizeof(double));
    transposed(Lambda, w->T, p, m); /* Lambda', m x p */
    for (int64_t i = 0; i < p; i++)
        for (int64_t t = 0; t < m; t++) {
            const double a = w->B[i * 2 * m + m + t];
            if (a == 0.0) continue;
            const double *other = w->T + t * p;
            double *row = w->Sigma + i * p;
            for (int64_t j = 0; j < p; j++) row[j] += a * other[j];
        }
    const double *mean = g->mean + slice * p;
    for (int64_t i = 0; i < p; i++) w->d[i] = 0.0;
    if (!means) return 1;
    for (int64_t i = 0; i < m; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < m; j++) sum += w->A[i * m + j] * alpha[j];
        w->reach[i] = sum;
    }
    w->reach[m] = 1.0;
    w->reach[m + 1] = 0.0;
    for (int64_t i = 0; i < p; i++) {
        double mu = nu[i];
        for (int64_t j = 0; j < m; j++) mu += Lambda[i * m + j] * w->reach[j];
        w->d[i] = mean[i] - mu;
    }
    return 1;
}

/* ---- discrepancy ---- */

/* F of one group, W and Q in the room; inf where Sigma is not positive definite. */
static double discrepancy(const Group *g, int64_t slice, int means, Room *w)
{
    const int64_t p = g->p;
    const double *S = g->cov + slice * p * p;
    double value = 0.0;
    if (g->weight != NULL) {
        memcpy(w->W, g->weight + slice * p * p, (size_t)(p * p) * sizeof(double));
        for (int64_t i = 0; i < p * p; i++) w->T[i] = S[i] - w->Sigma[i];
        product(w->W, w->T, w->WT, p, p, p);
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++) value += 0.5 * w->WT[i * p + j] * w->WT[j * p + i];
        if (means)
            for (int64_t i = 0; i < p; i++)
                for (int64_t j = 0; j < p; j++) value += w->d[i] * w->W[i * p + j] * w->d[j];
        product(w->WT, w->W, w->Q, p, p, p);
        for (int64_t i = 0; i < p * p; i++) w->Q[i] = -w->Q[i];
        return value;
    }
    if (!cholesky(w->Sigma, w->WT, p)) return INFINITY;
    double logdet = 0.0;
    for (int64_t i = 0; i < p; i++) logdet += 2.0 * log(w->WT[i * p + i]);
    inverted(w->WT, w->Q, w->W, p);
    memcpy(w->T, S, (size_t)(p * p) * sizeof(double));
    if (means)
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++) w->T[i * p + j] += w->d[i] * w->d[j];
    product(w->W, w->T, w->WT, p, p, p);
    for (int64_t i = 0; i < p; i++) value += w->WT[i * p + i];
    product(w->WT, w->W, w->Q, p, p, p);
    for (int64_t i = 0; i < p * p; i++) w->Q[i] = w->W[i] - w->Q[i];
    value = logdet + value - g->constant[slice];
    return isnan(value) ? INFINITY : value;
}

/* C = K' M K (c x c, c = p + 2m) from the symmetric M and B; `MB` (p x 2m) takes M B. */
VECTORISED static void sandwich(const double *M, const double *B, double *MB, double *C, int64_t p, int64_t m2)
{
    const int64_t c = p + m2;
    product(M, B, MB, p, p, m2);
    for (int64_t i = 0; i < p; i++) {
        memcpy(C + i * c, M + i * p, (size_t)p * sizeof(double));
        memcpy(C + i * c + p, MB + i * m2, (size_t)m2 * sizeof(double));
        for (int64_t j = 0; j < m2; j++) C[(p + j) * c + i] = MB[i * m2 + j];
    }
    for (int64_t i = 0; i < m2; i++)
        for (int64_t j = 0; j < m2; j++) C[(p + i) * c + p + j] = 0.0;
    for (int64_t t = 0; t < p; t++)
        for (int64_t i = 0; i < m2; i++) {
            const double a = B[t * m2 + i];
            if (a == 0.0) continue;
            double *row = C + (p + i) * c + p;
            const double *other = MB + t * m2;
            for (int64_t j = 0; j < m2; j++) row[j] += a * other[j];
        }
}

/* R: how the columns of K move with the parameters. */
static void coupling(const Group *g, Room *w)
{
    const int64_t p = g->p, m = g->m, c = p + 2 * m;
    memset(w->R, 0, (size_t)(c * c) * sizeof(double));
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            w->R[(p + i) * c + p + m + j] = w->A[j * m + i];
            w->R[(p + m + i) * c + p + j] = w->A[i * m + j];
            w->R[(p + m + i) * c + p + m + j] = w->Phi[i * m + j];
        }
}

/* The upper triangle of one group's Hessian, added into H (r x r) with weight `share`. */
VECTORISED static void curved(const Group *g, int means, int exact, double share, Room *w, double *H, int64_t r)
{
    const int64_t p = g->p, m = g->m, c = p + 2 * m, e = g->e;
    const int64_t *u = g->u, *v = g->v, *of = g->of;
    const double *G = w->G, *X = w->X, *R = w->R, *N = w->N;
    if (exact) {
        coupling(g, w);
        transposed(R, w->N, c, c);
        if (g->weight == NULL)
            for (int64_t i = 0; i < c * c; i++) w->N[i] -= G[i];
    }
    for (int64_t k = 0; k < e; k++) {
        const double *gu = G + u[k] * c, *gv = G + v[k] * c;
        const double ss = 2.0 * g->s[k] * share;
        double *part = w->part;
        if (!exact) {
            for (int64_t l = k; l < e; l++) part[l] = gu[u[l]] * gv[v[l]] + gu[v[l]] * gv[u[l]];
        } else {
            const double *xu = X + u[k] * c, *xv = X + v[k] * c, *nu = N + u[k] * c, *nv = N + v[k] * c;
            for (int64_t l = k; l < e; l++) {
                const int64_t a = u[l], b = v[l];
                part[l] = gu[a] * gv[b] + gu[b] * gv[a] + xv[b] * nu[a] + xu[a] * nv[b] + xv[a] * nu[b]
                    + xu[b] * nv[a];
            }
        }
        for (int64_t l = k; l < e; l++) part[l] *= ss * g->s[l];
        if (means) {
            const double ck = w->reach[g->c[k]];
            for (int64_t l = k; l < e; l++) {
                const double cl = w->reach[g->c[l]];
                double more = 2.0 * ck * cl * gu[u[l]];
                if (exact) {
                    const double moved = g->s[l] * (w->h[u[l]] * R[v[l] * c + u[k]] + w->h[v[l]] * R[u[l] * c + u[k]]);
                    const int inner = g->c[k] < m && u[l] >= p && u[l] < p + m;
                    const double level = inner ? w->A[g->c[k] * m + u[l] - p] * cl * w->h[u[k]] : 0.0;
                    more -= 2.0 * (ck * moved + level);
                    if (g->weight == NULL) {
                        more += 2.0 * ck * g->s[l] * (gu[u[l]] * w->h[v[l]] + gu[v[l]] * w->h[u[l]]);
                        more += 2.0 * cl * g->s[k] * (G[u[l] * c + u[k]] * w->h[v[k]] + G[u[l] * c + v[k]] * w->h[u[k]]);
                    }
                }
                part[l] += share * more;
            }
        }
        double *row = H + of[k] * r;
        row[of[k]] += part[k];
        for (int64_t l = k + 1; l < e; l++) {
            row[of[l]] += part[l];
            H[of[l] * r + of[k]] += part[l];
        }
    }
}

/* F, its gradient and its Hessian at phi, for one slice. */
static double evaluated(const Problem *q, int64_t slice, const double *phi, int exact, Room *w, double *slope, double *H)
{
    const int64_t r = q->r;
    double value = 0.0;
    for (int64_t i = 0; i < r; i++) slope[i] = 0.0;
    memset(H, 0, (size_t)(r * r) * sizeof(double));
    for (int64_t at = 0; at < q->g; at++) {
        const Group *g = q->groups + at;
        const int64_t p = g->p, m2 = 2 * g->m, c = p + m2;
        const double share = q->share[slice * q->g + at];
        if (!implied(g, slice, phi, (int)q->means, w)) return INFINITY;
        const double own = discrepancy(g, slice, (int)q->means, w);
        value += share * own;
        if (!isfinite(own)) return INFINITY;
        sandwich(w->W, w->B, w->WB, w->G, p, m2);
        sandwich(w->Q, w->B, w->QB, w->X, p, m2);
        if (q->means) { /* h = K' W d */
            for (int64_t i = 0; i < p; i++) {
                double sum = 0.0;
                for (int64_t j = 0; j < p; j++) sum += w->W[i * p + j] * w->d[j];
                w->h[i] = sum;
            }
            for (int64_t j = 0; j < m2; j++) {
                double sum = 0.0;
                for (int64_t i = 0; i < p; i++) sum += w->WB[i * m2 + j] * w->d[i];
                w->h[p + j] = sum;
            }
        }
        for (int64_t k = 0; k < g->e; k++) {
            double one = 2.0 * g->s[k] * w->X[g->u[k] * c + g->v[k]];
            if (q->means) one -= 2.0 * w->reach[g->c[k]] * w->h[g->u[k]];
            slope[g->of[k]] += share * one;
        }
        curved(g, (int)q->means, exact, share, w, H, r);
    }
    return value;
}

/* ---- the search ---- */

/* What optimise.py names SETTLED, NEAR, FLAT, ROUGH, and the limit of this search. */
typedef struct {
    double settled, near, flat, rough, limit;
    int64_t rounds;
} Rules;

/* Room for the search. */
typedef struct {
    double *phi, *slope, *H, *trial, *slope2, *H2, *step, *scale, *factor, *copy;
} State;

/* step = -(H + damping diag H)^-1 slope; *definite says whether H has a Cholesky factor. */
static void stepped(State *s, int64_t r, double damping, int *definite)
{
    for (int64_t i = 0; i < r; i++) {
        const double own = fabs(s->H[i * r + i]);
        s->scale[i] = exp2(-nearbyint(0.5 * log2(isfinite(own) && own > 0 ? own : 1.0)));
    }
    double most = 1e-12;
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j < r; j++) s->copy[i * r + j] = s->scale[i] * s->H[i * r + j] * s->scale[j];
        const double own = s->copy[i * r + i];
        if (own > most) most = own;
        if (damping > 0) s->copy[i * r + i] += damping * (own > 1e-12 ? own : 1e-12);
        s->step[i] = s->scale[i] * s->slope[i];
    }
    *definite = cholesky(s->copy, s->factor, r);
    if (*definite)
        back(s->factor, s->step, r);
    else {
        memcpy(s->factor, s->copy, (size_t)(r * r) * sizeof(double));
        if (!eliminated(s->factor, s->step, r)) {
            memcpy(s->factor, s->copy, (size_t)(r * r) * sizeof(double));
            for (int64_t i = 0; i < r; i++) {
                s->factor[i * r + i] += 1e-8 * most;
                s->step[i] = s->scale[i] * s->slope[i];
            }
            if (!eliminated(s->factor, s->step, r))
                for (int64_t i = 0; i < r; i++) s->step[i] = NAN;
        }
    }
    for (int64_t i = 0; i < r; i++) s->step[i] *= -s->scale[i];
}

/* step' H step. */
static double bent(const State *s, int64_t r)
{
    double sum = 0.0;
    for (int64_t i = 0; i < r; i++) {
        double row = 0.0;
        for (int64_t j = 0; j < r; j++) row += s->H[i * r + j] * s->step[j];
        sum += row * s->step[i];
    }
    return sum;
}

typedef struct {
    double value, drop;
    int64_t iterations;
    int settled, exact;
} Ending;

/* The minimum of one slice from s->phi; leaves phi, slope and H there. */
static Ending searched(const Problem *q, int64_t slice, const Rules *rules, Room *w, State *s)
{
    const int64_t r = q->r;
    const size_t vector = (size_t)r * sizeof(double), square = (size_t)(r * r) * sizeof(double);
    const double total = q->total[slice];
    Ending end = {0.0, INFINITY, 0, 0, 0};
    double damping = 0.0;
    end.value = evaluated(q, slice, s->phi, 0, w, s->slope, s->H);
    if (!isfinite(end.value)) return end;
    for (int64_t round = 0; round < rules->rounds; round++) {
        int definite = 1;
        stepped(s, r, damping, &definite);
        double curve = bent(s, r);
        if (end.exact && (!(curve > 0) || (!definite && rules->limit < rules->rough))) {
            evaluated(q, slice, s->phi, 0, w, s->slope, s->H);
            end.exact = 0;
            stepped(s, r, damping, &definite);
            curve = bent(s, r);
        }
        const double gain = 0.25 * total * fabs(curve), before = end.drop;
        int tiny = gain < rules->settled;
        if (end.exact)
            tiny |= gain < sqrt(rules->limit)
                || (gain < 1e-2 && gain * (gain / before) * (gain / before) < rules->limit);
        tiny = tiny && damping <= 1e-8;
        if (tiny && end.exact && !definite) {
            tiny = 0;
            evaluated(q, slice, s->phi, 0, w, s->slope, s->H);
            end.exact = 0;
        }
        const int near = gain < rules->near && !tiny;
        for (int64_t i = 0; i < r; i++) s->trial[i] = s->phi[i] + s->step[i];
        const double value = evaluated(q, slice, s->trial, near, w, s->slope2, s->H2);
        const double unit = fabs(end.value) > 1.0 ? fabs(end.value) : 1.0;
        const int better = value <= end.value + 1e-13 * unit;
        if (better || (tiny && value <= end.value + rules->flat * unit)) {
            memcpy(s->phi, s->trial, vector);
            memcpy(s->slope, s->slope2, vector);
            memcpy(s->H, s->H2, square);
            end.value = value;
            end.exact = near;
        }
        end.iterations++;
        end.drop = gain;
        end.settled = tiny;
        if (better)
            damping = damping > 1e-7 ? damping * 0.1 : 0.0;
        else
            damping = damping * 8 > 1e-3 ? damping * 8 : 1e-3;
        if (tiny || damping > 1e12) break;
    }
    return end;
}

/* ---- Python's side ---- */

#define OF_GROUP 12 /* arrays of a group at most */
#define BESIDE 16   /* arrays beside those of the groups, at most */
typedef struct {
    Py_buffer *held;
    Py_ssize_t count, most;
} Buffers;

/* Places for the buffers of so many groups; 0 with an exception set. */
static int placed(Buffers *all, Py_ssize_t groups)
{
    all->most = BESIDE + OF_GROUP * groups;
    all->held = calloc((size_t)all->most, sizeof(Py_buffer));
    if (!all->held) PyErr_NoMemory();
    return all->held != NULL;
}

static void let_go(Buffers *all)
{
    while (all->count) PyBuffer_Release(&all->held[--all->count]);
    free(all->held);
    all->held = NULL;
}

/* A buffer of `items` numbers of eight bytes; NULL with an exception set. */
static void *taken(Buffers *all, PyObject *given, Py_ssize_t items, int writable)
{
    if (all->count == all->most) {
        PyErr_SetString(PyExc_ValueError, "too many arrays");
        return NULL;
    }
    Py_buffer *one = &all->held[all->count];
    if (PyObject_GetBuffer(given, one, PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0)) < 0) return NULL;
    all->count++;
    if (one->itemsize != 8 || (items >= 0 && one->len != items * 8)) {
        PyErr_SetString(PyExc_ValueError, "an array has another size than the problem");
        return NULL;
    }
    return one->buf;
}

/* Whether `count` places lie in [0, below); an exception is set where not. */
static int within(const int64_t *places, int64_t count, int64_t below)
{
    for (int64_t i = 0; i < count; i++)
        if (places[i] < 0 || places[i] >= below) {
            PyErr_SetString(PyExc_IndexError, "a place lies outside its array");
            return 0;
        }
    return 1;
}

/* One group from (p, m, depth, position, mirror, u, v, c, of, s, flat, cov, mean, constant, weight or None). */
static int grouped(Buffers *all, PyObject *given, Group *g, Py_ssize_t b, int64_t r)
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
    if (!(g->position = taken(all, o[0], -1, 0))) return 0;
    g->e = all->held[all->count - 1].len / 8;
    const Py_ssize_t e = (Py_ssize_t)g->e;
    if (!(g->mirror = taken(all, o[1], e, 0)) || !(g->u = taken(all, o[2], e, 0)) || !(g->v = taken(all, o[3], e, 0))
        || !(g->c = taken(all, o[4], e, 0)) || !(g->of = taken(all, o[5], e, 0)) || !(g->s = taken(all, o[6], e, 0))
        || !(g->flat = taken(all, o[7], b * (Py_ssize_t)g->size, 0))
        || !(g->cov = taken(all, o[8], b * (Py_ssize_t)(p * p), 0))
        || !(g->mean = taken(all, o[9], b * (Py_ssize_t)p, 0)) || !(g->constant = taken(all, o[10], b, 0)))
        return 0;
    g->weight = NULL;
    const int64_t c = g->p + 2 * g->m;
    if (!within(g->position, g->e, g->size) || !within(g->mirror, g->e, g->size) || !within(g->u, g->e, c)
        || !within(g->v, g->e, c) || !within(g->c, g->e, g->m + 2) || !within(g->of, g->e, r))
        return 0;
    return weight == Py_None || (g->weight = taken(all, weight, b * (Py_ssize_t)(p * p), 0)) != NULL;
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
static int problem_of(Buffers *all, PyObject *groups, PyObject *share, PyObject *total, int means, Py_ssize_t b,
                      Py_ssize_t r, Problem *q)
{
    const Py_ssize_t count = PyTuple_Size(groups);
    if (count < 0 || !placed(all, count)) return 0;
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
    Buffers all = {0};
    Problem q = {0};
    Room w;
    State s;
    double *block = NULL, *phi, *value, *slope, *hessian;
    PyObject *done = NULL;
    if (problem_of(&all, groups, share, total, means, (Py_ssize_t)b, (Py_ssize_t)r, &q)
        && (phi = taken(&all, phi_, (Py_ssize_t)(b * r), 0)) && (value = taken(&all, value_, (Py_ssize_t)b, 1))
        && (slope = taken(&all, slope_, (Py_ssize_t)(b * r), 1))
        && (hessian = taken(&all, hessian_, (Py_ssize_t)(b * r * r), 1))) {
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
    Buffers all = {0};
    Problem q = {0};
    Room w;
    State s;
    double *block = NULL, *phi, *value, *slope, *hessian, *drop;
    int64_t *iterations, *settled;
    PyObject *done = NULL;
    if (problem_of(&all, groups, share, total, means, (Py_ssize_t)b, (Py_ssize_t)r, &q)
        && (phi = taken(&all, phi_, (Py_ssize_t)(b * r), 1)) && (value = taken(&all, value_, (Py_ssize_t)b, 1))
        && (slope = taken(&all, slope_, (Py_ssize_t)(b * r), 1))
        && (hessian = taken(&all, hessian_, (Py_ssize_t)(b * r * r), 1))
        && (iterations = taken(&all, iterations_, (Py_ssize_t)b, 1))
        && (settled = taken(&all, settled_, (Py_ssize_t)b, 1)) && (drop = taken(&all, drop_, (Py_ssize_t)b, 1))) {
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

static PyMethodDef functions[] = {
    {"evaluate", evaluate, METH_VARARGS, "Value, gradient and Hessian of every slice, into given arrays."},
    {"minimise", minimise, METH_VARARGS, "The minimum of every slice, into given arrays."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "csi.sem.kernel", "Compiled normal theory.", -1, functions,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_kernel(void) { return PyModule_Create(&module); }
