/* The minimum of one slice: optimise.py is the reading version. */

#ifndef CSI_SEARCH
#define CSI_SEARCH

#include "kernel_normal.h"

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

#endif
