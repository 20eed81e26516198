/* The E-step of one document, and its part of the bound: equations (14) and (16) of docs/math.md.
 *
 * Included once per precision, with REAL and SUFFIX defined. A document's words are taken in groups of eight:
 * eight dot products with e share each load of e, eight sums are reduced together, eight ratios are divided
 * together, and eight rows are added to acc together. Three sweeps do this: sweep_tile where e and acc fit in
 * registers, sweep_any where they do not, sweep_turned over the few topics of a document that carry mass. */

#define GROUP 8
#define HALF 4
#define UP_TO(n, unit) (((n) + (unit) - 1) / (unit) * (unit))
#define DROPPED 0.03           /* share of a document's tokens that the topics set aside may hold together */
#define ACTIVE_FROM 20         /* topics from which setting some aside can pay */
#define ACTIVE_SWEEPS 4        /* sweeps that must be left for it to pay */
#define SLOWEST 0.95           /* ratio of a change to the one before, at most: steps up to twenty times a change */
#define LEAST_LEFT 0.5         /* share of its mass that a step beyond leaves each topic, at least */

/* What is looked up once per visit: each word's row of B, its count; and the counts' sum. Past the document's end, up
 * to whole groups and vectors, stands the last row again, with a count of 0. */
typedef struct {
    const REAL **rows;
    REAL *counts, *ratio;
    const REAL *turned; /* a copy with a row per topic, see sweep_turned; or NULL */
    int64_t n;
    double tokens;
} NAME(words);

INLINE void NAME(look_up)(NAME(words) *words, const ldavi_documents *a, int64_t first) {
    const REAL *B = (const REAL *)a->B, *count = (const REAL *)a->counts + first;
    const int32_t *index = a->indices + first;
    int64_t n = words->n, i = 0;
    words->tokens = 0;
    for (; i < n; i++) {
        assert(index[i] >= 0 && index[i] < a->n_rows);
        words->rows[i] = B + (int64_t)index[i] * a->Kp;
        words->counts[i] = count[i];
        words->tokens += (double)count[i];
    }
    for (; i < UP_TO(n, LDAVI_PAD); i++) {
        words->rows[i] = words->rows[n - 1];
        words->counts[i] = 0;
    }
}

