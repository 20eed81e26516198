/* The E-step of one document, and its part of the bound: equations (14) and (16) of docs/math.md.
 *
 * Included once per precision, with REAL and SUFFIX defined. A document's words are taken in groups of eight:
 * eight dot products with e share each load of e, eight sums are reduced together, eight ratios are divided
 * together, and eight rows are added to acc per load and store of acc. The group after is dotted before the
 * group at hand is added, so that the latency of reducing and dividing hides behind arithmetic. */

#define GROUP 8

/* What is looked up once per visit: each word's row of B, its count; and the counts' sum. Past the document's end, up
 * to a whole group, stands the last row again, with a count of 0. */
typedef struct {
    const REAL **rows;
    REAL *counts, *ratio;
    int64_t n, groups;
    double tokens;
} NAME(words);

INLINE void NAME(look_up)(NAME(words) *words, const ldavi_documents *a, int64_t first) {
    const REAL *B = (const REAL *)a->B, *count = (const REAL *)a->counts + first;
    const int32_t *index = a->indices + first;
    int64_t n = words->n, i = 0;
    words->groups = (n + GROUP - 1) / GROUP;
    words->tokens = 0;
    for (; i < n; i++) {
        assert(index[i] >= 0 && index[i] < a->n_rows);
        words->rows[i] = B + (int64_t)index[i] * a->Kp;
        words->counts[i] = count[i];
        words->tokens += (double)count[i];
    }
    for (; i < words->groups * GROUP; i++) {
        words->rows[i] = words->rows[n - 1];
        words->counts[i] = 0;
    }
}

/* norm[j] = sum_k e_k rows[j]_k, the normaliser Z of each word of the group. */
INLINE void NAME(dot_group)(const REAL *const *rows, const REAL *e, REAL *norm, int64_t Kp) {
    NAME(vec) sum[GROUP];
    for (int j = 0; j < GROUP; j++) sum[j] = NAME(SPLAT)(0);
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) {
        NAME(vec) ek = NAME(load)(e + k);
        for (int j = 0; j < GROUP; j++) sum[j] += ek * NAME(load)(rows[j] + k);
    }
    NAME(sum_eight)(sum, norm);
}

/* acc += sum_j ratio[j] rows[j]. */
INLINE void NAME(add_group)(const REAL *const *rows, const REAL *ratio, REAL *acc, int64_t Kp) {
    NAME(vec) r[GROUP];
    for (int j = 0; j < GROUP; j++) r[j] = NAME(SPLAT)(ratio[j]);
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) {
        NAME(vec) sum = NAME(load)(acc + k);
        for (int j = 0; j < GROUP; j++) sum += r[j] * NAME(load)(rows[j] + k);
        NAME(store)(acc + k, sum);
    }
}

/* r = n / Z for a group. Returns 0 if a word's weights have all but vanished, so that Z cannot be trusted. */
INLINE int NAME(divide_group)(const REAL *counts, const REAL *norm, REAL *ratio) {
    REAL least = norm[0];
    for (int j = 0; j < GROUP; j++) {
        least = norm[j] < least ? norm[j] : least;
        ratio[j] = counts[j] / norm[j];
    }
    return least > SMALLEST;
}

/* acc = sum_w r_w B_w over the document: one sweep. Returns 0 on underflow, see divide_group. */
static int NAME(sweep_any)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t Kp) {
    const REAL *const *rows = words->rows;
    REAL *ratio = words->ratio, norm[GROUP];
    int sound = 1;
    memset(acc, 0, sizeof(REAL) * (size_t)Kp);
    for (int64_t g = 0; g < words->groups; g++, rows += GROUP, ratio += GROUP) {
        NAME(dot_group)(rows, e, norm, Kp);
        sound &= NAME(divide_group)(words->counts + g * GROUP, norm, ratio);
        if (g) NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    }
    NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    return sound;
}

