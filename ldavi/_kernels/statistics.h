/* Sufficient statistics by words, equation (11.2) of docs/math.md: S_w += B_w * sum_d r_dw e_d.
 *
 * Included once per precision. Each word's row has one writer and one order of summation, that of the documents, so the
 * bits do not depend on how the words are distributed over threads. */

/* The columns [k, k + vectors * LANES) of one word's row. */
INLINE void NAME(accumulate_columns)(const ldavi_statistics_args *a, int64_t from, int64_t to, int64_t row, int64_t k,
                                   int vectors) {
    const REAL *ratio = (const REAL *)a->ratio, *factor = (const REAL *)a->doc_factor;
    const REAL *B = (const REAL *)a->B + row * a->Kp + k;
    REAL *S = (REAL *)a->sstats + row * a->Kp + k;
    NAME(vec) sum[MAX_ACCUMULATORS];
    assert(vectors >= 1 && vectors <= MAX_ACCUMULATORS);
    for (int j = 0; j < vectors; j++) sum[j] = NAME(SPLAT)(0);
    for (int64_t i = from; i < to; i++) {
        const REAL *e = factor + (int64_t)a->doc[i] * a->Kp + k;
        NAME(vec) r = NAME(SPLAT)(ratio[i]);
        for (int j = 0; j < vectors; j++) sum[j] += r * NAME(load)(e + j * NAME(LANES));
    }
    for (int j = 0; j < vectors; j++) {
        REAL *out = S + j * NAME(LANES);
        NAME(store)(out, NAME(load)(out) + NAME(load)(B + j * NAME(LANES)) * sum[j]);
    }
}

static void NAME(accumulate_words)(const ldavi_statistics_args *a) {
    for (int64_t w = a->start; w < a->stop; w++) {
        int64_t from = a->word_ptr[w], to = a->word_ptr[w + 1], row = a->word_row[w], k = 0;
        for (; k + 8 * NAME(LANES) <= a->Kp; k += 8 * NAME(LANES)) NAME(accumulate_columns)(a, from, to, row, k, 8);
        for (; k + 4 * NAME(LANES) <= a->Kp; k += 4 * NAME(LANES)) NAME(accumulate_columns)(a, from, to, row, k, 4);
        for (; k < a->Kp; k += NAME(LANES)) NAME(accumulate_columns)(a, from, to, row, k, 1);
    }
}
