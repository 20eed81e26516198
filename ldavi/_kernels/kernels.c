/* One instruction set's table. Compiled once per instruction set, with LDAVI_TABLE set to the name of the table
 * and the flags that setup.py gives it; every function is static, so no copy can be taken for another's. */
#include "kernels.h"
#include "special.h"

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name, SUFFIX)

#define REAL float
#define SUFFIX f32
#define SMALLEST 1e-30f /* below it, products that underflowed could have mattered to Z */
#include "documents.h"
#include "statistics.h"
#include "topics.h"
#include "collapsed.h"
#undef REAL
#undef SUFFIX
#undef SMALLEST
#undef GROUP
#undef HALF
#undef DROPPED
#undef UP_TO
#undef ACTIVE_FROM
#undef ACTIVE_SWEEPS

#define REAL double
#define SUFFIX f64
#define SMALLEST 1e-290
#include "documents.h"
#include "statistics.h"
#include "topics.h"
#include "collapsed.h"

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
    TEXT(LDAVI_TABLE),
    {update_documents_f32, update_documents_f64},
    {accumulate_words_f32, accumulate_words_f64},
    {update_topics_f32, update_topics_f64},
    {visit_collapsed_f32, visit_collapsed_f64},
    {reassign_words_f32, reassign_words_f64},
    {exp_digamma_f32, exp_digamma_f64},
    log_gamma_digamma,
};

const ldavi_table *JOIN(ldavi_table, LDAVI_TABLE)(void) { return &table; }
