/* The E-step of a document, and its part of the ELBO. Equations (11.1), (12.1), (14.1), (14.2), (17.1), (17.2).
 *
 * Included once per precision. The words of a document are processed in groups of eight: eight dot products with e share
 * each load of e, eight sums are reduced together, eight ratios are divided together, and eight rows are added to acc
 * together. An inner iteration has three forms: iterate_in_registers where e and acc fit in registers, iterate_in_memory
 * where they do not, and iterate_transposed over some topics of a document: the active ones, or those whose weight is large
 * enough to change a normaliser. */

/* The words of one document, gathered once per E-step. Past the document's end, up to whole groups and vectors, the last
 * row is repeated with a count of 0. */
typedef struct {
    const REAL **rows; /* (n,) row of B of each word */
    REAL *counts, *ratio;
    const REAL *transposed; /* a copy of some topics' entries with a row per topic, see iterate_transposed; or NULL */
    int64_t n;
    int64_t n_listed;       /* topics that the scratch memory lists and has a copy of for iterate_listed; 0 for none */
    double tokens;
} NAME(words);

/* The working memory of one thread; `lay_out` is the only statement of its layout. */
typedef struct {
    REAL *gamma, *t, *e, *acc, *past[2]; /* (Kp,) */
    REAL *counts, *ratio;                /* (max_words,) */
    const REAL **rows;                   /* (max_words,) */
    int32_t *index;                      /* (Kp,) the active or listed topics */
    REAL *active;                        /* (8, Kp) alpha, v and the rows above, of these topics */
    REAL *transposed;                    /* (MAX_ACTIVE_ENTRIES,) their entries of B */
    double *log_gamma_alpha;             /* (Kp,) lnGamma(alpha_k), if all documents have the same alpha */
} NAME(scratch);

/* Place the arrays in `base`; with NULL, compute the size only. Returns the size in bytes. */
INLINE int64_t NAME(lay_out)(NAME(scratch) *s, char *base, int64_t max_words, int64_t Kp) {
    const int64_t row = Kp * (int64_t)sizeof(REAL), words = UP_TO(max_words, LDAVI_PAD);
    int64_t used = 0;
    s->gamma = (REAL *)reserve(base, &used, row);
    s->t = (REAL *)reserve(base, &used, row);
    s->e = (REAL *)reserve(base, &used, row);
    s->acc = (REAL *)reserve(base, &used, row);
    s->past[0] = (REAL *)reserve(base, &used, row);
    s->past[1] = (REAL *)reserve(base, &used, row);
    s->counts = (REAL *)reserve(base, &used, words * (int64_t)sizeof(REAL));
    s->ratio = (REAL *)reserve(base, &used, words * (int64_t)sizeof(REAL));
    s->rows = (const REAL **)reserve(base, &used, words * (int64_t)sizeof(REAL *));
    s->index = (int32_t *)reserve(base, &used, Kp * (int64_t)sizeof(int32_t));
    s->active = (REAL *)reserve(base, &used, 8 * row);
    s->transposed = (REAL *)reserve(base, &used, MAX_ACTIVE_ENTRIES * (int64_t)sizeof(REAL));
    s->log_gamma_alpha = (double *)reserve(base, &used, Kp * (int64_t)sizeof(double));
    return used;
}

