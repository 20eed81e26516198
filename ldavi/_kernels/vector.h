/* Vectors of the widest kind that the instruction set offers, in the compiler's own vector extension.
 *
 * VECTOR_BYTES is the width. The arithmetic is plain C operators on vec_f32 and vec_f64; only comparisons, minimum and
 * maximum, and the sums of eight vectors across their lanes use intrinsics. A compiler without the vector extension (MSVC;
 * clang-cl has it) gets vectors of one lane and the same code. */
#ifndef LDAVI_VECTOR_H
#define LDAVI_VECTOR_H

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define VECTOR_EXTENSION
#if defined(__AVX512F__)
#define HAVE_AVX512
#elif defined(__AVX2__)
#define HAVE_AVX2
#elif defined(__aarch64__)
#define HAVE_NEON
#endif
#endif

#if defined(HAVE_AVX512)
#define VECTOR_BYTES 64
#elif defined(HAVE_AVX2)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

/* Vectors of one row that an inner iteration holds in registers, twice, beside eight sums. */
#if defined(HAVE_AVX512) || defined(HAVE_NEON)
#define MAX_REGISTER_VECTORS 8
#else
#define MAX_REGISTER_VECTORS 2
#endif

#if defined(HAVE_AVX512) || defined(HAVE_AVX2)
#include <immintrin.h>
#elif defined(HAVE_NEON)
#include <arm_neon.h>
#endif

#if defined(VECTOR_EXTENSION)
#define INLINE static inline __attribute__((always_inline))
#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define UNROLL PRAGMA(clang loop unroll(full))
#else
#define UNROLL PRAGMA(GCC unroll 8)
#endif
typedef float vec_f32 __attribute__((vector_size(VECTOR_BYTES)));
typedef double vec_f64 __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t bits_f32 __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t bits_f64 __attribute__((vector_size(VECTOR_BYTES)));
#define LANES_f32 (VECTOR_BYTES / 4)
#define LANES_f64 (VECTOR_BYTES / 8)
#define SPLAT_f32(x) ((vec_f32){0} + (float)(x))
#define SPLAT_f64(x) ((vec_f64){0} + (double)(x))
#define BITS_f32(x) ((bits_f32)(x))
#define BITS_f64(x) ((bits_f64)(x))
#define REAL_f32(x) ((vec_f32)(x))
#define REAL_f64(x) ((vec_f64)(x))
#else
#define INLINE static __inline
#define UNROLL
typedef float vec_f32;
typedef double vec_f64;
typedef int32_t bits_f32;
typedef int64_t bits_f64;
#define LANES_f32 1
#define LANES_f64 1
#define SPLAT_f32(x) ((float)(x))
#define SPLAT_f64(x) ((double)(x))
INLINE bits_f32 BITS_f32(float x) { bits_f32 b; memcpy(&b, &x, 4); return b; }
INLINE bits_f64 BITS_f64(double x) { bits_f64 b; memcpy(&b, &x, 8); return b; }
INLINE float REAL_f32(bits_f32 b) { float x; memcpy(&x, &b, 4); return x; }
INLINE double REAL_f64(bits_f64 b) { double x; memcpy(&x, &b, 8); return x; }
#endif

#if defined(VECTOR_EXTENSION)
#define PREFETCH(address) __builtin_prefetch(address)
#define PREFETCH_NEAR(address) __builtin_prefetch(address, 0, 2) /* no nearer than the second-level cache */
#else
#define PREFETCH(address) ((void)(address))
#define PREFETCH_NEAR(address) ((void)(address))
#endif

/* memcpy is a load that neither assumes alignment nor violates the aliasing rules. */
INLINE vec_f32 load_f32(const float *p) { vec_f32 v; memcpy(&v, p, sizeof v); return v; }
INLINE vec_f64 load_f64(const double *p) { vec_f64 v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_f32(float *p, vec_f32 v) { memcpy(p, &v, sizeof v); }
INLINE void store_f64(double *p, vec_f64 v) { memcpy(p, &v, sizeof v); }

/* where_less(x, y, a, b): a in the lanes where x < y, b elsewhere. */
#if defined(HAVE_AVX512)
INLINE vec_f32 where_less_f32(vec_f32 x, vec_f32 y, vec_f32 a, vec_f32 b) {
    return (vec_f32)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_LT_OQ), (__m512)b, (__m512)a);
}
INLINE vec_f64 where_less_f64(vec_f64 x, vec_f64 y, vec_f64 a, vec_f64 b) {
    return (vec_f64)_mm512_mask_blend_pd(_mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_LT_OQ), (__m512d)b, (__m512d)a);
}
#elif defined(HAVE_AVX2)
INLINE vec_f32 where_less_f32(vec_f32 x, vec_f32 y, vec_f32 a, vec_f32 b) {
    return (vec_f32)_mm256_blendv_ps((__m256)b, (__m256)a, _mm256_cmp_ps((__m256)x, (__m256)y, _CMP_LT_OQ));
}
INLINE vec_f64 where_less_f64(vec_f64 x, vec_f64 y, vec_f64 a, vec_f64 b) {
    return (vec_f64)_mm256_blendv_pd((__m256d)b, (__m256d)a, _mm256_cmp_pd((__m256d)x, (__m256d)y, _CMP_LT_OQ));
}
#elif defined(VECTOR_EXTENSION)
INLINE vec_f32 where_less_f32(vec_f32 x, vec_f32 y, vec_f32 a, vec_f32 b) {
    bits_f32 mask = x < y;
    return REAL_f32((BITS_f32(a) & mask) | (BITS_f32(b) & ~mask));
}
INLINE vec_f64 where_less_f64(vec_f64 x, vec_f64 y, vec_f64 a, vec_f64 b) {
    bits_f64 mask = x < y;
    return REAL_f64((BITS_f64(a) & mask) | (BITS_f64(b) & ~mask));
}
#else
INLINE float where_less_f32(float x, float y, float a, float b) { return x < y ? a : b; }
INLINE double where_less_f64(double x, double y, double a, double b) { return x < y ? a : b; }
#endif

