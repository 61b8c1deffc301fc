/* Measures that a point fit is asked for at once: measures/validity.py and measures/effects.py are the reading version. */

#ifndef CSI_MEASURES_H
#define CSI_MEASURES_H

#include "elimination.h"

/* HTMT (q x q) of blocks of items from their covariances: owner (p) is the block of each item, -1 where it has none;
   room for p + q x q + 2 q numbers. As there, an item without variance leaves no pair a value. */
static void distinct(const double *cov, const int64_t *owner, int64_t p, int64_t q, int keep_signs, double *room,
                     double *found)
{
    double *sd = room, *sums = sd + p, *size = sums + q * q, *inside = size + q;
    int whole = 1;
    for (int64_t j = 0; j < q * q + 2 * q; j++) sums[j] = 0.0;
    for (int64_t i = 0; i < p; i++) {
        sd[i] = sqrt(cov[i * p + i] > 0.0 ? cov[i * p + i] : NAN);
        whole &= isfinite(sd[i]) != 0;
        if (owner[i] >= 0) size[owner[i]] += 1.0;
        for (int64_t k = 0; k < i; k++) {
            const double r = cov[i * p + k] / (sd[i] * sd[k]);
            whole &= isfinite(r) != 0;
            if (owner[i] < 0 || owner[k] < 0) continue;
            const int64_t a = owner[i] > owner[k] ? owner[i] : owner[k], b = owner[i] + owner[k] - a;
            sums[a * q + b] += keep_signs ? r : fabs(r);
        }
    }
    for (int64_t j = 0; j < q; j++) {
        const double mean = size[j] > 1.0 ? 2.0 * sums[j * q + j] / (size[j] * (size[j] - 1.0)) : 1.0;
        inside[j] = whole && mean > 0.0 ? mean : NAN;
        found[j * q + j] = 1.0;
        for (int64_t k = 0; k < j; k++)
            found[j * q + k] = found[k * q + j]
                = fabs(sums[j * q + k] / (size[j] * size[k]) / sqrt(inside[j] * inside[k]));
    }
}

/* Total effects (I - B)^-1 - I of paths B (q x q); room for q x q + q numbers. 0 where the model is not recursive (its
   elimination then has a pivot that is not 1) or a path is no number. */
static int totalled(const double *B, int64_t q, double *room, double *total)
{
    double *A = room, *scale = room + q * q;
    for (int64_t i = 0; i < q * q; i++) {
        total[i] = i / q == i % q;
        A[i] = total[i] - B[i];
    }
    eliminated(A, total, scale, q, q, 0);
    int recursive = 1;
    for (int64_t i = 0; i < q; i++) {
        recursive &= A[i * q + i] == 1.0;
        total[i * q + i] -= 1.0;
    }
    return recursive;
}

#endif