/* The same where all of e and acc fits in registers, `vectors` of each: B is then all that is read. */
INLINE int NAME(sweep_tile)(const NAME(words) *words, const REAL *e, REAL *acc, const int vectors) {
    const REAL *const *rows = words->rows;
    REAL *ratio = words->ratio, norm[GROUP];
    NAME(vec) held[MOST_VECTORS], total[MOST_VECTORS], sum[GROUP];
    int sound = 1;
    UNROLL for (int v = 0; v < vectors; v++) {
        held[v] = NAME(load)(e + v * NAME(LANES));
        total[v] = NAME(SPLAT)(0);
    }
    for (int64_t g = 0; g < words->groups; g++, rows += GROUP, ratio += GROUP) {
        UNROLL for (int j = 0; j < GROUP; j++) {
            sum[j] = held[0] * NAME(load)(rows[j]);
            UNROLL for (int v = 1; v < vectors; v++) sum[j] += held[v] * NAME(load)(rows[j] + v * NAME(LANES));
        }
        NAME(sum_eight)(sum, norm);
        sound &= NAME(divide_group)(words->counts + g * GROUP, norm, ratio);
        UNROLL for (int j = 0; j < GROUP; j++) {
            NAME(vec) r = NAME(SPLAT)(ratio[j]);
            UNROLL for (int v = 0; v < vectors; v++) total[v] += r * NAME(load)(rows[j] + v * NAME(LANES));
        }
    }
    UNROLL for (int v = 0; v < vectors; v++) NAME(store)(acc + v * NAME(LANES), total[v]);
    return sound;
}

static int NAME(sweep)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t Kp) {
    switch (Kp / NAME(LANES)) {
    case 1: return NAME(sweep_tile)(words, e, acc, 1);
    case 2: return NAME(sweep_tile)(words, e, acc, 2);
#if MOST_VECTORS >= 8
    case 3: return NAME(sweep_tile)(words, e, acc, 3);
    case 4: return NAME(sweep_tile)(words, e, acc, 4);
    case 5: return NAME(sweep_tile)(words, e, acc, 5);
    case 6: return NAME(sweep_tile)(words, e, acc, 6);
    case 7: return NAME(sweep_tile)(words, e, acc, 7);
    case 8: return NAME(sweep_tile)(words, e, acc, 8);
#endif
    default: return NAME(sweep_any)(words, e, acc, Kp);
    }
}

/* t_k = exp(psi(gamma_k)) e^shift and e_k = t_k v_k. The shift, R at the largest gamma, keeps the largest t near
 * gamma itself however small every gamma is; it cancels in phi and is returned for the bound. */
static REAL NAME(topic_factors)(const REAL *gamma, const REAL *v, REAL *t, REAL *e, int64_t Kp) {
    NAME(vec) top = NAME(load)(gamma), P, shift;
    for (int64_t k = NAME(LANES); k < Kp; k += NAME(LANES)) top = NAME(max)(top, NAME(load)(gamma + k));
    NAME(exp_digamma_parts)(NAME(SPLAT)(NAME(max_lanes)(top)), &P, &shift);
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) {
        NAME(vec) R;
        NAME(exp_digamma_parts)(NAME(load)(gamma + k), &P, &R);
        NAME(vec) tk = P * NAME(exp)(shift - R);
        NAME(store)(t + k, tk);
        NAME(store)(e + k, tk * NAME(load)(v + k));
    }
    return NAME(max_lanes)(shift);
}

/* gamma = alpha + e acc; returns sum_k |change|. */
static double NAME(update_gamma)(const REAL *alpha, const REAL *e, const REAL *acc, REAL *gamma, int64_t Kp) {
    NAME(vec) change = NAME(SPLAT)(0);
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) {
        NAME(vec) updated = NAME(load)(alpha + k) + NAME(load)(e + k) * NAME(load)(acc + k);
        change += NAME(abs)(updated - NAME(load)(gamma + k));
        NAME(store)(gamma + k, updated);
    }
    return (double)NAME(sum_lanes)(change);
}

/* (16) without its constants: bound[0] = sum n (log Z + m) - sum s log t + sum lnGamma(gamma),
 * and of (8): bound[1] = sum lnGamma(gamma) - sum s psi(gamma). `acc` becomes s. */