#if defined(HAVE_AVX512)
INLINE vec_f32 min_f32(vec_f32 a, vec_f32 b) { return (vec_f32)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE vec_f64 min_f64(vec_f64 a, vec_f64 b) { return (vec_f64)_mm512_min_pd((__m512d)a, (__m512d)b); }
INLINE vec_f32 max_f32(vec_f32 a, vec_f32 b) { return (vec_f32)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vec_f64 max_f64(vec_f64 a, vec_f64 b) { return (vec_f64)_mm512_max_pd((__m512d)a, (__m512d)b); }
#elif defined(HAVE_AVX2)
INLINE vec_f32 min_f32(vec_f32 a, vec_f32 b) { return (vec_f32)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vec_f64 min_f64(vec_f64 a, vec_f64 b) { return (vec_f64)_mm256_min_pd((__m256d)a, (__m256d)b); }
INLINE vec_f32 max_f32(vec_f32 a, vec_f32 b) { return (vec_f32)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vec_f64 max_f64(vec_f64 a, vec_f64 b) { return (vec_f64)_mm256_max_pd((__m256d)a, (__m256d)b); }
#else
INLINE vec_f32 min_f32(vec_f32 a, vec_f32 b) { return where_less_f32(a, b, a, b); }
INLINE vec_f64 min_f64(vec_f64 a, vec_f64 b) { return where_less_f64(a, b, a, b); }
INLINE vec_f32 max_f32(vec_f32 a, vec_f32 b) { return where_less_f32(a, b, b, a); }
INLINE vec_f64 max_f64(vec_f64 a, vec_f64 b) { return where_less_f64(a, b, b, a); }
#endif
INLINE vec_f32 abs_f32(vec_f32 a) { return REAL_f32(BITS_f32(a) & 0x7fffffff); }
INLINE vec_f64 abs_f64(vec_f64 a) { return REAL_f64(BITS_f64(a) & 0x7fffffffffffffffLL); }

/* Masses as reals: int32_t beside float, double beside double. */
#if defined(VECTOR_EXTENSION)
INLINE vec_f32 load_mass_f32(const int32_t *p) { bits_f32 b; memcpy(&b, p, sizeof b); return __builtin_convertvector(b, vec_f32); }
#else
INLINE vec_f32 load_mass_f32(const int32_t *p) { return (float)*p; }
#endif
INLINE vec_f64 load_mass_f64(const double *p) { return load_f64(p); }

/* A bit for each lane in which x > y, and the number of the lowest bit that is set. */
#if defined(HAVE_AVX512)
INLINE uint32_t greater_f32(vec_f32 x, vec_f32 y) { return _mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_GT_OQ); }
INLINE uint32_t greater_f64(vec_f64 x, vec_f64 y) { return _mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_GT_OQ); }
#elif defined(HAVE_AVX2)
INLINE uint32_t greater_f32(vec_f32 x, vec_f32 y) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps((__m256)x, (__m256)y, _CMP_GT_OQ));
}
INLINE uint32_t greater_f64(vec_f64 x, vec_f64 y) {
    return (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)x, (__m256d)y, _CMP_GT_OQ));
}
#else
INLINE uint32_t greater_f32(vec_f32 x, vec_f32 y) {
    float a[LANES_f32], b[LANES_f32];
    uint32_t bits = 0;
    memcpy(a, &x, sizeof x);
    memcpy(b, &y, sizeof y);
    for (int i = 0; i < LANES_f32; i++) bits |= (uint32_t)(a[i] > b[i]) << i;
    return bits;
}
INLINE uint32_t greater_f64(vec_f64 x, vec_f64 y) {
    double a[LANES_f64], b[LANES_f64];
    uint32_t bits = 0;
    memcpy(a, &x, sizeof x);
    memcpy(b, &y, sizeof y);
    for (int i = 0; i < LANES_f64; i++) bits |= (uint32_t)(a[i] > b[i]) << i;
    return bits;
}
#endif
#if defined(VECTOR_EXTENSION)
INLINE int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }
#else
INLINE int lowest_bit(uint64_t bits) {
    int i = 0;
    while (!(bits >> i & 1)) i++;
    return i;
}
#endif

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

