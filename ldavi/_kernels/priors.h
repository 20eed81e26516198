/* Sums of digammas that updates of the priors need: equations (19.8) and (19.9) of docs/math.md. Included once per precision. */

/* rises_k = sum_i weight_i (psi(x_ik + shift) - psi(lowest_k)), lowest_k the smallest entry plus shift. Most entries are the
 * smallest but for rounding: the mass of a topic that a word or a document has no part of. They add nothing, and their digamma
 * is not computed. */
static void NAME(sum_digammas)(const ldavi_digamma_sums_args *a) {
    const REAL *limit = (const REAL *)a->limit;
    const vec_f64 shift = SPLAT_f64(a->shift);
    memset(a->rises, 0, sizeof(double) * (size_t)UP_TO(a->K, LDAVI_PAD));
    if (a->totals) memset(a->totals, 0, sizeof(double) * (size_t)UP_TO(a->K, LDAVI_PAD));
    for (int64_t i = 0; i < a->n_rows; i++) {
        const REAL *row = (const REAL *)a->rows + i * a->row_stride;
        const vec_f64 weight = SPLAT_f64(a->weight ? a->weight[i] : 1.0);
        for (int64_t k = 0; a->totals && k < a->K; k += LANES_f64)
            store_f64(a->totals + k, load_f64(a->totals + k) + NAME(widen)(row, k, a->K, 0));
        for (int64_t first = 0; first < a->K; first += NAME(LANES)) {
            const int64_t end = first + NAME(LANES) < a->K ? first + NAME(LANES) : a->K;
            if (end - first == NAME(LANES) && !NAME(greater)(NAME(load)(row + first), NAME(load)(limit + first))) continue;
            for (int64_t k = first; k < end; k += LANES_f64) {
                vec_f64 x = NAME(widen)(row, k, a->K, 0), log_gamma, digamma;
                if (!greater_f64(x, NAME(widen)(limit, k, a->K, 0))) continue;
                log_gamma_digamma_f64(x + shift, &log_gamma, &digamma);
                store_f64(a->rises + k, load_f64(a->rises + k) + weight * (digamma - load_f64(a->digamma_of_lowest + k)));
            }
        }
    }
}
