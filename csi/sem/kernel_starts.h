/* Start values of one slice: starts.py is the reading version. */

#ifndef CSI_STARTS
#define CSI_STARTS

#include "kernel_matrices.h"

#define FLOOR 0.1    /* smallest share of a variance that a start leaves unexplained */
#define CEILING 0.85 /* largest correlation of constructs that a start assumes */

/* A plan of whole numbers, read from the front; `bad` once something lies outside its range. */
typedef struct {
    const int64_t *at, *end;
    int bad;
} Plan;

/* The next number, in [0, below). */
static int64_t read_one(Plan *plan, int64_t below)
{
    if (plan->at >= plan->end || *plan->at < 0 || *plan->at >= below) {
        plan->bad = 1;
        return 0;
    }
    return *plan->at++;
}

/* The next `count` numbers, each in [lowest, below); NULL where they are not. */
static const int64_t *read_many(Plan *plan, int64_t count, int64_t lowest, int64_t below)
{
    const int64_t *found = plan->at;
    if (plan->bad || count > plan->end - plan->at) {
        plan->bad = 1;
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        if (found[i] < lowest || found[i] >= below) plan->bad = 1;
    plan->at += count;
    return plan->bad ? NULL : found;
}

/* Room for one slice of starts: n places at most, j indicators, f constructs of a level, x predictors. */
typedef struct {
    double *C, *cross, *load, *weight, *v, *inner, *left, *P, *c;
    int64_t n;
} Begun;

/* Loadings and variances of a level into load and v, on the marker's scale. */
static void marked(Begun *w, int64_t n, int64_t j, int64_t f, const int64_t *item, const int64_t *marker,
                   const int64_t *owner)
{
    const int64_t N = w->n;
    int lone = 1;
    for (int64_t a = 0; a < n; a++)
        for (int64_t l = 0; l < n; l++) {
            const double own = w->C[l * N + l];
            w->cross[a * N + l] = w->C[a * N + l] / sqrt(own > 1e-300 ? own : 1e-300);
        }
    for (int64_t k = 0; k < j; k++) {
        const double *mine = w->cross + item[k] * N, *first = w->cross + marker[k] * N;
        double above = 0.0, below = 0.0;
        for (int64_t l = 0; l < n; l++) {
            if (l == item[k] || l == marker[k]) continue;
            above += mine[l] * first[l];
            below += first[l] * first[l];
        }
        const double ratio = sqrt(w->C[item[k] * N + item[k]] / w->C[marker[k] * N + marker[k]]);
        const double load = isfinite(above / below) ? above / below : ratio;
        double size = fabs(load) > 0.05 * ratio ? fabs(load) : 0.05 * ratio;
        if (size > 4 * ratio) size = 4 * ratio;
        w->load[k] = item[k] == marker[k] ? 1.0 : load < 0 ? -size : size;
    }
    for (int64_t i = 0; i < f; i++) {
        double above = 0.0, below = 0.0, first = NAN;
        int64_t members = 0;
        for (int64_t a = 0; a < j; a++) {
            if (owner[a] != i) continue;
            if (!members++) first = w->C[item[a] * N + item[a]];
            for (int64_t k = 0; k < j; k++) {
                if (owner[k] != i || k == a) continue;
                const double both = w->load[a] * w->load[k];
                above += w->C[item[a] * N + item[k]] * both;
                below += both * both;
            }
        }
        double v = isfinite(above / below) ? above / below : 0.0;
        if (v < 0.05 * first) v = 0.05 * first;
        if (v > 0.9 * first) v = 0.9 * first;
        if (members > 1) lone = 0;
        w->v[i] = members > 1 ? v : first > 0 ? first : 1.0;
    }
    for (int64_t k = 0; k < j && !lone; k++) {
        const double most = sqrt(0.9 * w->C[item[k] * N + item[k]] / w->v[owner[k]]);
        if (fabs(w->load[k]) > most) w->load[k] = w->load[k] < 0 ? -most : most;
    }
}

/* The same on the unit that fixed values set: unit[f] an indicator or -1. */
static void measured(Begun *w, int64_t j, int64_t f, const int64_t *owner, const int64_t *unit, const double *value,
                     const double *variance, const double *given)
{
    for (int64_t i = 0; i < f; i++) {
        const double by_variance = sqrt(variance[i] / w->v[i]);
        w->inner[i] = unit[i] >= 0 ? w->load[unit[i]] / value[i] : isfinite(by_variance) ? by_variance : 1.0;
        w->v[i] *= w->inner[i] * w->inner[i];
    }
    for (int64_t k = 0; k < j; k++) w->load[k] = isfinite(given[k]) ? given[k] : w->load[k] / w->inner[owner[k]];
}

/* Covariances of the constructs of a level, after the n that are known. */
static void joined(Begun *w, int64_t n, int64_t j, int64_t f, const int64_t *item, const int64_t *owner)
{
    const int64_t N = w->n;
    for (int64_t i = 0; i < f; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < j; k++)
            if (owner[k] == i) sum += w->load[k] * w->load[k];
        for (int64_t k = 0; k < j; k++)
            if (owner[k] == i) w->weight[k] = w->load[k] / (sum > 1e-12 ? sum : 1e-12);
        double *row = w->C + (n + i) * N;
        for (int64_t a = 0; a < n; a++) {
            row[a] = 0.0;
            for (int64_t k = 0; k < j; k++)
                if (owner[k] == i) row[a] += w->C[a * N + item[k]] * w->weight[k];
        }
    }
    for (int64_t i = 0; i < f; i++)
        for (int64_t l = 0; l < f; l++) {
            double sum = 0.0;
            for (int64_t k = 0; k < j; k++)
                if (owner[k] == l) sum += w->C[(n + i) * N + item[k]] * w->weight[k];
            w->inner[i * f + l] = sum;
        }
    for (int64_t i = 0; i < f; i++) {
        for (int64_t a = 0; a < n; a++) w->C[a * N + n + i] = w->C[(n + i) * N + a];
        for (int64_t l = 0; l < f; l++)
            w->C[(n + i) * N + n + l] = i == l ? w->v[i] : 0.5 * (w->inner[i * f + l] + w->inner[l * f + i]);
    }
}

