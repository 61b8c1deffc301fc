/* Sums of squared residuals: measures/residual_size.py is the reading version. */

#ifndef CSI_RESIDUALS
#define CSI_RESIDUALS

#include "kernel_matrices.h"

#define SUMS 7 /* of squares: raw, standardised, its diagonal, correlations; means raw, standardised, each by its own sd */

/* Sums of squared residuals of one slice over the lower triangle; s and t take p numbers each. */
static void squared(int64_t p, const double *S, const double *m, const double *Sigma, const double *mu, double *s,
                    double *t, double *sums)
{
    for (int64_t i = 0; i < SUMS; i++) sums[i] = 0.0;
    for (int64_t i = 0; i < p; i++) {
        s[i] = 1.0 / sqrt(S[i * p + i]);
        t[i] = 1.0 / sqrt(Sigma[i * p + i]);
        const double d = m[i] - mu[i], own = m[i] * s[i] - mu[i] * t[i];
        sums[4] += d * d;
        sums[5] += d * s[i] * d * s[i];
        sums[6] += own * own;
        for (int64_t j = 0; j <= i; j++) {
            const double e = 0.5 * (S[i * p + j] - Sigma[i * p + j] + S[j * p + i] - Sigma[j * p + i]);
            const double standard = e * s[i] * s[j];
            const double cor = S[i * p + j] * s[i] * s[j] - Sigma[i * p + j] * t[i] * t[j];
            sums[0] += e * e;
            sums[1] += standard * standard;
            if (i == j)
                sums[2] += standard * standard;
            else
                sums[3] += cor * cor;
        }
    }
}

/* tr[(W R)^2] / 2 + d'Wd with d and R the residuals, then the moments themselves, given ones left out. */
static void weighed(int64_t p, const double *S, const double *m, const double *Sigma, const double *mu,
                    const int64_t *given, int means, const double *W, double *R, double *WR, double *parts)
{
    for (int of = 0; of < 2; of++) {
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++)
                R[i * p + j] = given[i] && given[j] ? 0.0 : S[i * p + j] - (of ? 0.0 : Sigma[i * p + j]);
        product(W, R, WR, p, p, p);
        double sum = 0.0;
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++) sum += WR[i * p + j] * WR[j * p + i];
        sum *= 0.5;
        for (int64_t i = 0; means && i < p; i++)
            for (int64_t j = 0; j < p; j++)
                if (!given[i] && !given[j])
                    sum += (m[i] - (of ? 0.0 : mu[i])) * W[i * p + j] * (m[j] - (of ? 0.0 : mu[j]));
        parts[of] = sum;
    }
}

#endif
