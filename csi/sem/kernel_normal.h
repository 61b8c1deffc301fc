/* Normal-theory covariance structures, one slice after another: value, gradient, Hessian.

   The same formulas as normal.py, which is the reading version. With K = [I | Lambda A | Lambda Phi] every derivative of
   Sigma is s (K_u K_v' + K_v K_u'), so a Hessian is gathered from G = K' W K and X = K' Q K. */

#ifndef CSI_NORMAL
#define CSI_NORMAL

#include "kernel_matrices.h"

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

#endif
