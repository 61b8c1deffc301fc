/* Sums of weighted products of rows, a tile of them in registers at a time; columns of bytes turned into rows.

   Every number is whole and every sum stays below 2^53, so that no order of adding changes a bit. */

#ifndef CSI_STREAM_TILES_H
#define CSI_STREAM_TILES_H

#include "arrays.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#define BY_PROCESSOR 1
#else
#define WIDEST
#endif

#define DOWN 4 /* rows of a tile */

/* Where row j of the sums begins, less its first column j / 8 * 8: only columns from there on are kept. */
INLINE int64_t begins(int64_t j, int64_t wide)
{
    const int64_t b = j / 8;
    return 8 * b * wide - 32 * b * (b - 1) + (j - 8 * b) * (wide - 8 * b) - 8 * b;
}

#if defined(__GNUC__)
typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
typedef double Eight __attribute__((vector_size(64), aligned(8), may_alias));
#else
typedef double Four;
typedef double Eight;
#endif

/* NAME_tile: sums[r][k] += sum_t a[t][r] z[t][k] of `DOWN` rows and ACROSS vectors of columns. */
#define TILED(name, Vector)                                                                                            \
    INLINE void name##_tile(const double *a, const double *z, int64_t n, int64_t wide,                                 \
                            double *const sums[DOWN], const int across)                                                \
    {                                                                                                                  \
        const int lanes = sizeof(Vector) / sizeof(double);                                                             \
        Vector x[DOWN][2], y[2];                                                                                       \
        for (int r = 0; r < DOWN; r++)                                                                                 \
            for (int v = 0; v < across; v++) x[r][v] = *(const Vector *)(sums[r] + v * lanes);                         \
        for (int64_t t = 0; t < n; t++) {                                                                              \
            for (int v = 0; v < across; v++) y[v] = *(const Vector *)(z + t * wide + v * lanes);                       \
            for (int r = 0; r < DOWN; r++)                                                                             \
                for (int v = 0; v < across; v++) x[r][v] += a[t * wide + r] * y[v];                                    \
        }                                                                                                              \
        for (int r = 0; r < DOWN; r++)                                                                                 \
            for (int v = 0; v < across; v++) *(Vector *)(sums[r] + v * lanes) = x[r][v];                               \
    }                                                                                                                  \
                                                                                                                       \
    INLINE void name##_tiles(const double *a, const double *z, int64_t n, int64_t rows, int64_t wide, double *sums)    \
    {                                                                                                                  \
        const int64_t lanes = sizeof(Vector) / sizeof(double);                                                         \
        for (int64_t j = 0; j < rows; j += DOWN)                                                                       \
            for (int64_t k = j / 8 * 8; k < wide; k += 2 * lanes) {                                                    \
                double *own[DOWN];                                                                                     \
                for (int r = 0; r < DOWN; r++) own[r] = sums + begins(j + r, wide) + k;                                \
                if (k + 2 * lanes <= wide)                                                                             \
                    name##_tile(a + j, z + k, n, wide, own, 2);                                                        \
                else                                                                                                   \
                    name##_tile(a + j, z + k, n, wide, own, 1);                                                        \
            }                                                                                                          \
    }

TILED(four, Four)

/* sums (rows, wide) += a' z of n rows a and z (wide each), upper triangle; rows are fours, wide is eights. */
#if defined(BY_PROCESSOR)
TILED(eight, Eight)

__attribute__((target("avx512f"))) static void added_by_eight(const double *a, const double *z, int64_t n, int64_t rows,
                                                              int64_t wide, double *sums)
{
    eight_tiles(a, z, n, rows, wide, sums);
}

__attribute__((target_clones("arch=haswell", "default"))) static void
added_by_four(const double *a, const double *z, int64_t n, int64_t rows, int64_t wide, double *sums)
{
    four_tiles(a, z, n, rows, wide, sums);
}

static void added(const double *a, const double *z, int64_t n, int64_t rows, int64_t wide, double *sums)
{
    if (__builtin_cpu_supports("avx512f"))
        added_by_eight(a, z, n, rows, wide, sums);
    else
        added_by_four(a, z, n, rows, wide, sums);
}
#else
static void added(const double *a, const double *z, int64_t n, int64_t rows, int64_t wide, double *sums)
{
    four_tiles(a, z, n, rows, wide, sums);
}
#endif

/* Columns of bytes (`apart` each) as rows (`each` bytes, whole sixteens), row i at place[i]. */
static void carried_to(const uint8_t *columns, int64_t apart, const int32_t *place, int64_t n, int64_t each, uint8_t *out)
{
    for (int64_t j = 0; j < each; j += 16)
        for (int64_t i = 0; i < n; i += 16) {
            const int64_t some = n - i < 16 ? n - i : 16;
            const uint8_t *from = columns + j * apart + i;
#if defined(__SSE2__)
            __m128i x[16], y[16];
            for (int k = 0; k < 16; k++) x[k] = _mm_loadu_si128((const __m128i *)(from + k * apart));
            for (int round = 0; round < 4; round++) {
                for (int k = 0; k < 8; k++) {
                    y[2 * k] = _mm_unpacklo_epi8(x[k], x[k + 8]);
                    y[2 * k + 1] = _mm_unpackhi_epi8(x[k], x[k + 8]);
                }
                for (int k = 0; k < 16; k++) x[k] = y[k];
            }
            for (int64_t k = 0; k < some; k++) _mm_storeu_si128((__m128i *)(out + place[i + k] * each + j), x[k]);
#else
            for (int64_t k = 0; k < some; k++)
                for (int64_t l = 0; l < 16; l++) out[place[i + k] * each + j + l] = from[l * apart + k];
#endif
        }
}

#endif