INLINE void NAME(gather_words)(NAME(words) *words, const ldavi_documents_args *a, int64_t first) {
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

/* Prefetch the rows of the words of a later document, unless it is expected to read n_listed entries of each, as the document
 * before it did, and these are in few of the cache lines of a row. */
INLINE void NAME(prefetch_document)(const ldavi_documents_args *a, int64_t d, int64_t n_listed) {
    if (d >= a->stop || (n_listed && n_listed * LDAVI_ALIGN < a->Kp)) return;
    for (int64_t i = a->indptr[d]; i < a->indptr[d + 1]; i++) {
        const char *row = (const char *)((const REAL *)a->B + (int64_t)a->indices[i] * a->Kp);
        for (int64_t at = 0; at < a->Kp * (int64_t)sizeof(REAL); at += LDAVI_ALIGN) PREFETCH(row + at);
    }
}

/* norm[j] = sum_k e_k rows[j]_k, the normaliser Z of each word of a group. */
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

/* r = n / Z for a group. Returns 0 if a word's weights are so small that underflow may have changed Z. */
INLINE int NAME(divide_group)(const REAL *counts, const REAL *norm, REAL *ratio) {
    REAL smallest = norm[0];
    for (int j = 0; j < GROUP; j++) {
        smallest = norm[j] < smallest ? norm[j] : smallest;
        ratio[j] = counts[j] / norm[j];
    }
    return smallest > MIN_NORMALIZER;
}

/* acc = sum_w r_w B_w over the document: one inner iteration. Returns 0 on underflow, see divide_group. The dot products
 * of a group are computed before the previous group is added, to hide the latency of reduction and division. */
static int NAME(iterate_in_memory)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t Kp) {
    const REAL *const *rows = words->rows;
    REAL *ratio = words->ratio, norm[GROUP];
    int valid = 1;
    memset(acc, 0, sizeof(REAL) * (size_t)Kp);
    for (int64_t i = 0; i < words->n; i += GROUP, rows += GROUP, ratio += GROUP) {
        NAME(dot_group)(rows, e, norm, Kp);
        valid &= NAME(divide_group)(words->counts + i, norm, ratio);
        if (i) NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    }
    NAME(add_group)(rows - GROUP, ratio - GROUP, acc, Kp);
    return valid;
}

/* The same for one group with all of e and acc in registers, `vectors` of each. */
INLINE int NAME(iterate_group)(const NAME(words) *words, int64_t i, const NAME(vec) *e, NAME(vec) *acc, const int vectors,
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
    int valid = NAME(divide_group)(words->counts + i, norm, ratio);
    UNROLL for (int j = 0; j < size; j++) {
        NAME(vec) r = NAME(SPLAT)(ratio[j]);
        UNROLL for (int v = 0; v < vectors; v++) acc[v] += r * NAME(load)(rows[j] + v * NAME(LANES));
    }
    return valid;
}

/* The inner iteration where all of e and acc fit in registers: only B is read. */
INLINE int NAME(iterate_in_registers)(const NAME(words) *words, const REAL *e, REAL *acc, const int vectors) {
    NAME(vec) factors[MAX_REGISTER_VECTORS], total[MAX_REGISTER_VECTORS];
    int valid = 1;
    int64_t i = 0;
    assert(vectors >= 1 && vectors <= MAX_REGISTER_VECTORS);
    UNROLL for (int v = 0; v < vectors; v++) {
        factors[v] = NAME(load)(e + v * NAME(LANES));
        total[v] = NAME(SPLAT)(0);
    }
    for (; words->n - i > HALF_GROUP; i += GROUP) valid &= NAME(iterate_group)(words, i, factors, total, vectors, GROUP);
    if (i < words->n) valid &= NAME(iterate_group)(words, i, factors, total, vectors, HALF_GROUP);
    UNROLL for (int v = 0; v < vectors; v++) NAME(store)(acc + v * NAME(LANES), total[v]);
    return valid;
}

static int NAME(iterate)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t Kp) {
    switch (Kp / NAME(LANES)) {
    case 1: return NAME(iterate_in_registers)(words, e, acc, 1);
    case 2: return NAME(iterate_in_registers)(words, e, acc, 2);
#if MAX_REGISTER_VECTORS >= 8
    case 3: return NAME(iterate_in_registers)(words, e, acc, 3);
    case 4: return NAME(iterate_in_registers)(words, e, acc, 4);
    case 5: return NAME(iterate_in_registers)(words, e, acc, 5);
    case 6: return NAME(iterate_in_registers)(words, e, acc, 6);
    case 7: return NAME(iterate_in_registers)(words, e, acc, 7);
    case 8: return NAME(iterate_in_registers)(words, e, acc, 8);
#endif
    default: return NAME(iterate_in_memory)(words, e, acc, Kp);
    }
}

/* Copy the entries of B of the words and of n topics, with a row per topic, `length` entries each. A vector of words at a
 * time: whole cache lines. */