/* Ask for the rows of the words of a document that is still to come. */
INLINE void NAME(ask_for)(const ldavi_documents *a, int64_t d) {
    if (d >= a->stop) return;
    for (int64_t i = a->indptr[d]; i < a->indptr[d + 1]; i++) {
        const char *row = (const char *)((const REAL *)a->B + (int64_t)a->indices[i] * a->Kp);
        for (int64_t at = 0; at < a->Kp * (int64_t)sizeof(REAL); at += LDAVI_ALIGN) PREFETCH(row + at);
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

/* acc = sum_w r_w B_w over the document: one sweep. Returns 0 on underflow, see divide_group. A group is
 * dotted before the one ahead of it is added, so that the latency of reducing and dividing hides behind arithmetic. */
static int NAME(sweep_any)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t Kp) {
    const REAL *const *rows = words->rows;
    REAL *ratio = words->ratio, norm[GROUP];
    int sound = 1;
    memset(acc, 0, sizeof(REAL) * (size_t)Kp);
    for (int64_t i = 0; i < words->n; i += GROUP, rows += GROUP, ratio += GROUP) {
        NAME(dot_group)(rows, e, norm, Kp);
        sound &= NAME(divide_group)(words->counts + i, norm, ratio);
        if (i) NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    }
    NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    return sound;
}

/* One group of the same, with all of e and acc in registers, `vectors` of each. */
INLINE int NAME(tile_group)(const NAME(words) *words, int64_t i, const NAME(vec) *e, NAME(vec) *acc, const int vectors,
                            const int size) {
    const REAL *const *rows = words->rows + i;
    REAL *ratio = words->ratio + i, norm[GROUP];
    NAME(vec) sum[GROUP];
    UNROLL for (int j = 0; j < GROUP; j++) {
        sum[j] = NAME(SPLAT)(1);
        if (j >= size) continue;
        sum[j] = e[0] * NAME(load)(rows[j]);
        UNROLL for (int v = 1; v < vectors; v++) sum[j] += e[v] * NAME(load)(rows[j] + v * NAME(LANES));
    }
    NAME(sum_eight)(sum, norm);
    int sound = NAME(divide_group)(words->counts + i, norm, ratio);
    UNROLL for (int j = 0; j < size; j++) {
        NAME(vec) r = NAME(SPLAT)(ratio[j]);
        UNROLL for (int v = 0; v < vectors; v++) acc[v] += r * NAME(load)(rows[j] + v * NAME(LANES));
    }
    return sound;
}

/* The sweep where all of e and acc fits in registers: B is then all that is read. */
INLINE int NAME(sweep_tile)(const NAME(words) *words, const REAL *e, REAL *acc, const int vectors) {
    NAME(vec) held[MOST_VECTORS], total[MOST_VECTORS];
    int sound = 1;
    int64_t i = 0;
    UNROLL for (int v = 0; v < vectors; v++) {
        held[v] = NAME(load)(e + v * NAME(LANES));
        total[v] = NAME(SPLAT)(0);
    }
    for (; words->n - i > HALF; i += GROUP) sound &= NAME(tile_group)(words, i, held, total, vectors, GROUP);
    if (i < words->n) sound &= NAME(tile_group)(words, i, held, total, vectors, HALF);
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

/* The same sweep over a copy of B with a row per topic and words across the lanes: no padding of topics, and the sum
 * across lanes is taken once per topic and not once per word. For the few topics of a document that carry mass. */
INLINE int NAME(turned_norms)(const NAME(words) *words, int64_t from, const REAL *e, int64_t K, const int vectors) {
    const int64_t length = UP_TO(words->n, NAME(LANES));
    NAME(vec) norm[8], least;
    UNROLL for (int v = 0; v < vectors; v++) norm[v] = NAME(SPLAT)(0);
    for (int64_t k = 0; k < K; k++) {
        NAME(vec) ek = NAME(SPLAT)(e[k]);
        const REAL *B = words->turned + k * length + from;
        UNROLL for (int v = 0; v < vectors; v++) norm[v] += ek * NAME(load)(B + v * NAME(LANES));
    }
    least = norm[0];
    UNROLL for (int v = 0; v < vectors; v++) {
        least = NAME(min)(least, norm[v]);
        NAME(store)(words->ratio + from + v * NAME(LANES), NAME(load)(words->counts + from + v * NAME(LANES)) / norm[v]);
    }
    return -NAME(max_lanes)(-least) > SMALLEST;
}

static int NAME(sweep_turned)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t K, int64_t Kp) {
    const int64_t length = UP_TO(words->n, NAME(LANES));
    int sound = 1;
    for (int64_t from = 0; from < length;) {
        int64_t left = (length - from) / NAME(LANES);
        switch (left) {
        case 1: sound &= NAME(turned_norms)(words, from, e, K, 1); break;
        case 2: sound &= NAME(turned_norms)(words, from, e, K, 2); break;
        case 3: sound &= NAME(turned_norms)(words, from, e, K, 3); break;
        case 4: sound &= NAME(turned_norms)(words, from, e, K, 4); break;
        case 5: sound &= NAME(turned_norms)(words, from, e, K, 5); break;
        case 6: sound &= NAME(turned_norms)(words, from, e, K, 6); break;
        case 7: sound &= NAME(turned_norms)(words, from, e, K, 7); break;
        default: sound &= NAME(turned_norms)(words, from, e, K, 8); left = 8;
        }
        from += left * NAME(LANES);
    }
    for (int64_t k = 0; k < K; k += GROUP) { /* Kp is a multiple of GROUP: a topic past the last is the last again */
        NAME(vec) sum[GROUP];
        const REAL *rows[GROUP];
        for (int j = 0; j < GROUP; j++) {
            rows[j] = words->turned + (k + j < K ? k + j : K - 1) * length;
            sum[j] = NAME(SPLAT)(0);
        }
        for (int64_t w = 0; w < length; w += NAME(LANES)) {
            NAME(vec) r = NAME(load)(words->ratio + w);
            for (int j = 0; j < GROUP; j++) sum[j] += r * NAME(load)(rows[j] + w);
        }
        NAME(sum_eight)(sum, acc + k);
    }
    for (int64_t k = K; k < Kp; k++) acc[k] = 0;
    return sound;
}

/* What a document's topics are during a visit: all of them, or those that carry mass. */
typedef struct {
    int64_t K, Kp;
    const REAL *alpha, *v; /* (Kp,) prior and weight of each topic; the least prior and 0 in the padding */
    REAL *gamma, *t, *e, *acc;
    REAL *past[2]; /* (Kp,) gamma before each of the last two sweeps, where steps may go beyond a sweep's */
    REAL offset;   /* delta */
    int may_set_aside, may_go_beyond;
} NAME(frame);

/* t_k = exp(psi(gamma_k + delta)) e^shift and e_k = t_k v_k. The shift, R at the largest gamma, keeps the largest t near
 * gamma itself however small every gamma is; it cancels in phi, and in the bound between log Z and log t. */
static void NAME(topic_factors)(NAME(frame) *f) {
    NAME(vec) top = NAME(load)(f->gamma), offset = NAME(SPLAT)(f->offset), P, shift;
    for (int64_t k = NAME(LANES); k < f->Kp; k += NAME(LANES)) top = NAME(max)(top, NAME(load)(f->gamma + k));
    NAME(exp_digamma_parts)(NAME(SPLAT)(NAME(max_lanes)(top)) + offset, &P, &shift);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) R;
        NAME(exp_digamma_parts)(NAME(load)(f->gamma + k) + offset, &P, &R);
        NAME(vec) tk = P * NAME(exp)(shift - R);
        NAME(store)(f->t + k, tk);
        NAME(store)(f->e + k, tk * NAME(load)(f->v + k));
    }
}

