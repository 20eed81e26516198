/* The E-step of one document, and its part of the bound: equations (14) and (16) of docs/math.md.
 *
 * Included once per precision, with REAL and SUFFIX defined. A document's words are taken in groups of eight:
 * eight dot products with e share each load of e, eight sums are reduced together, eight ratios are divided
 * together, and eight rows are added to acc per load and store of acc. The group after is dotted before the
 * group at hand is added, so that the latency of reducing and dividing hides behind arithmetic. */

#define GROUP 8

/* The rows of B of words i .. i+7; past the end the last row again, to be met with a count of 0. */
INLINE void NAME(point_at_rows)(const REAL **rows, REAL *counts, const ldavi_documents *a, int64_t first, int64_t i, int64_t n) {
    const REAL *B = (const REAL *)a->B;
    const REAL *count = (const REAL *)a->counts + first;
    const int32_t *index = a->indices + first;
    for (int j = 0; j < GROUP; j++) {
        int64_t at = i + j < n ? i + j : n - 1;
        assert(index[at] >= 0 && index[at] < a->n_rows);
        rows[j] = B + (int64_t)index[at] * a->Kp;
        counts[j] = i + j < n ? count[at] : (REAL)0;
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
static int NAME(sweep)(const ldavi_documents *a, int64_t first, int64_t n, const REAL *e, REAL *acc, REAL *ratio) {
    const REAL *rows[2][GROUP];
    REAL counts[GROUP], norm[GROUP];
    int sound = 1, at_hand = 0;
    memset(acc, 0, sizeof(REAL) * (size_t)a->Kp);
    for (int64_t i = 0; i < n; i += GROUP, at_hand = !at_hand) {
        NAME(point_at_rows)(rows[at_hand], counts, a, first, i, n);
        NAME(dot_group)(rows[at_hand], e, norm, a->Kp);
        sound &= NAME(divide_group)(counts, norm, ratio + i);
        if (i) NAME(add_group)(rows[!at_hand], ratio + i - GROUP, acc, a->Kp);
    }
    NAME(add_group)(rows[!at_hand], ratio + (n - 1) / GROUP * GROUP, acc, a->Kp);
    return sound;
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

/* sum over the first n entries of x_i log(y_i), in double; an x of 0 weighs nothing whatever y is. */
static double NAME(sum_times_log)(const REAL *x, const REAL *y, int64_t n) {
    vec_f64 total = SPLAT_f64(0);
    for (int64_t i = 0; i < n; i += LANES_f64) {
        double xs[LANES_f64], ys[LANES_f64];
        for (int j = 0; j < LANES_f64; j++) {
            int inside = i + j < n && x[i + j] > 0 && y[i + j] > 0;
            xs[j] = inside ? (double)x[i + j] : 0.0;
            ys[j] = inside ? (double)y[i + j] : 1.0;
        }
        total += load_f64(xs) * log_f64(load_f64(ys));
    }
    return sum_lanes_f64(total);
}

/* (16) without its constants: bound[0] = sum n (log Z + m) - sum s log t + sum lnGamma(gamma),
 * and of (8): bound[1] = sum lnGamma(gamma) - sum s psi(gamma). */
static void NAME(document_bound)(const ldavi_documents *a, int64_t first, int64_t n, const REAL *ratio, const REAL *t,
                                 REAL shift, const REAL *gamma, const REAL *e, REAL *acc, double *bound) {
    const REAL *count = (const REAL *)a->counts + first;
    double log_norm = -NAME(sum_times_log)(count, ratio, n), scale = 0, tokens = 0;
    for (int64_t i = 0; i < n; i++) {
        double c = (double)count[i];
        scale += c * a->log_scale[a->indices[first + i]];
        tokens += c;
    }
    log_norm += NAME(sum_times_log)(count, count, n); /* log Z = log n - log r */
    for (int64_t k = 0; k < a->K; k++) acc[k] *= e[k]; /* s, no longer acc */
    vec_f64 log_gamma = SPLAT_f64(0), s_digamma = SPLAT_f64(0);
    for (int64_t k = 0; k < a->K; k += LANES_f64) {
        double g[LANES_f64], s[LANES_f64], keep[LANES_f64];
        vec_f64 lg, psi;
        for (int j = 0; j < LANES_f64; j++) {
            int inside = k + j < a->K;
            s[j] = inside ? (double)acc[k + j] : 0.0;
            g[j] = inside ? (double)gamma[k + j] : 1.0;
            keep[j] = inside;
        }
        log_gamma_digamma_f64(load_f64(g), &lg, &psi);
        log_gamma += lg * load_f64(keep);
        s_digamma += load_f64(s) * psi;
    }
    double entropy = NAME(sum_times_log)(acc, t, a->K) - (double)shift * tokens;
    bound[0] = log_norm + scale - entropy + sum_lanes_f64(log_gamma);
    bound[1] = sum_lanes_f64(log_gamma) - sum_lanes_f64(s_digamma);
}

static void NAME(update_documents)(const ldavi_documents *a) {
    const REAL *v = (const REAL *)a->topic_weight, *alpha = (const REAL *)a->alpha;
    const REAL *doc_weight = (const REAL *)a->doc_weight;
    REAL *gamma = (REAL *)a->scratch, *t = gamma + a->Kp, *e = t + a->Kp, *acc = e + a->Kp, *ratio = acc + a->Kp;
    for (int64_t d = a->start; d < a->stop; d++) {
        int64_t first = a->indptr[d], n = a->indptr[d + 1] - first, done = 0;
        REAL *gamma_row = (REAL *)a->gamma + d * a->K;
        REAL *factor = a->doc_factor ? (REAL *)a->doc_factor + (d - a->first_doc) * a->Kp : NULL;
        double tokens = 0;
        REAL shift = 0;
        int sound = 1;
        assert(n >= 0 && n <= a->max_words);
        for (int64_t i = 0; i < n; i++) tokens += (double)((const REAL *)a->counts)[first + i];
        memcpy(gamma, alpha, sizeof(REAL) * (size_t)a->Kp);
        if (n) memcpy(gamma, gamma_row, sizeof(REAL) * (size_t)a->K);
        if (!n) memset(t, 0, 3 * sizeof(REAL) * (size_t)a->Kp); /* t, e and acc of an empty document */
        while (n && done < a->max_sweeps) {
            shift = NAME(topic_factors)(gamma, v, t, e, a->Kp);
            sound = NAME(sweep)(a, first, n, e, acc, ratio);
            if (!sound) break;
            done++;
            if (NAME(update_gamma)(alpha, e, acc, gamma, a->Kp) <= a->tol * tokens) break;
        }
        a->n_sweeps[d] = sound ? (int32_t)done : -1;
        if (factor) {
            REAL weight = sound ? (doc_weight ? doc_weight[d] : (REAL)1) : (REAL)0;
            REAL *out = (REAL *)a->ratio;
            const int32_t *position = a->position + (first - a->indptr[a->first_doc]);
            for (int64_t k = 0; k < a->Kp; k++) factor[k] = weight * e[k];
            for (int64_t i = 0; i < n; i++) out[position[i]] = sound ? ratio[i] : (REAL)0;
        }
        if (!sound) continue;
        memcpy(gamma_row, gamma, sizeof(REAL) * (size_t)a->K);
        if (a->bound) NAME(document_bound)(a, first, n, ratio, t, shift, gamma, e, acc, a->bound + 2 * d);
    }
}