INLINE void NAME(copy_topics)(const NAME(words) *words, const int32_t *index, int64_t n, int64_t length, REAL *out) {
    for (int64_t from = 0; from < length; from += NAME(LANES))
        for (int64_t i = 0; i < n; i++)
            for (int64_t w = from; w < from + NAME(LANES); w++) out[i * length + w] = words->rows[w][index[i]];
}

/* The normalisers and ratios of `vectors` of words, from a copy of B with a row per topic and words across the lanes. Topics
 * need no padding, and the sum across lanes is taken once per topic instead of once per word. Returns 0 if a normaliser is
 * `least` or smaller. */
INLINE int NAME(transposed_norms)(const NAME(words) *words, int64_t from, const REAL *e, int64_t K, REAL least,
                                  const int vectors) {
    const int64_t length = UP_TO(words->n, NAME(LANES));
    NAME(vec) norm[MAX_ACCUMULATORS], smallest;
    assert(vectors >= 1 && vectors <= MAX_ACCUMULATORS);
    UNROLL for (int v = 0; v < vectors; v++) norm[v] = NAME(SPLAT)(0);
    for (int64_t k = 0; k < K; k++) {
        NAME(vec) ek = NAME(SPLAT)(e[k]);
        const REAL *B = words->transposed + k * length + from;
        UNROLL for (int v = 0; v < vectors; v++) norm[v] += ek * NAME(load)(B + v * NAME(LANES));
    }
    smallest = norm[0];
    UNROLL for (int v = 0; v < vectors; v++) {
        smallest = NAME(min)(smallest, norm[v]);
        NAME(store)(words->ratio + from + v * NAME(LANES), NAME(load)(words->counts + from + v * NAME(LANES)) / norm[v]);
    }
    return -NAME(max_lanes)(-smallest) > least;
}

/* The inner iteration over the topics of the transposed copy. Returns 0 if a normaliser is `least` or smaller. */
static int NAME(iterate_transposed)(const NAME(words) *words, const REAL *e, REAL *acc, int64_t K, int64_t Kp, REAL least) {
    const int64_t length = UP_TO(words->n, NAME(LANES));
    int valid = 1;
    for (int64_t from = 0; from < length;) {
        int64_t left = (length - from) / NAME(LANES);
        switch (left) {
        case 1: valid &= NAME(transposed_norms)(words, from, e, K, least, 1); break;
        case 2: valid &= NAME(transposed_norms)(words, from, e, K, least, 2); break;
        case 3: valid &= NAME(transposed_norms)(words, from, e, K, least, 3); break;
        case 4: valid &= NAME(transposed_norms)(words, from, e, K, least, 4); break;
        case 5: valid &= NAME(transposed_norms)(words, from, e, K, least, 5); break;
        case 6: valid &= NAME(transposed_norms)(words, from, e, K, least, 6); break;
        case 7: valid &= NAME(transposed_norms)(words, from, e, K, least, 7); break;
        default: valid &= NAME(transposed_norms)(words, from, e, K, least, 8); left = 8;
        }
        from += left * NAME(LANES);
    }
    for (int64_t k = 0; k < K; k += GROUP) { /* Kp is a multiple of GROUP: past the end, the last topic is repeated */
        NAME(vec) sum[GROUP];
        const REAL *rows[GROUP];
        for (int j = 0; j < GROUP; j++) {
            rows[j] = words->transposed + (k + j < K ? k + j : K - 1) * length;
            sum[j] = NAME(SPLAT)(0);
        }
        for (int64_t w = 0; w < length; w += NAME(LANES)) {
            NAME(vec) r = NAME(load)(words->ratio + w);
            for (int j = 0; j < GROUP; j++) sum[j] += r * NAME(load)(rows[j] + w);
        }
        NAME(sum_eight)(sum, acc + k);
    }
    for (int64_t k = K; k < Kp; k++) acc[k] = 0;
    return valid;
}

/* List the topics of a document whose weight e_k is not negligible beside its largest one, and copy their entries of B. Lists
 * none if they are so many, or the document so long, that an iteration over all topics is faster. */