/* gamma = alpha + e acc; returns sum_k |change|. */
static double NAME(update_gamma)(NAME(frame) *f) {
    NAME(vec) change = NAME(SPLAT)(0);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) updated = NAME(load)(f->alpha + k) + NAME(load)(f->e + k) * NAME(load)(f->acc + k);
        change += NAME(abs)(updated - NAME(load)(f->gamma + k));
        NAME(store)(f->gamma + k, updated);
    }
    return (double)NAME(sum_lanes)(change);
}

/* Changes that shrink by the factor rho from sweep to sweep will add up to 1 / (1 - rho) of the last: go there at once. (43) */
static void NAME(go_beyond)(NAME(frame) *f) {
    NAME(vec) along = NAME(SPLAT)(0), length = NAME(SPLAT)(0);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) middle = NAME(load)(f->past[1] + k), before = middle - NAME(load)(f->past[0] + k);
        along += before * (NAME(load)(f->gamma + k) - middle);
        length += before * before;
    }
    REAL rho = NAME(sum_lanes)(along) / NAME(sum_lanes)(length);
    if (!(rho > 0)) return; /* also where nothing changed */
    rho = rho < (REAL)SLOWEST ? rho : (REAL)SLOWEST;
    NAME(vec) more = NAME(SPLAT)(rho / (1 - rho)), left = NAME(SPLAT)((REAL)LEAST_LEFT);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) now = NAME(load)(f->gamma + k), alpha = NAME(load)(f->alpha + k);
        NAME(vec) beyond = now + more * (now - NAME(load)(f->past[1] + k));
        NAME(store)(f->gamma + k, NAME(max)(beyond, alpha + left * (now - alpha)));
    }
}

/* Sweeps until gamma changes by no more than `enough`, `most` at most. Returns how many; -1 on underflow. */
static int64_t NAME(settle)(NAME(frame) *f, const NAME(words) *words, int64_t most, double enough, int *settled) {
    *settled = 0;
    for (int64_t done = 0; done < most;) {
        if (f->may_go_beyond) memcpy(f->past[done % 2], f->gamma, sizeof(REAL) * (size_t)f->Kp);
        NAME(topic_factors)(f);
        if (!(words->turned ? NAME(sweep_turned)(words, f->e, f->acc, f->K, f->Kp) : NAME(sweep)(words, f->e, f->acc, f->Kp)))
            return -1;
        done++;
        *settled = NAME(update_gamma)(f) <= enough;
        if (*settled) return done;
        if (f->may_go_beyond && done % 2 == 0) NAME(go_beyond)(f);
    }
    return most;
}

