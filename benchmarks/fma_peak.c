/* Peak rate of multiply-adds: independent chains of them on registers and nothing else. peak.py compiles this file once per
 * instruction set with the flags of ldavi's kernels, and defines VECTOR_BYTES and CHAINS. Where there is no fused
 * multiply-add, a lane is one multiplication and one addition. */
#include <stdint.h>

#define PEAK(NAME, REAL)                                                                                                \
    double NAME(int64_t rounds, double factor, double addend) {                                                         \
        typedef REAL vec __attribute__((vector_size(VECTOR_BYTES)));                                                    \
        enum { LANES = VECTOR_BYTES / sizeof(REAL) };                                                                   \
        vec x, y, chain[CHAINS];                                                                                        \
        for (int l = 0; l < LANES; l++) x[l] = (REAL)factor, y[l] = (REAL)addend;                                       \
        _Pragma("GCC unroll 32") for (int i = 0; i < CHAINS; i++) chain[i] = x * (REAL)i;                               \
        for (int64_t r = 0; r < rounds; r++) {                                                                          \
            _Pragma("GCC unroll 32") for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * x + y;                      \
        }                                                                                                               \
        vec sum = chain[0];                                                                                             \
        _Pragma("GCC unroll 32") for (int i = 1; i < CHAINS; i++) sum += chain[i];                                      \
        double total = 0;                                                                                               \
        for (int l = 0; l < LANES; l++) total += (double)sum[l];                                                        \
        return total;                                                                                                   \
    }

PEAK(peak_float32, float)
PEAK(peak_float64, double)
