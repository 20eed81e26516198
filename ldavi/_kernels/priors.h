/* Sums of digammas that updates of the priors need: equations (19.8) and (19.9) of docs/math.md. Included once per precision. */

/* rises_k = sum_i weight_i (psi(x_ik + shift) - psi(lowest_k)). Most entries are lowest_k but for rounding: the mass of a topic
 * that a word or a document has no part of. They add nothing, and their digamma is not computed. */
static void NAME(sum_digammas)(const ldavi_digamma_sums_args *a) {
    const vec_f64 shift = SPLAT_f64(a->shift), above = SPLAT_f64(1 + ROUNDING);
    memset(a->rises, 0, sizeof(double) * (size_t)UP_TO(a->K, LDAVI_PAD));
    for (int64_t i = 0; i < a->n_rows; i++) {
        const REAL *row = (const REAL *)a->rows + i * a->row_stride;
        const vec_f64 weight = SPLAT_f64(a->weight ? a->weight[i] : 1.0);
        for (int64_t k = 0; k < a->K; k += LANES_f64) {
            vec_f64 x = NAME(widen)(row, k, a->K, 0) + shift, log_gamma, digamma;
            if (!greater_f64(x, load_f64(a->lowest + k) * above)) continue;
            log_gamma_digamma_f64(x, &log_gamma, &digamma);
            store_f64(a->rises + k, load_f64(a->rises + k) + weight * (digamma - load_f64(a->digamma_of_lowest + k)));
        }
    }
}