/* Correlations of the constructs at `latent` at most CEILING. */
static void moderated(Begun *w, const int64_t *latent, int64_t q)
{
    const int64_t N = w->n;
    for (int64_t i = 0; i < q; i++) {
        const double own = w->C[latent[i] * N + latent[i]];
        w->c[i] = sqrt(own > 1e-8 ? own : 1e-8);
    }
    for (int64_t i = 0; i < q; i++)
        for (int64_t l = 0; l < q; l++) {
            double *one = w->C + latent[i] * N + latent[l];
            const double limit = (i == l ? CEILING + (1 - CEILING) : CEILING) * w->c[i] * w->c[l];
            if (*one < -limit) *one = -limit;
            if (*one > limit) *one = limit;
        }
}

/* Slopes of one outcome into values, the variance it keeps into left. */
static void regressed(Begun *w, int64_t place, int circular, int64_t x, const int64_t *places, const int64_t *rows,
                      double *values)
{
    const int64_t N = w->n;
    const double own = w->C[place * N + place];
    if (circular) {
        for (int64_t i = 0; i < x; i++) values[rows[i]] = 0.0;
        w->left[place] = own;
        return;
    }
    for (int64_t i = 0; i < x; i++) {
        w->c[i] = w->weight[i] = w->C[places[i] * N + place];
        for (int64_t l = 0; l < x; l++) w->P[i * x + l] = w->C[places[i] * N + places[l]] * (i == l ? 1.02 : 1.0);
    }
    if (!eliminated(w->P, w->c, x))
        for (int64_t i = 0; i < x; i++) w->c[i] = 0.0;
    double explained = 0.0;
    for (int64_t i = 0; i < x; i++) explained += w->c[i] * w->weight[i];
    const double shrink = explained > 0.8 * own ? 0.8 * own / (explained > 1e-12 ? explained : 1e-12) : 1.0;
    for (int64_t i = 0; i < x; i++) values[rows[i]] = w->c[i] * shrink;
    const double rest = own - explained * shrink;
    w->left[place] = rest > FLOOR * own ? rest : FLOOR * own;
}

