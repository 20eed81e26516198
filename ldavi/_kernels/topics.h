/* The M-step by words: lambda = eta + S, the new B, and the sums of the ELBO while the row is in cache.
 * Equations (9.9), (11.1), (12.2) of docs/math.md. Included once per precision. */

/* The smallest and the largest entry of a row. */
INLINE void NAME(row_limits)(const REAL *row, int64_t K, REAL *lowest, REAL *highest) {
    REAL low = row[0], high = row[0];
    int64_t k = 0;
    if (K >= NAME(LANES)) {
        NAME(vec) lows = NAME(load)(row), highs = lows;
        for (k = NAME(LANES); k + NAME(LANES) <= K; k += NAME(LANES)) {
            lows = NAME(min)(lows, NAME(load)(row + k));
            highs = NAME(max)(highs, NAME(load)(row + k));
        }
        low = -NAME(max_lanes)(-lows);
        high = NAME(max_lanes)(highs);
    }
    for (; k < K; k++) {
        low = row[k] < low ? row[k] : low;
        high = row[k] > high ? row[k] : high;
    }
    *lowest = low;
    *highest = high;
}

/* B_k = exp(psi(lambda_k + digamma_offset) - m), m the largest exponent, which is returned. Most topics have no part of a
 * word, and the smallest lambda of its row; their B is computed once. */
static double NAME(topic_row)(const REAL *lam, REAL digamma_offset, REAL *B, int64_t K, int64_t Kp) {
    REAL lowest, top;
    NAME(row_limits)(lam, K, &lowest, &top);
    vec_f64 P64, R64;
    NAME(vec) P_top, R_top, delta = NAME(SPLAT)(digamma_offset);
    top += digamma_offset;
    exp_digamma_parts_f64(SPLAT_f64(top), &P64, &R64);
    NAME(exp_digamma_parts)(NAME(SPLAT)(top), &P_top, &R_top);
    NAME(vec) unit = NAME(SPLAT)(1) / P_top, low = NAME(SPLAT)(lowest), P_low, R_low;
    NAME(exp_digamma_parts)(low + delta, &P_low, &R_low);
    NAME(vec) B_low = (P_low * unit) * NAME(exp)(R_top - R_low);
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) {
        REAL x[NAME(LANES)], y[NAME(LANES)];
        NAME(vec) P, R;
        if (k + NAME(LANES) <= K) {
            if (!NAME(greater)(NAME(load)(lam + k), low)) {
                NAME(store)(B + k, B_low);
                continue;
            }
            NAME(exp_digamma_parts)(NAME(load)(lam + k) + delta, &P, &R);
            NAME(store)(B + k, (P * unit) * NAME(exp)(R_top - R));
            continue;
        }
        for (int j = 0; j < NAME(LANES); j++) x[j] = k + j < K ? lam[k + j] : (REAL)1;
        NAME(exp_digamma_parts)(NAME(load)(x) + delta, &P, &R);
        NAME(store)(y, (P * unit) * NAME(exp)(R_top - R));
        for (int j = 0; j < NAME(LANES); j++) B[k + j] = k + j < K ? y[j] : (REAL)0;
    }
    return max_lanes_f64(log_f64(P64)) - max_lanes_f64(R64);
}

/* sum_k S_k (log B_k + m), S = x - eta; a topic whose B has underflowed carries no mass. eta may be NULL for 0. Topics without
 * mass add nothing. */
static double NAME(row_bound)(const REAL *x, const REAL *eta, int64_t eta_col, const REAL *B, double m, int64_t K) {
    vec_f64 total = SPLAT_f64(0), prior = SPLAT_f64(eta && !eta_col ? *eta : 0);
    for (int64_t k = 0; k < K; k += LANES_f64) {
        vec_f64 zero = SPLAT_f64(0), b = NAME(widen)(B, k, K, 0);
        if (eta && eta_col) prior = NAME(widen)(eta, k, K, 0);
        vec_f64 mass = where_less_f64(zero, b, NAME(widen)(x, k, K, 0) - prior, zero);
        if (!greater_f64(abs_f64(mass), zero)) continue;
        total += mass * (log_f64(where_less_f64(zero, b, b, SPLAT_f64(1))) + SPLAT_f64(m));
    }
    return sum_lanes_f64(total);
}

/* sum_k lnGamma(lambda_k); that of the smallest is computed once. */
static double NAME(row_log_gamma)(const REAL *lam, int64_t K) {
    REAL lowest, top;
    NAME(row_limits)(lam, K, &lowest, &top);
    vec_f64 total = SPLAT_f64(0), low = SPLAT_f64(lowest), of_low, lg, psi;
    log_gamma_digamma_f64(low, &of_low, &psi);
    for (int64_t k = 0; k < K; k += LANES_f64) {
        vec_f64 x = NAME(widen)(lam, k, K, 1);
        if (k + LANES_f64 <= K && !greater_f64(x, low)) {
            total += of_low;
            continue;
        }
        log_gamma_digamma_f64(x, &lg, &psi);
        total += lg;
    }
    return sum_lanes_f64(total);
}

static void NAME(update_topics)(const ldavi_topics_args *a) {
    double *terms = a->terms;
    memset(a->totals, 0, sizeof(double) * (size_t)a->Kp);
    if (terms) terms[0] = terms[1] = terms[2] = 0;
    for (int64_t w = a->start; w < a->stop; w++) {
        REAL *row = (REAL *)a->sstats + w * a->Kp, *B = (REAL *)a->B + w * a->Kp;
        const REAL *eta = (const REAL *)a->eta + w * a->eta_row; /* eta_col is 0 or 1 */
        if (terms) terms[0] += NAME(row_bound)(row, NULL, 0, B, a->log_scale[w], a->K);
        if (a->eta_col)
            for (int64_t k = 0; k < a->K; k++) row[k] += eta[k];
        else
            for (int64_t k = 0; k < a->K; k++) row[k] += *eta;
        for (int64_t k = 0; k < a->K; k++) a->totals[k] += (double)row[k];
        if (terms) {
            a->log_scale[w] = NAME(topic_row)(row, 0, B, a->K, a->Kp);
            terms[1] += NAME(row_bound)(row, eta, a->eta_col, B, a->log_scale[w], a->K);
            terms[2] += NAME(row_log_gamma)(row, a->K);
        }
        if (!terms || a->digamma_offset > 0) a->log_scale[w] = NAME(topic_row)(row, (REAL)a->digamma_offset, B, a->K, a->Kp);
    }
}

static void NAME(exp_digamma)(const void *x, void *out, int64_t n) {
    const REAL *from = (const REAL *)x;
    REAL *to = (REAL *)out;
    for (int64_t i = 0; i < n; i += NAME(LANES)) {
        REAL lane[NAME(LANES)];
        NAME(vec) P, R;
        for (int j = 0; j < NAME(LANES); j++) lane[j] = i + j < n ? from[i + j] : (REAL)1;
        NAME(exp_digamma_parts)(NAME(load)(lane), &P, &R);
        NAME(store)(lane, P * NAME(exp)(-R));
        for (int j = 0; j < NAME(LANES) && i + j < n; j++) to[i + j] = lane[j];
    }
}