static void NAME(list_topics)(const REAL *e, int64_t Kp, NAME(words) *words, NAME(scratch) *s) {
    const int64_t length = UP_TO(words->n, NAME(LANES)), most = Kp / 3;
    int64_t n = 0;
    NAME(vec) top = NAME(load)(e);
    for (int64_t k = NAME(LANES); k < Kp; k += NAME(LANES)) top = NAME(max)(top, NAME(load)(e + k));
    NAME(vec) least = NAME(SPLAT)(NAME(max_lanes)(top) * NEGLIGIBLE_WEIGHT);
    words->n_listed = 0;
    for (int64_t k = 0; k < Kp; k += NAME(LANES))
        for (uint32_t bits = NAME(greater)(NAME(load)(e + k), least); bits; bits &= bits - 1) {
            if (n == most) return;
            s->index[n++] = (int32_t)(k + lowest_bit(bits));
        }
    if (n * length > MAX_ACTIVE_ENTRIES) return;
    NAME(copy_topics)(words, s->index, n, length, s->transposed);
    words->n_listed = n;
}

/* The inner iteration over the listed topics, equation (17.2). The weights of all others, which become 0, add up to less than
 * the rounding error of every normaliser; returns 0 if they do not. */
static int NAME(iterate_listed)(const NAME(words) *words, REAL *e, REAL *acc, int64_t Kp, NAME(scratch) *s) {
    const int64_t n = words->n_listed, width = UP_TO(n, LDAVI_PAD);
    REAL *listed = s->active, *sums = listed + width;
    NAME(vec) omitted = NAME(SPLAT)(0);
    NAME(words) transposed = *words;
    transposed.transposed = s->transposed;
    for (int64_t i = 0; i < n; i++) {
        listed[i] = e[s->index[i]];
        e[s->index[i]] = 0;
    }
    for (int64_t k = 0; k < Kp; k += NAME(LANES)) omitted += NAME(load)(e + k);
    REAL least = NAME(sum_lanes)(omitted) / ROUNDING;
    least = least > MIN_NORMALIZER ? least : MIN_NORMALIZER;
    if (!NAME(iterate_transposed)(&transposed, listed, sums, n, width, least)) {
        for (int64_t i = 0; i < n; i++) e[s->index[i]] = listed[i];
        return 0;
    }
    memset(e, 0, sizeof(REAL) * (size_t)Kp);
    memset(acc, 0, sizeof(REAL) * (size_t)Kp);
    for (int64_t i = 0; i < n; i++) {
        e[s->index[i]] = listed[i];
        acc[s->index[i]] = sums[i];
    }
    return 1;
}

/* The inner iteration over all topics, or over those that can matter. Returns 0 on underflow, see divide_group. */
static int NAME(iterate_where_needed)(NAME(words) *words, REAL *e, REAL *acc, int64_t K, int64_t Kp, NAME(scratch) *s) {
    if (K >= PRUNE_MIN_TOPICS) {
        if (words->n_listed && NAME(iterate_listed)(words, e, acc, Kp, s)) return 1;
        NAME(list_topics)(e, Kp, words, s);
        if (words->n_listed && NAME(iterate_listed)(words, e, acc, Kp, s)) return 1;
        words->n_listed = 0;
    }
    return NAME(iterate)(words, e, acc, Kp);
}

/* The variational parameters of a document over all topics, or over its active ones. */
typedef struct {
    int64_t K, Kp;
    const REAL *alpha, *v; /* (Kp,) prior and weight of each topic; the smallest prior and 0 in the padding */
    REAL *gamma, *t, *e, *acc;
    REAL *past[2]; /* (Kp,) gamma before each of the last two inner iterations, for extrapolation */
    REAL digamma_offset;
    int extrapolate;
} NAME(state);

/* t_k = exp(psi(gamma_k + delta)) e^shift and e_k = t_k v_k. The shift, R at the largest gamma, keeps the largest t near
 * gamma itself however small every gamma is; it cancels in phi, and in the bound between log Z and log t. */
