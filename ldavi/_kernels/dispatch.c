/* The instruction sets that this machine can run. setup.py defines LDAVI_HAVE_AVX2 and LDAVI_HAVE_AVX512 if it links their
 * tables in. */
#include "kernels.h"

#include <stddef.h>
#include <string.h>

#if defined(LDAVI_HAVE_AVX2) && defined(_MSC_VER) && !defined(__clang__)
#include <immintrin.h>
#include <intrin.h>

static int os_saves(unsigned long long registers) { return (_xgetbv(0) & registers) == registers; }

static int cpu_runs(int avx512) {
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 1);
    __cpuidex(leaf7, 7, 0);
    int osxsave = (leaf1[2] >> 27) & 1, fma = (leaf1[2] >> 12) & 1, avx2 = (leaf7[1] >> 5) & 1;
    if (!osxsave || !fma || !avx2 || !os_saves(0x6)) return 0;
    if (!avx512) return 1;
    int f = (leaf7[1] >> 16) & 1, dq = (leaf7[1] >> 17) & 1, bw = (leaf7[1] >> 30) & 1, vl = (leaf7[1] >> 31) & 1;
    return f && dq && bw && vl && os_saves(0xe6);
}
#elif defined(LDAVI_HAVE_AVX2)
static int cpu_runs(int avx512) {
    __builtin_cpu_init(); /* includes the operating system's support (XGETBV) */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    return !avx512 || (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
}
#endif

int ldavi_cpu_has(const char *name) {
    if (strcmp(name, "baseline") == 0) return 1;
#if defined(LDAVI_HAVE_AVX2)
    if (strcmp(name, "avx2") == 0) return cpu_runs(0);
    if (strcmp(name, "avx512") == 0) return cpu_runs(1);
#endif
    return 0;
}

#if !defined(LDAVI_HAVE_AVX2)
const ldavi_table *ldavi_table_avx2(void) { return NULL; }
#endif
#if !defined(LDAVI_HAVE_AVX512)
const ldavi_table *ldavi_table_avx512(void) { return NULL; }
#endif
