/* Rows of answers as they come from a frame: one array, their order, their ends, their moments. */

#ifndef CSI_ROWS_H
#define CSI_ROWS_H

#include <float.h>

#include "arrays.h"

#define TOGETHER 4 /* rows whose products are added at once */
#define RUN 8 /* rows that are put in order one by one before runs are merged */

/* The least and the most of each item, into ends (2 x p); 0 where an answer is not finite. */
VECTORISED static int ended(const double *rows, int64_t n, int64_t p, double *ends)
{
    double *low = ends, *high = ends + p;
    for (int64_t j = 0; j < p; j++) {
        low[j] = INFINITY;
        high[j] = -INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        const double *x = rows + i * p;
        for (int64_t j = 0; j < p; j++) low[j] = x[j] >= low[j] ? low[j] : x[j]; /* NaN stays only till the next */
        for (int64_t j = 0; j < p; j++) high[j] = x[j] <= high[j] ? high[j] : x[j];
    }
    int finite = 1;
    for (int64_t i = 0; i < n * p; i++) finite &= fabs(rows[i]) <= DBL_MAX;
    return finite;
}

/* Whether row a comes before row b, by their first item, then the second, ... */
INLINE int before(const double *a, const double *b, int64_t p)
{
    for (int64_t j = 0; j < p; j++)
        if (a[j] != b[j]) return a[j] < b[j];
    return 0;
}

/* Two runs of `order`, first to middle - 1 and middle to last - 1, merged into `out`; equal rows keep their order. */
static void merged(const double *rows, int64_t p, const int64_t *order, int64_t first, int64_t middle, int64_t last,
                   int64_t *out)
{
    int64_t a = first, b = middle;
    for (int64_t k = first; k < last; k++)
        out[k] = a < middle && (b == last || !before(rows + order[b] * p, rows + order[a] * p, p)) ? order[a++]
                                                                                                   : order[b++];
}

/* The order that sorts the rows, into `order`; `spare` is room for another. */
static void sorted(const double *rows, int64_t n, int64_t p, int64_t *order, int64_t *spare)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i;
        for (; at % RUN && before(rows + i * p, rows + order[at - 1] * p, p); at--) order[at] = order[at - 1];
        order[at] = i;
    }
    for (int64_t run = RUN; run < n; run *= 2) {
        for (int64_t first = 0; first < n; first += 2 * run) {
            const int64_t middle = first + run < n ? first + run : n, last = middle + run < n ? middle + run : n;
            merged(rows, p, order, first, middle, last, spare);
        }
        memcpy(order, spare, (size_t)n * sizeof(int64_t));
    }
}

/* The rows brought into `order`, in place, along each cycle of it; `taken_up` marks n rows, `kept` has room for one. */
static void ordered(double *rows, int64_t n, int64_t p, const int64_t *order, int64_t *taken_up, double *kept)
{
    const size_t row = (size_t)p * sizeof(double);
    for (int64_t i = 0; i < n; i++) taken_up[i] = 0;
    for (int64_t first = 0; first < n; first++) {
        if (taken_up[first]) continue;
        memcpy(kept, rows + first * p, row);
        int64_t at = first;
        for (; order[at] != first; at = order[at]) {
            memcpy(rows + at * p, rows + order[at] * p, row);
            taken_up[at] = 1;
        }
        memcpy(rows + at * p, kept, row);
        taken_up[at] = 1;
    }
}

/* products (p x wide) += w_i z_i z_i' of `TOGETHER` rows z (each `wide`), one row after another; the upper triangle and
   a few places beside it. */
VECTORISED static void added(const double *restrict z, const double *w, int64_t p, int64_t wide, double *restrict products)
{
    const double *z1 = z + wide, *z2 = z1 + wide, *z3 = z2 + wide;
    for (int64_t j = 0; j < p; j++) {
        const double a = w[0] * z[j], b = w[1] * z1[j], c = w[2] * z2[j], d = w[3] * z3[j];
        double *restrict sums = products + j * wide;
        for (int64_t k = j / 4 * 4; k < wide; k++) sums[k] = (((sums[k] + a * z[k]) + b * z1[k]) + c * z2[k]) + d * z3[k];
    }
}

/* Numbers of a row in the room of `summed`: the items, the 1 that sums weights, and zeros up to a multiple of 4. */
INLINE int64_t wide_of(int64_t p) { return (p + 1 + 3) / 4 * 4; }

/* Moments of complete rows under the weights w: sums {sum of w, of w^2}, mean (p), cov (p x p) with divisor n - 1, as
   cell_moments has them; room for (wide + TOGETHER) wide + p + TOGETHER numbers, all 0. 0 where an answer is absent. */
static int summed(const double *rows, const double *w, int64_t n, int64_t p, double *sums, double *mean, double *cov,
                  double *room)
{
    const int64_t wide = wide_of(p);
    double *products = room, *z = room + wide * wide, *centre = z + TOGETHER * wide, *own = centre + p;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j++) centre[j] += rows[i * p + j];
    for (int64_t j = 0; j < p; j++) {
        if (isnan(centre[j])) return 0;
        centre[j] = rint(centre[j] / (double)(n > 1 ? n : 1));
    }
    for (int64_t first = 0; first < n; first += TOGETHER) {
        for (int64_t t = 0; t < TOGETHER; t++) {
            const int64_t i = first + t;
            own[t] = i < n ? w[i] : 0.0;
            for (int64_t j = 0; i < n && j < p; j++) z[t * wide + j] = rows[i * p + j] - centre[j];
            z[t * wide + p] = 1.0;
        }
        added(z, own, p + 1, wide, products);
    }
    sums[0] = products[p * wide + p];
    sums[1] = 0.0;
    for (int64_t i = 0; i < n; i++) sums[1] += w[i] * w[i];
    const double count = (double)n;
    for (int64_t j = 0; j < p; j++) mean[j] = products[j * wide + p] / sums[0];
    for (int64_t j = 0; j < p; j++)
        for (int64_t k = 0; k < p; k++)
            cov[j * p + k] = (products[j < k ? j * wide + k : k * wide + j] / sums[0] - mean[j] * mean[k])
                * (count / (count - 1.0));
    for (int64_t j = 0; j < p; j++) mean[j] += centre[j];
    return 1;
}

#endif
