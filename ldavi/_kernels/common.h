/* Constants and helpers that do not depend on the precision.
 *
 * Convention for macros: documents.h, statistics.h, topics.h, priors.h, collapsed.h and collapsed_sparse.h are included once
 * per precision and define no macros but local ones; what they share is defined here, once. Only kernels.c defines and
 * undefines the macros that change with the precision: REAL (the type), SUFFIX (of names), MASS (the type of masses),
 * MIN_NORMALIZER, ROUNDING and NEGLIGIBLE_WEIGHT. NAME(x) appends the suffix. */
#ifndef LDAVI_COMMON_H
#define LDAVI_COMMON_H

#include "kernels.h"
#include "special.h"

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name, SUFFIX)

#define UP_TO(n, unit) (((n) + (unit) - 1) / (unit) * (unit))

/* The E-step of a document: documents.h. */
#define GROUP 8                 /* words whose normalisers are computed together */
#define HALF_GROUP 4
#define MAX_ACCUMULATORS 8      /* vectors of sums held in registers, of iterate_transposed and accumulate_words */
#define MAX_ACTIVE_ENTRIES (1 << 16) /* entries of B copied for a document's active topics: a second-level cache */
#define INACTIVE_TOKENS 0.03    /* largest part of a document's tokens that its inactive topics may carry together */
#define PRUNE_MIN_TOPICS 20     /* topics from which it can pay to leave some out: equations (17.1), (17.2) */
#define PRUNE_MIN_ITERATIONS 4  /* inner iterations that must remain for it to pay */
#define MAX_RATE 0.95           /* largest convergence rate assumed by extrapolation: steps up to twenty times a change */
#define MIN_REMAINDER 0.5       /* smallest part of its mass that extrapolation leaves each topic */

/* Collapsed inference: collapsed.h. */
#define SLOTS LDAVI_SLOTS
#define MAX_DETERMINISTIC (SLOTS - 1) /* topics of a count whose responsibilities are not sampled */
#define MAX_CANDIDATES LDAVI_MAX_CANDIDATES
#define PREFETCH_COUNTS 6       /* counts of a document by which assignments are prefetched ahead */
#define PREFETCH_ROWS 3         /* counts by which rows of N are prefetched ahead */
#define PREFETCH_WORDS 6        /* counts by which what is known of a word is prefetched ahead */
#define MAX_PREFETCHED 256      /* entries of a row that are prefetched */
#define CHUNK 16                /* entries of a sparse row that are summed before they are searched */
#define MAX_ATTEMPTS 64         /* draws of a topic that is not among the document's, before all are looked at */
#define NEGLIGIBLE 1e-6         /* part of the weights below which a remainder is nothing but rounding errors */
#define TILE_VECTORS 4
#define TILE (TILE_VECTORS * NAME(LANES)) /* topics that are searched together */
#define ROUNDING_BITS 13        /* random bits that round one share */
#define SAMPLING_BITS 24        /* random bits that draw one topic */

_Static_assert(LDAVI_PAD % LANES_f32 == 0 && LDAVI_PAD % LANES_f64 == 0, "rows consist of whole vectors");
_Static_assert(LDAVI_PAD % GROUP == 0, "a padded row takes the sums of whole groups");
_Static_assert(LDAVI_ALIGN % (LDAVI_PAD * 4) == 0, "padded rows of floats and int32_t stay aligned");
_Static_assert(GROUP == 8 && HALF_GROUP < GROUP, "sum_eight reduces a group");
_Static_assert(MAX_REGISTER_VECTORS <= MAX_ACCUMULATORS, "iterate_in_registers unrolls at most eight vectors");
_Static_assert(LDAVI_SHARES <= UINT8_MAX, "a share is a uint8_t");
_Static_assert(SLOTS >= 2, "one slot for a deterministic topic and one for the sampled topic");
_Static_assert(MAX_DETERMINISTIC * ROUNDING_BITS + SAMPLING_BITS <= 64, "a count has 64 random bits");
_Static_assert(TILE_VECTORS * LANES_f32 <= 64, "a bit for each topic of a tile");

/* The finaliser of SplitMix64 (Steele, Lea and Flood 2014): independent bits for every count of every pass. */
INLINE uint64_t random_bits(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* Reserve `bytes` of scratch memory at the aligned offset *used. `base` is NULL where only the size is wanted. */
INLINE void *reserve(char *base, int64_t *used, int64_t bytes) {
    int64_t at = *used;
    *used = UP_TO(at + bytes, LDAVI_ALIGN);
    return base ? base + at : NULL;
}

#endif
