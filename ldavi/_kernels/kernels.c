/* The kernels of one instruction set. Compiled once per instruction set, with LDAVI_TABLE set to the name of the table and
 * with the flags that setup.py gives it. Every function is static, so that the copies cannot be confused by the linker. */
#include "common.h"

#define REAL float
#define SUFFIX f32
#define MASS int32_t
#define MIN_NORMALIZER 1e-30f /* smallest Z that products which underflowed cannot have changed */
#define ROUNDING 5.9604645e-8f /* largest relative change that rounding can make: 2^-24 */
#define NEGLIGIBLE_WEIGHT 1e-13f /* of a topic in a document, beside the largest; which omissions are allowed is tested */
#include "documents.h"
#include "statistics.h"
#include "topics.h"
#include "priors.h"
#include "collapsed.h"
#include "collapsed_sparse.h"
#undef REAL
#undef SUFFIX
#undef MASS
#undef MIN_NORMALIZER
#undef ROUNDING
#undef NEGLIGIBLE_WEIGHT

#define REAL double
#define SUFFIX f64
#define MASS double
#define MIN_NORMALIZER 1e-290
#define ROUNDING 1.1102230246251565e-16
#define NEGLIGIBLE_WEIGHT 1e-30
#include "documents.h"
#include "statistics.h"
#include "topics.h"
#include "priors.h"
#include "collapsed.h"
#include "collapsed_sparse.h"
#undef REAL
#undef SUFFIX
#undef MASS
#undef MIN_NORMALIZER
#undef ROUNDING
#undef NEGLIGIBLE_WEIGHT

/* The layout of doubles takes at least as much as that of floats. */
static int64_t scratch_size(int64_t max_words, int64_t Kp) {
    scratch_f64 unused;
    return lay_out_f64(&unused, NULL, max_words, Kp);
}

static void log_gamma_digamma(const double *x, double *log_gamma, double *digamma, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES_f64) {
        double lane[LANES_f64], lg[LANES_f64], psi[LANES_f64];
        vec_f64 a, b;
        for (int j = 0; j < LANES_f64; j++) lane[j] = i + j < n ? x[i + j] : 1.0;
        log_gamma_digamma_f64(load_f64(lane), &a, &b);
        store_f64(lg, a);
        store_f64(psi, b);
        for (int j = 0; j < LANES_f64 && i + j < n; j++) {
            log_gamma[i + j] = lg[j];
            digamma[i + j] = psi[j];
        }
    }
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const ldavi_table table = {
    .name = TEXT(LDAVI_TABLE),
    .scratch_size = scratch_size,
    .update_documents = {update_documents_f32, update_documents_f64},
    .accumulate_words = {accumulate_words_f32, accumulate_words_f64},
    .update_topics = {update_topics_f32, update_topics_f64},
    .sum_digammas = {sum_digammas_f32, sum_digammas_f64},
    .update_assignments = {update_assignments_f32, update_assignments_f64},
    .apply_assignments = {apply_assignments_f32, apply_assignments_f64},
    .sum_words = {sum_words_f32, sum_words_f64},
    .update_assignments_sparse = {update_assignments_sparse_f32, update_assignments_sparse_f64},
    .apply_assignments_sparse = {apply_assignments_sparse_f32, apply_assignments_sparse_f64},
    .exp_digamma = {exp_digamma_f32, exp_digamma_f64},
    .log_gamma_digamma = log_gamma_digamma,
};

const ldavi_table *JOIN(ldavi_table, LDAVI_TABLE)(void) { return &table; }