/* The topics of f that carry more than `least` move to the front, with their rows of the turned copy; the others leave. */
static void NAME(set_aside)(NAME(frame) *f, int32_t *index, REAL *turned, int64_t length, REAL least) {
    REAL *alpha = (REAL *)f->alpha, *v = (REAL *)f->v;
    int64_t kept = 0;
    for (int64_t i = 0; i < f->K; i++) {
        if (f->gamma[i] - alpha[i] <= least) continue;
        if (kept < i) {
            index[kept] = index[i];
            alpha[kept] = alpha[i];
            v[kept] = v[i];
            f->gamma[kept] = f->gamma[i];
            memcpy(turned + kept * length, turned + i * length, sizeof(REAL) * (size_t)length);
        }
        kept++;
    }
    f->K = kept;
    f->Kp = UP_TO(kept, LDAVI_PAD);
    for (int64_t i = kept; i < f->Kp; i++) {
        v[i] = 0;
        f->gamma[i] = alpha[i] = alpha[0];
    }
}

/* Sweeps over the topics that carry mass only. s_k = gamma_k - alpha_k is the price in nats of dropping topic k from the
 * document; those dropped together cost DROPPED tokens at most. Their gamma stands still meanwhile, and the sweep over
 * all topics that must follow lets them return. Returns the sweeps done: 0 where it would not pay. */
static int64_t NAME(settle_active)(NAME(frame) *all, const NAME(words) *words, int64_t most, double enough, void *room) {
    const REAL least = (REAL)(DROPPED * words->tokens / (double)all->K);
    const int64_t length = UP_TO(words->n, NAME(LANES));
    int32_t *index = (int32_t *)room, settled = 0;
    int64_t n = 0, done = 0, width;
    if (all->K < ACTIVE_FROM || most < ACTIVE_SWEEPS) return 0;
    for (int64_t k = 0; k < all->K; k++) {
        index[n] = (int32_t)k;
        n += all->gamma[k] - all->alpha[k] > least;
    }
    if (!n || 3 * n > 2 * all->K || n * length > LDAVI_ACTIVE_ROOM) return 0;
    width = UP_TO(n, LDAVI_PAD);
    REAL *at = (REAL *)(void *)(index + UP_TO(all->K, LDAVI_PAD)), *B = at + 8 * width;
    NAME(frame) active = {n, width, at, at + width, at + 2 * width, at + 3 * width, at + 4 * width, at + 5 * width,
                          {at + 6 * width, at + 7 * width}, all->offset, 0, all->may_go_beyond};
    NAME(words) turned = *words;
    turned.turned = B;
    for (int64_t i = 0; i < n; i++) {
        at[i] = all->alpha[index[i]];
        at[width + i] = all->v[index[i]];
        at[2 * width + i] = all->gamma[index[i]];
    }
    for (int64_t from = 0; from < length; from += NAME(LANES)) /* a vector of words at a time: whole cache lines */
        for (int64_t i = 0; i < n; i++)
            for (int64_t w = from; w < from + NAME(LANES); w++) B[i * length + w] = words->rows[w][index[i]];
    while (done < most - 1 && !settled) {
        NAME(set_aside)(&active, index, B, length, least);
        int64_t more = NAME(settle)(&active, &turned, most - 1 - done < 2 ? 1 : 2, enough, &settled);
        if (more < 0) return done;
        done += more;
        for (int64_t i = 0; i < active.K; i++) all->gamma[index[i]] = active.gamma[i];
    }
    return done;
}

/* Sweeps over all topics, and over the active ones in between; the last is over all, and no step beyond follows it.
 * -1 on underflow. */
static int64_t NAME(visit)(NAME(frame) *all, const NAME(words) *words, int64_t most, double enough, void *room) {
    int settled = 0, pairs = 0;
    int64_t done = 0;
    while (words->n && done < most && !settled) {
        int64_t more = NAME(settle)(all, words, pairs && most - done > 2 ? 2 : 1, enough, &settled);
        if (more < 0) return -1;
        done += more;
        more = !settled && all->may_set_aside ? NAME(settle_active)(all, words, most - done, enough, room) : 0;
        done += more;
        pairs = all->may_go_beyond && !more;
    }
    return done;
}

/* (16) without its constants: bound[0] = sum n (log Z + m) - sum s log t + sum lnGamma(gamma),
 * and of (8): bound[1] = sum lnGamma(gamma) - sum s psi(gamma). */