/* What items and constructs keep when their loadings are taken off, into left. */
static void unexplained(Begun *w, int64_t n, const int64_t *loadings, int64_t count, const double *values)
{
    for (int64_t i = 0; i < n; i++) {
        w->left[i] = w->C[i * w->n + i];
        w->v[i] = 0.0;
    }
    for (int64_t k = 0; k < count; k++) {
        const double load = values[loadings[k]];
        w->v[loadings[count + k]] += load * load * w->left[loadings[2 * count + k]];
    }
    for (int64_t i = 0; i < n; i++)
        if (w->v[i] > 0) {
            const double rest = w->left[i] - w->v[i];
            w->left[i] = rest > FLOOR * w->left[i] ? rest : FLOOR * w->left[i];
        }
}

/* The starts of one slice of one group into values (t); 0 where the plan is not sound. */
static int begun(Plan plan, const double *numbers, int64_t count, int64_t p, int64_t t, Begun *w, const double *cov,
                 const double *mean, double *values)
{
    const int64_t N = w->n;
    int64_t n = p;
    for (int64_t i = 0; i < p; i++) memcpy(w->C + i * N, cov + i * p, (size_t)p * sizeof(double));
    for (int64_t levels = read_one(&plan, N + 1); levels > 0; levels--) {
        const int64_t j = read_one(&plan, t + 1), f = read_one(&plan, N - n + 1);
        const int64_t *rows = read_many(&plan, j, 0, t), *item = read_many(&plan, j, 0, n);
        const int64_t *marker = read_many(&plan, j, 0, n), *owner = read_many(&plan, j, 0, f);
        const int64_t *unit = read_many(&plan, f, -1, j);
        if (plan.bad || count < 2 * f + j) return 0;
        marked(w, n, j, f, item, marker, owner);
        measured(w, j, f, owner, unit, numbers, numbers + f, numbers + 2 * f);
        for (int64_t k = 0; k < j; k++) values[rows[k]] = w->load[k];
        joined(w, n, j, f, item, owner);
        n += f;
        numbers += 2 * f + j;
        count -= 2 * f + j;
    }
    int64_t many = read_one(&plan, n + 1);
    const int64_t *found = read_many(&plan, many, 0, n);
    if (plan.bad) return 0;
    moderated(w, found, many);
    many = read_one(&plan, t + 1);
    const int64_t *loadings = read_many(&plan, many, 0, t);
    if (!read_many(&plan, 2 * many, 0, n) || plan.bad) return 0;
    unexplained(w, n, loadings, many, values);
    for (int64_t outcomes = read_one(&plan, n + 1); outcomes > 0; outcomes--) {
        const int64_t place = read_one(&plan, n), circular = read_one(&plan, 2), x = read_one(&plan, n + 1);
        const int64_t *places = read_many(&plan, x, 0, n), *rows = read_many(&plan, x, 0, t);
        if (plan.bad) return 0;
        regressed(w, place, (int)circular, x, places, rows, values);
    }
    many = read_one(&plan, t + 1); /* variances */
    found = read_many(&plan, many, 0, t);
    const int64_t *places = read_many(&plan, many, 0, n);
    if (plan.bad) return 0;
    for (int64_t k = 0; k < many; k++) values[found[k]] = w->left[places[k]];
    many = read_one(&plan, t + 1); /* covariances */
    found = read_many(&plan, many, 0, t);
    const int64_t *one = read_many(&plan, many, 0, n), *other = read_many(&plan, many, 0, n);
    if (plan.bad) return 0;
    for (int64_t k = 0; k < many; k++) values[found[k]] = w->C[one[k] * N + other[k]];
    many = read_one(&plan, t + 1); /* means */
    found = read_many(&plan, many, 0, t);
    places = read_many(&plan, many, 0, p);
    if (plan.bad) return 0;
    for (int64_t k = 0; k < many; k++) values[found[k]] = mean[places[k]];
    return 1;
}

/* Room for starts with n places and t rows; NULL without memory. One block, freed at once. */
static double *begun_room(Begun *w, int64_t n, int64_t t)
{
    const int64_t wide = n > t ? n : t;
    double *block = calloc((size_t)(4 * n * n + 5 * wide + 8), sizeof(double));
    if (!block) return NULL;
    double *next = block;
    double **squares[] = {&w->C, &w->cross, &w->inner, &w->P}, **rows[] = {&w->load, &w->weight, &w->v, &w->left, &w->c};
    for (int i = 0; i < 4; i++, next += n * n) *squares[i] = next;
    for (int i = 0; i < 5; i++, next += wide) *rows[i] = next;
    w->n = n;
    return block;
}

#endif