static void NAME(topic_factors)(NAME(state) *f) {
    NAME(vec) top = NAME(load)(f->gamma), offset = NAME(SPLAT)(f->digamma_offset), P, shift;
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
static double NAME(update_gamma)(NAME(state) *f) {
    NAME(vec) change = NAME(SPLAT)(0);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) updated = NAME(load)(f->alpha + k) + NAME(load)(f->e + k) * NAME(load)(f->acc + k);
        change += NAME(abs)(updated - NAME(load)(f->gamma + k));
        NAME(store)(f->gamma + k, updated);
    }
    return (double)NAME(sum_lanes)(change);
}

/* Aitken extrapolation: changes that shrink by the factor xi per iteration sum to 1 / (1 - xi) of the last. Equation (14.2). */
static void NAME(extrapolate)(NAME(state) *f) {
    NAME(vec) along = NAME(SPLAT)(0), length = NAME(SPLAT)(0);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) middle = NAME(load)(f->past[1] + k), before = middle - NAME(load)(f->past[0] + k);
        along += before * (NAME(load)(f->gamma + k) - middle);
        length += before * before;
    }
    REAL xi = NAME(sum_lanes)(along) / NAME(sum_lanes)(length);
    if (!(xi > 0)) return; /* also where nothing changed */
    xi = xi < (REAL)MAX_RATE ? xi : (REAL)MAX_RATE;
    NAME(vec) step = NAME(SPLAT)(xi / (1 - xi)), remainder = NAME(SPLAT)((REAL)MIN_REMAINDER);
    for (int64_t k = 0; k < f->Kp; k += NAME(LANES)) {
        NAME(vec) now = NAME(load)(f->gamma + k), alpha = NAME(load)(f->alpha + k);
        NAME(vec) target = now + step * (now - NAME(load)(f->past[1] + k));
        NAME(store)(f->gamma + k, NAME(max)(target, alpha + remainder * (now - alpha)));
    }
}

/* Iterate until sum_k |change of gamma_k| <= tol, at most max_iter times. Returns the number of iterations; -1 on underflow. */
static int64_t NAME(iterate_until)(NAME(state) *f, NAME(words) *words, int64_t max_iter, double tol, int *converged,
                                   NAME(scratch) *s) {
    *converged = 0;
    for (int64_t done = 0; done < max_iter;) {
        if (f->extrapolate) memcpy(f->past[done % 2], f->gamma, sizeof(REAL) * (size_t)f->Kp);
        NAME(topic_factors)(f);
        int valid = words->transposed ? NAME(iterate_transposed)(words, f->e, f->acc, f->K, f->Kp, MIN_NORMALIZER)
                                      : NAME(iterate_where_needed)(words, f->e, f->acc, f->K, f->Kp, s);
        if (!valid) return -1;
        done++;
        *converged = NAME(update_gamma)(f) <= tol;
        if (*converged) return done;
        if (f->extrapolate && done % 2 == 0) NAME(extrapolate)(f);
    }
    return max_iter;
}

