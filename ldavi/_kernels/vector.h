/* Vectors of the widest kind that the instruction set offers, in the compiler's own vector extension.
 *
 * LDAVI_WIDTH is the width in bytes. The arithmetic is plain C operators on vec_f32 and vec_f64; only the
 * sum of eight vectors across their lanes is written by instruction set, because shuffles are. A compiler
 * without the extension (MSVC) gets vectors of one lane and the same code. */
#ifndef LDAVI_VECTOR_H
#define LDAVI_VECTOR_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LDAVI_WIDTH 64
#elif defined(__AVX2__)
#define LDAVI_WIDTH 32
#else
#define LDAVI_WIDTH 16
#endif

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__GNUC__) || defined(__clang__)
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(p) __builtin_prefetch(p)
typedef float vec_f32 __attribute__((vector_size(LDAVI_WIDTH)));
typedef double vec_f64 __attribute__((vector_size(LDAVI_WIDTH)));
typedef int32_t bits_f32 __attribute__((vector_size(LDAVI_WIDTH)));
typedef int64_t bits_f64 __attribute__((vector_size(LDAVI_WIDTH)));
#define LANES_f32 (LDAVI_WIDTH / 4)
#define LANES_f64 (LDAVI_WIDTH / 8)
#define SPLAT_f32(x) ((vec_f32){0} + (float)(x))
#define SPLAT_f64(x) ((vec_f64){0} + (double)(x))
#define WHERE_f32(mask, a, b) ((vec_f32)(((bits_f32)(a) & (mask)) | ((bits_f32)(b) & ~(mask))))
#define WHERE_f64(mask, a, b) ((vec_f64)(((bits_f64)(a) & (mask)) | ((bits_f64)(b) & ~(mask))))
#define BITS_f32(x) ((bits_f32)(x))
#define BITS_f64(x) ((bits_f64)(x))
#define REAL_f32(x) ((vec_f32)(x))
#define REAL_f64(x) ((vec_f64)(x))
#else
#define INLINE static __inline
#define PREFETCH(p) ((void)0)
typedef float vec_f32;
typedef double vec_f64;
typedef int32_t bits_f32;
typedef int64_t bits_f64;
#define LANES_f32 1
#define LANES_f64 1
#define SPLAT_f32(x) ((float)(x))
#define SPLAT_f64(x) ((double)(x))
#define WHERE_f32(mask, a, b) ((mask) ? (a) : (b))
#define WHERE_f64(mask, a, b) ((mask) ? (a) : (b))
INLINE bits_f32 BITS_f32(float x) { bits_f32 b; memcpy(&b, &x, 4); return b; }
INLINE bits_f64 BITS_f64(double x) { bits_f64 b; memcpy(&b, &x, 8); return b; }
INLINE float REAL_f32(bits_f32 b) { float x; memcpy(&x, &b, 4); return x; }
INLINE double REAL_f64(bits_f64 b) { double x; memcpy(&x, &b, 8); return x; }
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define RESTRICT __restrict
#else
#define RESTRICT restrict
#endif

/* memcpy is how C spells a load that neither assumes alignment nor breaks the aliasing rules. */
INLINE vec_f32 load_f32(const float *p) { vec_f32 v; memcpy(&v, p, sizeof v); return v; }
INLINE vec_f64 load_f64(const double *p) { vec_f64 v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_f32(float *p, vec_f32 v) { memcpy(p, &v, sizeof v); }
INLINE void store_f64(double *p, vec_f64 v) { memcpy(p, &v, sizeof v); }

INLINE vec_f32 max_f32(vec_f32 a, vec_f32 b) { return WHERE_f32(a > b, a, b); }
INLINE vec_f64 max_f64(vec_f64 a, vec_f64 b) { return WHERE_f64(a > b, a, b); }
INLINE vec_f32 min_f32(vec_f32 a, vec_f32 b) { return WHERE_f32(a < b, a, b); }
INLINE vec_f64 min_f64(vec_f64 a, vec_f64 b) { return WHERE_f64(a < b, a, b); }
INLINE vec_f32 abs_f32(vec_f32 a) { return WHERE_f32(a < SPLAT_f32(0), -a, a); }
INLINE vec_f64 abs_f64(vec_f64 a) { return WHERE_f64(a < SPLAT_f64(0), -a, a); }

INLINE float sum_lanes_f32(vec_f32 v) {
    float lane[LANES_f32], total = 0;
    store_f32(lane, v);
    for (int i = 0; i < LANES_f32; i++) total += lane[i];
    return total;
}
INLINE double sum_lanes_f64(vec_f64 v) {
    double lane[LANES_f64], total = 0;
    store_f64(lane, v);
    for (int i = 0; i < LANES_f64; i++) total += lane[i];
    return total;
}
INLINE float max_lanes_f32(vec_f32 v) {
    float lane[LANES_f32], top;
    store_f32(lane, v);
    top = lane[0];
    for (int i = 1; i < LANES_f32; i++) top = lane[i] > top ? lane[i] : top;
    return top;
}
INLINE double max_lanes_f64(vec_f64 v) {
    double lane[LANES_f64], top;
    store_f64(lane, v);
    top = lane[0];
    for (int i = 1; i < LANES_f64; i++) top = lane[i] > top ? lane[i] : top;
    return top;
}

/* out[i] = sum of the lanes of v[i], for eight vectors at once. */
#if defined(__AVX512F__) || defined(__AVX2__)
INLINE __m256 half_sum_f32(vec_f32 v) {
#if defined(__AVX512F__)
    return _mm256_add_ps(_mm512_castps512_ps256((__m512)v),
                         _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd((__m512)v), 1)));
#else
    return (__m256)v;
#endif
}
INLINE __m256d half_sum_f64(vec_f64 v) {
#if defined(__AVX512F__)
    return _mm256_add_pd(_mm512_castpd512_pd256((__m512d)v), _mm512_extractf64x4_pd((__m512d)v, 1));
#else
    return (__m256d)v;
#endif
}
INLINE void sum_eight_f32(const vec_f32 *v, float *out) {
    __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(half_sum_f32(v[0]), half_sum_f32(v[1])),
                              _mm256_hadd_ps(half_sum_f32(v[2]), half_sum_f32(v[3])));
    __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(half_sum_f32(v[4]), half_sum_f32(v[5])),
                              _mm256_hadd_ps(half_sum_f32(v[6]), half_sum_f32(v[7])));
    _mm256_storeu_ps(out, _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31)));
}
INLINE void sum_eight_f64(const vec_f64 *v, double *out) {
    for (int i = 0; i < 8; i += 4) {
        __m256d a = _mm256_hadd_pd(half_sum_f64(v[i]), half_sum_f64(v[i + 1]));
        __m256d b = _mm256_hadd_pd(half_sum_f64(v[i + 2]), half_sum_f64(v[i + 3]));
        _mm256_storeu_pd(out + i, _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31)));
    }
}
#else
INLINE void sum_eight_f32(const vec_f32 *v, float *out) {
    for (int i = 0; i < 8; i++) out[i] = sum_lanes_f32(v[i]);
}
INLINE void sum_eight_f64(const vec_f64 *v, double *out) {
    for (int i = 0; i < 8; i++) out[i] = sum_lanes_f64(v[i]);
}
#endif

#endif