static void NAME(document_bound)(const ldavi_documents *a, int64_t first, const NAME(words) *words, const REAL *t,
                                 REAL shift, const REAL *gamma, const REAL *e, REAL *acc, double *bound) {
    int64_t K = a->K, n = words->n;
    double scale = 0;
    vec_f64 log_norm = SPLAT_f64(0), entropy = SPLAT_f64(0), log_gamma = SPLAT_f64(0), s_digamma = SPLAT_f64(0);
    for (int64_t i = 0; i < n; i++) scale += (double)words->counts[i] * a->log_scale[a->indices[first + i]];
    for (int64_t i = 0; i < n; i += LANES_f64) { /* Z = n / r */
        vec_f64 count = NAME(widen)(words->counts, i, n, 0);
        vec_f64 norm = NAME(widen)(words->counts, i, n, 1) / NAME(widen)(words->ratio, i, n, 1);
        log_norm += count * log_f64(norm);
    }
    for (int64_t k = 0; k < K; k += LANES_f64) {
        vec_f64 s = NAME(widen)(e, k, K, 0) * NAME(widen)(acc, k, K, 0), tk = NAME(widen)(t, k, K, 1), lg, psi;
        entropy += s * log_f64(where_less_f64(SPLAT_f64(0), s, tk, SPLAT_f64(1)));
        log_gamma_digamma_f64(NAME(widen)(gamma, k, K, 1), &lg, &psi); /* lnGamma(1) = 0: padding adds nothing */
        log_gamma += lg;
        s_digamma += s * psi;
    }
    double sum_log_gamma = sum_lanes_f64(log_gamma);
    bound[0] = sum_lanes_f64(log_norm) + scale - (sum_lanes_f64(entropy) - (double)shift * words->tokens) + sum_log_gamma;
    bound[1] = sum_log_gamma - sum_lanes_f64(s_digamma);
}

static void NAME(update_documents)(const ldavi_documents *a) {
    const REAL *v = (const REAL *)a->topic_weight, *alpha = (const REAL *)a->alpha;
    const REAL *doc_weight = (const REAL *)a->doc_weight;
    int64_t K = a->K, Kp = a->Kp, padded_words = a->max_words + GROUP;
    REAL *gamma = (REAL *)a->scratch, *t = gamma + Kp, *e = t + Kp, *acc = e + Kp;
    NAME(words) words;
    words.counts = acc + Kp;
    words.ratio = words.counts + padded_words;
    words.rows = (const REAL **)(void *)(words.ratio + padded_words + padded_words % 2);
    for (int64_t d = a->start; d < a->stop; d++) {
        int64_t first = a->indptr[d], done = 0;
        REAL *gamma_row = (REAL *)a->gamma + d * K, shift = 0;
        int sound = 1;
        words.n = a->indptr[d + 1] - first;
        assert(words.n >= 0 && words.n <= a->max_words);
        NAME(look_up)(&words, a, first);
        memcpy(gamma, alpha, sizeof(REAL) * (size_t)Kp);
        if (words.n) memcpy(gamma, gamma_row, sizeof(REAL) * (size_t)K);
        else memset(t, 0, 3 * sizeof(REAL) * (size_t)Kp); /* t, e and acc of an empty document */
        while (words.n && done < a->max_sweeps) {
            shift = NAME(topic_factors)(gamma, v, t, e, Kp);
            sound = NAME(sweep)(&words, e, acc, Kp);
            if (!sound) break;
            done++;
            if (NAME(update_gamma)(alpha, e, acc, gamma, Kp) <= a->tol * words.tokens) break;
        }
        a->n_sweeps[d] = sound ? (int32_t)done : -1;
        if (a->doc_factor) {
            REAL *factor = (REAL *)a->doc_factor + (d - a->first_doc) * Kp, *out = (REAL *)a->ratio;
            REAL weight = sound ? (doc_weight ? doc_weight[d] : (REAL)1) : (REAL)0;
            const int32_t *position = a->position + (first - a->indptr[a->first_doc]);
            for (int64_t k = 0; k < Kp; k++) factor[k] = weight * e[k];
            for (int64_t i = 0; i < words.n; i++) out[position[i]] = sound ? words.ratio[i] : (REAL)0;
        }
        if (!sound) continue;
        memcpy(gamma_row, gamma, sizeof(REAL) * (size_t)K);
        if (a->bound) NAME(document_bound)(a, first, &words, t, shift, gamma, e, acc, a->bound + 2 * d);
    }
}