/* Remove the topics of f that carry min_mass or less; the others move to the front, with their rows of the transposed copy. */
static void NAME(prune)(NAME(state) *f, int32_t *index, REAL *transposed, int64_t length, REAL min_mass) {
    REAL *alpha = (REAL *)f->alpha, *v = (REAL *)f->v; /* copies that belong to the active topics */
    int64_t kept = 0;
    for (int64_t i = 0; i < f->K; i++) {
        if (f->gamma[i] - alpha[i] <= min_mass) continue;
        if (kept < i) {
            index[kept] = index[i];
            alpha[kept] = alpha[i];
            v[kept] = v[i];
            f->gamma[kept] = f->gamma[i];
            memcpy(transposed + kept * length, transposed + i * length, sizeof(REAL) * (size_t)length);
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

/* List the topics of f that carry more than min_mass; returns their number. */
INLINE int64_t NAME(find_active)(const NAME(state) *f, REAL min_mass, int32_t *index) {
    int64_t n = 0;
    for (int64_t k = 0; k < f->K; k++) {
        index[n] = (int32_t)k;
        n += f->gamma[k] - f->alpha[k] > min_mass;
    }
    return n;
}

/* Iterate over the active topics only, equation (17.1). Dropping topic k from the document costs s_k = gamma_k - alpha_k nats;
 * the inactive topics together carry INACTIVE_TOKENS of the tokens at most. Their gamma stays fixed, and the iteration over
 * all topics that must follow can make them active again. Returns the iterations done: 0 where pruning would not pay. */
static int64_t NAME(iterate_active)(NAME(state) *all, NAME(words) *words, int64_t max_iter, double tol, NAME(scratch) *s) {
    const REAL min_mass = (REAL)(INACTIVE_TOKENS * words->tokens / (double)all->K);
    const int64_t length = UP_TO(words->n, NAME(LANES));
    int64_t done = 0;
    int converged = 0;
    if (all->K < PRUNE_MIN_TOPICS || max_iter < PRUNE_MIN_ITERATIONS) return 0;
    const int64_t n = NAME(find_active)(all, min_mass, s->index), width = UP_TO(n, LDAVI_PAD);
    if (!n || 3 * n > 2 * all->K || n * length > MAX_ACTIVE_ENTRIES) return 0;
    assert(width <= all->Kp);
    REAL *alpha = s->active, *v = alpha + width, *gamma = v + width;
    NAME(state) active = {
        .K = n,
        .Kp = width,
        .alpha = alpha,
        .v = v,
        .gamma = gamma,
        .t = gamma + width,
        .e = gamma + 2 * width,
        .acc = gamma + 3 * width,
        .past = {gamma + 4 * width, gamma + 5 * width},
        .digamma_offset = all->digamma_offset,
        .extrapolate = all->extrapolate,
    };
    NAME(words) transposed = *words;
    transposed.transposed = s->transposed;
    words->n_listed = 0; /* their copy is overwritten */
    for (int64_t i = 0; i < n; i++) {
        alpha[i] = all->alpha[s->index[i]];
        v[i] = all->v[s->index[i]];
        gamma[i] = all->gamma[s->index[i]];
    }
    NAME(copy_topics)(words, s->index, n, length, s->transposed);
    while (done < max_iter - 1 && !converged) {
        NAME(prune)(&active, s->index, s->transposed, length, min_mass);
        int64_t more = NAME(iterate_until)(&active, &transposed, max_iter - 1 - done < 2 ? 1 : 2, tol, &converged, s);
        if (more < 0) return done;
        done += more;
        for (int64_t i = 0; i < active.K; i++) all->gamma[s->index[i]] = active.gamma[i];
    }
    return done;
}

/* Iterate over all topics, with iterations over the active ones in between; the last is over all topics, and no
 * extrapolation follows it. Returns the number of iterations; -1 on underflow. */
static int64_t NAME(infer_document)(NAME(state) *all, NAME(words) *words, int64_t max_iter, double tol, NAME(scratch) *s) {
    int converged = 0, pairs = 0;
    int64_t done = 0;
    while (words->n && done < max_iter && !converged) {
        int64_t more = NAME(iterate_until)(all, words, pairs && max_iter - done > 2 ? 2 : 1, tol, &converged, s);
        if (more < 0) return -1;
        done += more;
        more = converged ? 0 : NAME(iterate_active)(all, words, max_iter - done, tol, s);
        done += more;
        pairs = all->extrapolate && !more;
    }
    return done;
}

/* The document's part of the ELBO without its constants, (12.1): bound[0] = sum n (log Z + m) - sum s log t
 * + sum lnGamma(gamma), and of (9.5): bound[1] = sum lnGamma(gamma) - sum s psi(gamma). Where s is 0, gamma is alpha, whose
 * lnGamma is known if all documents have the same. */
static void NAME(document_bound)(const ldavi_documents_args *a, int64_t first, const NAME(words) *words,
                                 const NAME(state) *f, const double *log_gamma_alpha, double *bound) {
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
        if (log_gamma_alpha && !greater_f64(s, SPLAT_f64(0))) {
            log_gamma += load_f64(log_gamma_alpha + k);
            continue;
        }
        entropy += s * log_f64(where_less_f64(SPLAT_f64(0), s, tk, SPLAT_f64(1)));
        log_gamma_digamma_f64(NAME(widen)(f->gamma, k, K, 1), &lg, &psi); /* lnGamma(1) = 0: padding adds nothing */
        log_gamma += lg;
        s_digamma += s * psi;
    }
    double sum_log_gamma = sum_lanes_f64(log_gamma);
    bound[0] = sum_lanes_f64(log_norm) + scale - sum_lanes_f64(entropy) + sum_log_gamma;
    bound[1] = sum_log_gamma - sum_lanes_f64(s_digamma);
}

/* Write the factors e_dk of document d and the ratios r_dw of its words: 0 if its weights underflowed. */
INLINE void NAME(write_factors)(const ldavi_documents_args *a, int64_t d, const NAME(words) *words, const REAL *e, int valid) {
    const REAL *doc_weight = (const REAL *)a->doc_weight;
    const int64_t first = a->indptr[d];
    REAL *factor = (REAL *)a->doc_factor + (d - a->first_doc) * a->Kp, *out = (REAL *)a->ratio;
    REAL weight = valid ? (doc_weight ? doc_weight[d] : (REAL)1) : (REAL)0;
    const int32_t *position = a->position + (first - a->indptr[a->first_doc]);
    for (int64_t k = 0; k < a->Kp; k++) factor[k] = weight * e[k];
    for (int64_t i = 0; i < words->n; i++) out[position[i]] = valid ? words->ratio[i] : (REAL)0;
}

static void NAME(update_documents)(const ldavi_documents_args *a) {
    const int64_t K = a->K, Kp = a->Kp;
    NAME(scratch) s;
    NAME(lay_out)(&s, (char *)a->scratch, a->max_words, Kp);
    NAME(state) f = {
        .K = K,
        .Kp = Kp,
        .v = (const REAL *)a->topic_weight,
        .gamma = s.gamma,
        .t = s.t,
        .e = s.e,
        .acc = s.acc,
        .past = {s.past[0], s.past[1]},
        .digamma_offset = (REAL)a->digamma_offset,
        .extrapolate = a->extrapolate != 0,
    };
    NAME(words) words = {.rows = s.rows, .counts = s.counts, .ratio = s.ratio, .transposed = NULL, .n_listed = 0};
    assert(K > 0 && K <= Kp && Kp % LDAVI_PAD == 0);
    if (!a->alpha_row)
        for (int64_t k = 0; k < Kp; k += LANES_f64) {
            vec_f64 lg, psi;
            log_gamma_digamma_f64(NAME(widen)((const REAL *)a->alpha, k, K, 1), &lg, &psi);
            store_f64(s.log_gamma_alpha + k, lg);
        }
    for (int64_t d = a->start; d < a->stop; d++) {
        int64_t first = a->indptr[d];
        REAL *gamma_row = (REAL *)a->gamma + d * K;
        words.n = a->indptr[d + 1] - first;
        f.alpha = (const REAL *)a->alpha + d * a->alpha_row;
        assert(words.n >= 0 && words.n <= a->max_words);
        NAME(gather_words)(&words, a, first);
        NAME(prefetch_document)(a, d + 1, words.n_listed);
        words.n_listed = 0;
        memcpy(f.gamma, f.alpha, sizeof(REAL) * (size_t)Kp);
        if (!words.n) { /* t, e and acc of an empty document */
            memset(f.t, 0, sizeof(REAL) * (size_t)Kp);
            memset(f.e, 0, sizeof(REAL) * (size_t)Kp);
            memset(f.acc, 0, sizeof(REAL) * (size_t)Kp);
        } else if (a->cold_start) {
            for (int64_t k = 0; k < K; k++) f.gamma[k] += (REAL)(words.tokens / (double)K);
        } else {
            memcpy(f.gamma, gamma_row, sizeof(REAL) * (size_t)K);
        }
        int64_t done = NAME(infer_document)(&f, &words, a->max_inner_iter, a->tol * words.tokens, &s);
        int valid = done >= 0;
        a->n_inner_iter[d] = (int32_t)done;
        if (a->doc_factor) NAME(write_factors)(a, d, &words, f.e, valid);
        if (!valid) continue;
        memcpy(gamma_row, f.gamma, sizeof(REAL) * (size_t)K);
        if (a->bound) NAME(document_bound)(a, first, &words, &f, a->alpha_row ? NULL : s.log_gamma_alpha, a->bound + 2 * d);
    }
}
