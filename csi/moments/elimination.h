/* Small symmetric systems by elimination, in the order of linear.py: the same bits. */

#ifndef CSI_ELIMINATION_H
#define CSI_ELIMINATION_H

#include "arrays.h"

#define PIVOT 1e-10 /* as in linear.py */

/* X (k x m) with A X = Y, in place of Y, by elimination; A (k x k) symmetric. NaN where A is singular, and where it is
   not positive definite but should be. */
VECTORISED static void eliminated(double *A, double *X, double *scale, int64_t k, int64_t m, int definite)
{
    for (int64_t i = 0; i < k; i++) scale[i] = fabs(A[i * k + i]);
    for (int64_t i = 0; i < k; i++) {
        const double own = A[i * k + i], pivot = (definite ? own : fabs(own)) > PIVOT * scale[i] ? own : NAN;
        for (int64_t j = i + 1; j < k; j++) {
            const double factor = A[j * k + i] / pivot;
            for (int64_t t = i + 1; t < k; t++) A[j * k + t] -= factor * A[i * k + t];
            for (int64_t t = 0; t < m; t++) X[j * m + t] -= factor * X[i * m + t];
        }
        A[i * k + i] = pivot;
    }
    for (int64_t i = k - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < k; j++)
            for (int64_t t = 0; t < m; t++) X[i * m + t] -= A[i * k + j] * X[j * m + t];
        for (int64_t t = 0; t < m; t++) X[i * m + t] /= A[i * k + i];
    }
}

/* Whether A (k x k), which is lost, is positive definite, by the pivots of its elimination. */
VECTORISED static int is_definite(double *A, int64_t k)
{
    for (int64_t i = 0; i < k; i++) {
        const double pivot = A[i * k + i];
        if (!(pivot > 0.0)) return 0;
        for (int64_t j = i + 1; j < k; j++) {
            const double factor = A[j * k + i] / pivot;
            for (int64_t t = i + 1; t < k; t++) A[j * k + t] -= factor * A[i * k + t];
        }
    }
    return 1;
}

#endif