static void NAME(document_bound)(const ldavi_documents *a, int64_t first, const NAME(words) *words,
                                 const NAME(frame) *f, double *bound) {
    int64_t K = f->K, n = words->n;
    double scale = 0;
    vec_f64 log_norm = SPLAT_f64(0), entropy = SPLAT_f64(0), log_gamma = SPLAT_f64(0), s_digamma = SPLAT_f64(0);
    for (int64_t i = 0; i < n; i++) scale += (double)words->counts[i] * a->log_scale[a->indices[first + i]];
    for (int64_t i = 0; i < n; i += LANES_f64) { /* Z = n / r */
        vec_f64 count = NAME(widen)(words->counts, i, n, 0);
        vec_f64 norm = NAME(widen)(words->counts, i, n, 1) / NAME(widen)(words->ratio, i, n, 1);
        log_norm += count * log_f64(norm);
    }
    for (int64_t k = 0; k < K; k += LANES_f64) {
        vec_f64 s = NAME(widen)(f->e, k, K, 0) * NAME(widen)(f->acc, k, K, 0), tk = NAME(widen)(f->t, k, K, 1), lg, psi;
        entropy += s * log_f64(where_less_f64(SPLAT_f64(0), s, tk, SPLAT_f64(1)));
        log_gamma_digamma_f64(NAME(widen)(f->gamma, k, K, 1), &lg, &psi); /* lnGamma(1) = 0: padding adds nothing */
        log_gamma += lg;
        s_digamma += s * psi;
    }
    double sum_log_gamma = sum_lanes_f64(log_gamma);
    bound[0] = sum_lanes_f64(log_norm) + scale - sum_lanes_f64(entropy) + sum_log_gamma;
    bound[1] = sum_log_gamma - sum_lanes_f64(s_digamma);
}

static void NAME(update_documents)(const ldavi_documents *a) {
    const REAL *doc_weight = (const REAL *)a->doc_weight;
    int64_t K = a->K, Kp = a->Kp, padded_words = UP_TO(a->max_words, LDAVI_PAD);
    REAL *scratch = (REAL *)a->scratch;
    NAME(frame) f = {K, Kp, (const REAL *)a->alpha, (const REAL *)a->topic_weight,
                     scratch, scratch + Kp, scratch + 2 * Kp, scratch + 3 * Kp, {scratch + 4 * Kp, scratch + 5 * Kp},
                     (REAL)a->offset, a->dense_sweeps == 0, a->go_beyond != 0};
    NAME(words) words;
    words.counts = scratch + 6 * Kp;
    words.ratio = words.counts + padded_words;
    words.rows = (const REAL **)(void *)(words.ratio + padded_words);
    words.turned = NULL;
    void *room = (void *)(words.rows + padded_words);
    for (int64_t d = a->start; d < a->stop; d++) {
        int64_t first = a->indptr[d];
        REAL *gamma_row = (REAL *)a->gamma + d * K;
        words.n = a->indptr[d + 1] - first;
        assert(words.n >= 0 && words.n <= a->max_words);
        NAME(look_up)(&words, a, first);
        NAME(ask_for)(a, d + 1);
        memcpy(f.gamma, f.alpha, sizeof(REAL) * (size_t)Kp);
        if (!words.n) memset(f.t, 0, 3 * sizeof(REAL) * (size_t)Kp); /* t, e and acc of an empty document */
        else if (a->afresh) for (int64_t k = 0; k < K; k++) f.gamma[k] += (REAL)(words.tokens / (double)K);
        else memcpy(f.gamma, gamma_row, sizeof(REAL) * (size_t)K);
        int64_t done = NAME(visit)(&f, &words, a->max_sweeps, a->tol * words.tokens, room);
        int sound = done >= 0;
        a->n_sweeps[d] = (int32_t)done;
        if (a->doc_factor) {
            REAL *factor = (REAL *)a->doc_factor + (d - a->first_doc) * Kp, *out = (REAL *)a->ratio;
            REAL weight = sound ? (doc_weight ? doc_weight[d] : (REAL)1) : (REAL)0;
            const int32_t *position = a->position + (first - a->indptr[a->first_doc]);
            for (int64_t k = 0; k < Kp; k++) factor[k] = weight * f.e[k];
            for (int64_t i = 0; i < words.n; i++) out[position[i]] = sound ? words.ratio[i] : (REAL)0;
        }
        if (!sound) continue;
        memcpy(gamma_row, f.gamma, sizeof(REAL) * (size_t)K);
        if (a->bound) NAME(document_bound)(a, first, &words, &f, a->bound + 2 * d);
    }
}
