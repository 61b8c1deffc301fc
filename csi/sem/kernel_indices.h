/* Fit measures in closed form of one slice of one group: measures/fit_indices.py, residual_size.py and absolute.py are
   the reading version, formula by formula. */

#ifndef CSI_INDICES
#define CSI_INDICES

#include "kernel_residuals.h"

/* What all slices share: degrees of freedom of the model and of independence, free parameters, moments, critical values
   of chi-square at 5 and 1 %. */
typedef struct {
    double df, df0, npar, moments, critical_05, critical_01;
} Counts;

/* What a slice brings: chi-square of the model and of independence, the multiplier of F, rows, F, log-likelihood. */
typedef struct {
    double T, T0, N, n, F, loglik;
} Numbers;

enum {
    FMIN, SWAIN, CFI, TLI, RFI, NFI, PNFI, IFI, RNI, AIC, BIC, SABIC, RMSEA, RMR, RMR_BARE, BENTLER, BENTLER_BARE, CRMR,
    CRMR_BARE, MPLUS, MPLUS_BARE, CN_05, CN_01, GFI, AGFI, PGFI, MFI, ECVI, INDICES
};

/* above / below, NaN where below is 0. */
INLINE double ratio(double above, double below) { return below != 0.0 ? above / below : NAN; }

/* The larger of two, NaN where one is. */
INLINE double larger(double a, double b) { return isnan(a) || a > b ? a : b; }

/* What compares the model with independence. */
static void compared(const Counts *c, const Numbers *x, double *out)
{
    const double own = larger(x->T - c->df, 0.0), worst = larger(own, x->T0 - c->df0), gain = ratio(x->T, x->T0);
    const int nested = x->T <= x->T0 && c->df <= c->df0, tested = c->df > 0.0;
    out[CFI] = own == 0.0 ? 1.0 : 1.0 - ratio(own, worst);
    out[TLI] = tested ? 1.0 - ratio(ratio(x->T - c->df, c->df), ratio(x->T0 - c->df0, c->df0)) : 1.0;
    out[RFI] = !nested ? NAN : tested ? 1.0 - ratio(ratio(x->T, c->df), ratio(x->T0, c->df0)) : 1.0;
    out[NFI] = nested ? 1.0 - gain : NAN;
    out[PNFI] = ratio(c->df, c->df0) * (1.0 - gain);
    out[IFI] = ratio(x->T0 - x->T, x->T0 - c->df);
    out[RNI] = 1.0 - ratio(x->T - c->df, x->T0 - c->df0);
}

/* What a likelihood, a chi-square and its degrees of freedom say. */
static void counted(const Counts *c, const Numbers *x, double p, double *out)
{
    const double deviance = -2.0 * x->loglik, df = c->df;
    const double q = (sqrt(1.0 + 8.0 * (p * (p + 1.0) / 2.0 - df)) - 1.0) / 2.0;
    const double excess = p * (2.0 * p * p + 3.0 * p - 1.0) - q * (2.0 * q * q + 3.0 * q - 1.0);
    out[FMIN] = 0.5 * x->N * x->F / x->N;
    out[SWAIN] = x->T * (1.0 - ratio(excess, 12.0 * df * (x->n - 1.0)));
    out[AIC] = deviance + 2.0 * c->npar;
    out[BIC] = deviance + c->npar * log(x->n);
    out[SABIC] = deviance + c->npar * log((x->n + 2.0) / 24.0);
    out[RMSEA] = df > 0.0 ? sqrt(larger(x->T - df, 0.0) / (x->N * df)) : 0.0;
    out[CN_05] = df > 0.0 ? ratio(c->critical_05 * x->N, x->T) + 1.0 : NAN;
    out[CN_01] = df > 0.0 ? ratio(c->critical_01 * x->N, x->T) + 1.0 : NAN;
    out[MFI] = exp(-0.5 * (x->T - df) / x->N);
    out[ECVI] = (x->T + 2.0 * c->npar) / x->N;
}

/* Root mean squares of `cells` residuals of covariances, and of the means beside them. */
INLINE void rooted(double cov, double cells, double mean, double p, int means, double *with, double *bare)
{
    *bare = sqrt(cov / (cells > 1.0 ? cells : 1.0));
    *with = means ? sqrt((cov + mean) / (cells + p)) : *bare;
}

/* What the sums of residuals say. */
static void sized(const Counts *c, const double *sums, const double *parts, double p, int means, double *out)
{
    const double cells = p * (p + 1.0) / 2.0, off = p * (p - 1.0) / 2.0;
    rooted(sums[0], cells, sums[4], p, means, out + RMR, out + RMR_BARE);
    rooted(sums[1], cells, sums[5], p, means, out + BENTLER, out + BENTLER_BARE);
    rooted(sums[3], off, sums[5], p, means, out + CRMR, out + CRMR_BARE);
    rooted(sums[3] + sums[2], cells, sums[6], p, means, out + MPLUS, out + MPLUS_BARE);
    const double gfi = 1.0 - ratio(parts[0], parts[1]);
    out[GFI] = gfi;
    out[AGFI] = c->df <= 0.0 ? gfi : 1.0 - c->moments / c->df * (1.0 - gfi);
    out[PGFI] = c->df / c->moments * gfi;
}

#endif
