/* Small matrices, row-major.

   Inner loops run along rows, so that a compiler can vectorise them without changing the order of any sum: the result
   does not depend on the processor's registers. */

#ifndef CSI_MATRICES
#define CSI_MATRICES

#include "../moments/arrays.h"

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

/* log|S| into *logdet, -inf where S has no Cholesky factor; whether its correlations less 1e-10 on the diagonal have one.
   U and R (n x n) and one (n) are room. */
static int determined(const double *S, int64_t n, double *U, double *R, double *one, double *logdet)
{
    *logdet = -INFINITY;
    if (cholesky(S, U, n)) {
        *logdet = 0.0;
        for (int64_t i = 0; i < n; i++) *logdet += 2.0 * log(U[i * n + i]);
    }
    for (int64_t i = 0; i < n; i++) one[i] = 1.0 / sqrt(S[i * n + i] > 1e-300 ? S[i * n + i] : 1e-300);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) R[i * n + j] = S[i * n + j] * one[i] * one[j];
        R[i * n + i] -= 1e-10;
    }
    return cholesky(R, U, n);
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

#endif