/* x[i] .. x[i + lanes - 1] in double, with `padding` for entries past n. */
#if defined(VECTOR_EXTENSION)
typedef float half_f32 __attribute__((vector_size(VECTOR_BYTES / 2)));
#define WIDEN_WHOLE(x) half_f32 half; memcpy(&half, x, sizeof half); return __builtin_convertvector(half, vec_f64)
#else
#define WIDEN_WHOLE(x) return (double)*(x)
#endif
INLINE vec_f64 widen_f32(const float *x, int64_t i, int64_t n, double padding) {
    if (i + LANES_f64 <= n) { WIDEN_WHOLE(x + i); }
    double lane[LANES_f64];
    for (int j = 0; j < LANES_f64; j++) lane[j] = i + j < n ? (double)x[i + j] : padding;
    return load_f64(lane);
}
INLINE vec_f64 widen_f64(const double *x, int64_t i, int64_t n, double padding) {
    if (i + LANES_f64 <= n) return load_f64(x + i);
    double lane[LANES_f64];
    for (int j = 0; j < LANES_f64; j++) lane[j] = i + j < n ? x[i + j] : padding;
    return load_f64(lane);
}

/* out[i] = sum of the lanes of v[i], for eight vectors at once. */
#if defined(HAVE_AVX512) || defined(HAVE_AVX2)
INLINE __m256 half_sum_f32(vec_f32 v) {
#if defined(HAVE_AVX512)
    return _mm256_add_ps(_mm512_castps512_ps256((__m512)v),
                         _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd((__m512)v), 1)));
#else
    return (__m256)v;
#endif
}
INLINE __m256d half_sum_f64(vec_f64 v) {
#if defined(HAVE_AVX512)
    return _mm256_add_pd(_mm512_castpd512_pd256((__m512d)v), _mm512_extractf64x4_pd((__m512d)v, 1));
#else
    return (__m256d)v;
#endif
}
/* Lane by lane of 128 bits, (x0 x1 x2 x3), (y0 y1 y2 y3) -> (x0+x2 y0+y2 x1+x3 y1+y3), and so on down to one vector. */
INLINE __m256 add_pair_ps(__m256 x, __m256 y) { return _mm256_add_ps(_mm256_unpacklo_ps(x, y), _mm256_unpackhi_ps(x, y)); }
INLINE __m256 add_pair_pd(__m256 x, __m256 y) {
    __m256d a = _mm256_castps_pd(x), b = _mm256_castps_pd(y);
    return _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
}
INLINE void sum_eight_f32(const vec_f32 *v, float *out) {
    __m256 a = add_pair_pd(add_pair_ps(half_sum_f32(v[0]), half_sum_f32(v[1])),
                           add_pair_ps(half_sum_f32(v[2]), half_sum_f32(v[3])));
    __m256 b = add_pair_pd(add_pair_ps(half_sum_f32(v[4]), half_sum_f32(v[5])),
                           add_pair_ps(half_sum_f32(v[6]), half_sum_f32(v[7])));
    _mm256_storeu_ps(out, _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31)));
}
INLINE void sum_eight_f64(const vec_f64 *v, double *out) {
    for (int i = 0; i < 8; i += 4) {
        __m256d a = _mm256_hadd_pd(half_sum_f64(v[i]), half_sum_f64(v[i + 1]));
        __m256d b = _mm256_hadd_pd(half_sum_f64(v[i + 2]), half_sum_f64(v[i + 3]));
        _mm256_storeu_pd(out + i, _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31)));
    }
}
#elif defined(HAVE_NEON)
INLINE void sum_eight_f32(const vec_f32 *v, float *out) {
    for (int i = 0; i < 8; i += 4) {
        float32x4_t a = vpaddq_f32((float32x4_t)v[i], (float32x4_t)v[i + 1]);
        float32x4_t b = vpaddq_f32((float32x4_t)v[i + 2], (float32x4_t)v[i + 3]);
        vst1q_f32(out + i, vpaddq_f32(a, b));
    }
}
INLINE void sum_eight_f64(const vec_f64 *v, double *out) {
    for (int i = 0; i < 8; i += 2) vst1q_f64(out + i, vpaddq_f64((float64x2_t)v[i], (float64x2_t)v[i + 1]));
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
