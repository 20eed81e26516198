/* CVB0 with many topics: the update of collapsed.h, in time that does not depend on the number of topics.
 *
 * Included once per precision, after collapsed.h. Section 18 of docs/math.md derives it. Within a block, n_wk is constant,
 * so the part of Z that does not depend on the document, sum_k alpha_k (n_wk + eta_wk) / (n_k + eta_k), is computed once
 * per word. The rest of a weight is not 0 only for the topics of the document, which are kept as a list.
 *
 * The rows of n_wk are stored in two ways. The row of a frequent word is dense, with Kp masses. That of another word has
 * the masses of the topics that are not 0, and these topics, in ascending order. */

/* The masses n_wk of one word. */
typedef struct {
    const MASS *mass;
    const uint16_t *topic; /* (length,) ascending; NULL: the row is dense */
    int64_t length;
} NAME(sparse_row);

/* The document that is being updated: what all updates need, and the list of its topics. Topic topic[i] has the place i. */
typedef struct {
    NAME(cvb0_state) c;      /* its arrays are not used, except `weight` */
    int64_t Kp, n_topics;    /* n_topics: length of the list */
    REAL *weight;            /* (Kp,) by place, unnormalised responsibilities of the current count */
    REAL *factor;            /* (Kp,) by place, (n_dk + alpha_k) / (n_k + eta_k); 0 behind the list */
    REAL *prior_factor;      /* (Kp,) by place, alpha_k / (n_k + eta_k); 0 behind the list */
    REAL *doc_count;         /* (Kp,) by place, n_dk in shares */
    REAL *eta;               /* (Kp,) by place, eta_wk of the current word */
    MASS *mass;              /* (Kp + 1,) by place, n_wk of the current word; the last entry takes those of other topics */
    int32_t *topic;          /* (Kp,) by place */
    int32_t *references;     /* (Kp,) by place, how many slots of the document's counts refer to the topic */
    int32_t *place;          /* (Kp,) by topic; Kp: not in the list */
    NAME(sparse_row) row;    /* of the current count's word */
    const double *word;      /* (4,) of the current count's word, see kernels.h */
    double rest;             /* sum of the weights of the topics that are not in the list */
    int n_outside;           /* selected topics that are not in the list */
    int32_t outside[MAX_DETERMINISTIC];
} NAME(sparse_state);

INLINE NAME(sparse_row) NAME(row_of)(const ldavi_assignments_args *a, int64_t w) {
    NAME(sparse_row) row = {(const MASS *)a->N + a->row_ptr[w], a->row_topic + a->row_ptr[w], a->row_length[w]};
    if (row.length < 0) {
        row.topic = NULL;
        row.length = a->K;
    }
    return row;
}

/* Place the rows of the i-th concurrent document in the scratch memory, in the order of kernels.h, with an empty list. */
INLINE void NAME(lay_out_sparse)(NAME(sparse_state) *f, REAL *scratch, int64_t i, int64_t Kp) {
    int64_t width = Kp + LDAVI_PAD;
    REAL *row = scratch + i * LDAVI_SPARSE_ROWS_PER_DOCUMENT * width;
    memset(row, 0, sizeof(REAL) * (size_t)(LDAVI_SPARSE_ROWS_PER_DOCUMENT * width));
    f->weight = f->c.weight = row + LDAVI_SPARSE_ROW_WEIGHT * width;
    f->factor = row + LDAVI_SPARSE_ROW_FACTOR * width;
    f->prior_factor = row + LDAVI_SPARSE_ROW_PRIOR_FACTOR * width;
    f->doc_count = row + LDAVI_SPARSE_ROW_DOC_COUNT * width;
    f->eta = row + LDAVI_SPARSE_ROW_ETA * width;
    f->mass = (MASS *)(row + LDAVI_SPARSE_ROW_MASS * width);
    f->topic = (int32_t *)(row + LDAVI_SPARSE_ROW_TOPIC * width);
    f->references = (int32_t *)(row + LDAVI_SPARSE_ROW_REFERENCES * width);
    f->place = (int32_t *)(row + LDAVI_SPARSE_ROW_PLACE * width);
    f->Kp = Kp;
    f->n_topics = 0;
    for (int64_t k = 0; k < Kp; k++) f->place[k] = (int32_t)f->Kp;
}

/* The place of a topic in the document's list, to which it is appended if it is not there. */
INLINE int64_t NAME(place_of)(NAME(sparse_state) *f, int64_t k) {
    int64_t i = f->place[k];
    if (i != f->Kp) return i;
    i = f->n_topics++;
    f->place[k] = (int32_t)i;
    f->topic[i] = (int32_t)k;
    f->doc_count[i] = 0;
    f->references[i] = 0;
    return i;
}

/* Remove the topic at place i; the last one of the list takes its place. */
INLINE void NAME(remove_place)(NAME(sparse_state) *f, int64_t i) {
    int64_t last = --f->n_topics;
    f->place[f->topic[i]] = (int32_t)f->Kp;
    if (i != last) {
        f->place[f->topic[last]] = (int32_t)i;
        f->topic[i] = f->topic[last];
        f->doc_count[i] = f->doc_count[last];
        f->references[i] = f->references[last];
        f->factor[i] = f->factor[last];
        f->prior_factor[i] = f->prior_factor[last];
    }
    f->factor[last] = f->prior_factor[last] = 0;
}

INLINE void NAME(update_factor)(const ldavi_assignments_args *a, NAME(sparse_state) *f, int64_t i) {
    int64_t k = f->topic[i];
    f->factor[i] = (f->doc_count[i] + ((const REAL *)a->alpha)[k]) * ((const REAL *)a->inverse)[k];
    f->prior_factor[i] = ((const REAL *)a->prior_weight)[k];
}

/* Prefetch where the row of a later count is, and the word's sums. */
INLINE void NAME(prefetch_word)(const ldavi_assignments_args *a, int64_t j, int64_t end) {
    if (j >= end) return;
    int64_t w = a->indices[j];
    PREFETCH(a->row_ptr + w);
    PREFETCH(a->row_length + w);
    PREFETCH(a->word_sums + 4 * w);
}

/* Prefetch the row of a later count; of a dense row, what the topics of the document need. */
INLINE void NAME(prefetch_sparse_row)(const ldavi_assignments_args *a, const NAME(sparse_state) *f, int64_t j) {
    if (j >= f->c.end) return;
    NAME(sparse_row) row = NAME(row_of)(a, a->indices[j]);
    if (!row.topic) {
        for (int64_t i = 0; i < f->n_topics; i++) PREFETCH_NEAR(row.mass + f->topic[i]);
        return;
    }
    int64_t per_line = LDAVI_ALIGN / (int64_t)sizeof(MASS);
    for (int64_t e = 0; e < row.length; e += per_line) PREFETCH_NEAR(row.mass + e);
    for (int64_t e = 0; e < row.length; e += LDAVI_ALIGN / 2) PREFETCH_NEAR(row.topic + e);
}

/* Begin with the next document that has counts: list its topics, with n_dk. Returns whether there was one. */
INLINE int NAME(begin_sparse_document)(const ldavi_assignments_args *a, NAME(sparse_state) *f, int64_t *next) {
    const REAL *counts = (const REAL *)a->counts;
    int64_t first = a->indptr[a->first_doc];
    NAME(cvb0_state) *c = &f->c;
    for (; *next < a->stop && a->indptr[*next] == a->indptr[*next + 1]; ++*next) a->log_predictive[*next] = 0;
    if (*next >= a->stop) return 0;
    c->d = (*next)++;
    c->j = a->indptr[c->d];
    c->end = a->indptr[c->d + 1];
    c->n_d = c->log_z = c->pending = 0;
    while (f->n_topics) NAME(remove_place)(f, f->n_topics - 1);
    for (int64_t j = c->j; j < c->end; j++) {
        int64_t place = a->position[j - first], at = SLOTS * place;
        if (j + PREFETCH_COUNTS < c->end) NAME(prefetch_assignment)(a, a->position[j + PREFETCH_COUNTS - first]);
        PREFETCH((const MASS *)a->mass + place);
        c->n_d += counts[j];
        for (int s = 0; s < SLOTS && a->share[at + s]; s++) {
            int64_t i = NAME(place_of)(f, a->topic[at + s]);
            f->doc_count[i] += counts[j] * a->share[at + s];
            f->references[i]++;
        }
    }
    for (int64_t i = 0; i < f->n_topics; i++) NAME(update_factor)(a, f, i);
    for (int i = 0; i < PREFETCH_WORDS; i++) NAME(prefetch_word)(a, c->j + i, c->end);
    for (int i = 0; i < PREFETCH_ROWS; i++) NAME(prefetch_sparse_row)(a, f, c->j + i);
    return 1;
}

/* n_wk, and eta_wk if it varies with k, of the topics in the document's list. */
INLINE void NAME(look_up_masses)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(sparse_row) row = f->row;
    int64_t n = f->n_topics, padded = UP_TO(n, NAME(LANES));
    if (row.topic) {
        memset(f->mass, 0, sizeof(MASS) * (size_t)padded);
        for (int64_t e = 0; e < row.length; e++) f->mass[f->place[row.topic[e]]] = row.mass[e];
    } else {
        for (int64_t i = 0; i < n; i++) f->mass[i] = row.mass[f->topic[i]];
        for (int64_t i = n; i < padded; i++) f->mass[i] = 0;
    }
    if (a->eta_col) {
        for (int64_t i = 0; i < n; i++) f->eta[i] = f->c.eta[f->topic[i]];
    }
}

/* Exclude the count itself from the factors of its topics, as `exclude` does, and its topics from the sum over those that
 * are not in the list. The sum was rounded in the same way for each topic, so that nothing but the others' part remains. */
INLINE void NAME(exclude_sparse)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    const REAL *alpha = (const REAL *)a->alpha, *totals = (const REAL *)a->totals;
    const NAME(cvb0_state) *c = &f->c;
    double rest = f->word[LDAVI_WORD_MASS] + f->word[LDAVI_WORD_PRIOR];
    REAL factor[SLOTS], of_mass[SLOTS], of_prior[SLOTS];
    int64_t place[SLOTS];
    UNROLL
    for (int s = 0; s < SLOTS; s++) { /* unused slots have the place Kp: how many are used cannot be predicted */
        int used = c->share[s] > 0;
        int64_t k = used ? c->topic[s] : 0, i = used ? f->place[k] : f->Kp;
        REAL doc = f->doc_count[i] - c->n * c->share[s], own = c->mass * c->share[s], weight = f->prior_factor[i];
        REAL all = (REAL)f->mass[i], prior = c->eta[k * a->eta_col], word = all - own;
        of_mass[s] = weight * all;
        of_prior[s] = weight * prior;
        doc = (doc > 0 ? doc : 0) + alpha[k];
        word = (word > 0 ? word : 0) + prior;
        factor[s] = doc * word / ((totals[k] - own) * (all + prior));
        place[s] = i;
    }
    UNROLL
    for (int s = 0; s < SLOTS; s++) {
        f->factor[place[s]] = factor[s];
        f->prior_factor[place[s]] = 0; /* until `finish_sparse_count` */
        rest -= (double)of_mass[s];
        rest -= (double)of_prior[s];
    }
    f->rest = rest;
}

/* Begin with the next count. */
INLINE void NAME(begin_sparse_count)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(cvb0_state) *c = &f->c;
    int64_t place = a->position[c->j - a->indptr[a->first_doc]], at = SLOTS * place, w = a->indices[c->j];
    NAME(prefetch_word)(a, c->j + PREFETCH_WORDS, c->end);
    NAME(prefetch_sparse_row)(a, f, c->j + PREFETCH_ROWS);
    if (c->j + PREFETCH_ROWS < c->end) { /* again: the rows of other words may have displaced it */
        int64_t later = a->position[c->j + PREFETCH_ROWS - a->indptr[a->first_doc]];
        NAME(prefetch_assignment)(a, later);
        PREFETCH((const MASS *)a->mass + later);
    }
    f->row = NAME(row_of)(a, w);
    f->word = a->word_sums + 4 * w;
    c->eta = (const REAL *)a->eta + w * a->eta_row;
    c->topic = a->topic + at;
    c->share = a->share + at;
    c->new_topic = a->new_topic + at;
    c->new_share = a->new_share + at;
    c->n = ((const REAL *)a->counts)[c->j];
    c->mass = (REAL)((const MASS *)a->mass)[place];
    c->bits = random_bits(a->seed + (uint64_t)(a->first_count + c->j) * 0x9e3779b97f4a7c15ULL);
    NAME(look_up_masses)(a, f);
}

/* The weights of the topics in the list, their sum by lanes, and the sum of the weights of all other topics. */
INLINE void NAME(weigh_list)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(vec) sum = NAME(SPLAT)(0), of_priors = sum, prior = NAME(SPLAT)(*f->c.eta);
    for (int64_t i = 0; i < f->n_topics; i += NAME(LANES)) {
        if (a->eta_col) prior = NAME(load)(f->eta + i);
        NAME(vec) phi = NAME(load_mass)(f->mass + i) + prior, x = NAME(load)(f->factor + i) * phi;
        NAME(store)(f->weight + i, x);
        sum += x;
        of_priors += NAME(load)(f->prior_factor + i) * phi;
    }
    NAME(store)(f->c.lane_sum, sum);
    f->rest -= (double)NAME(sum_lanes)(of_priors);
    if (f->rest < 0 || f->n_topics == a->K) f->rest = 0;
}

/* The topic of an entry of a row. */
INLINE int64_t NAME(topic_of)(const NAME(sparse_row) *row, int64_t e) { return row->topic ? row->topic[e] : e; }

/* A topic that exceeds min_weight; `place` is Kp if the topic is not in the list. */
typedef struct {
    int32_t topic, place;
    REAL weight;
} NAME(candidate);

/* The candidates among the topics outside the list; returns the number of all. `found` has n of them already.
 * Few words have any, since the part of such a topic is at most alpha_k of a count. */
static int NAME(find_outside)(const ldavi_assignments_args *a, const NAME(sparse_state) *f, REAL limit, int n,
                              NAME(candidate) *found) {
    const REAL *weight = (const REAL *)a->prior_weight;
    int n_list = n;
    if (f->word[LDAVI_WORD_MAX_PRIOR] > (double)limit) { /* topics without mass can exceed it, too */
        for (int64_t k = 0; k < a->K; k++) {
            if (f->place[k] != f->Kp || !(weight[k] * f->c.eta[k * a->eta_col] > limit)) continue;
            assert(n < MAX_CANDIDATES);
            found[n++] = (NAME(candidate)){(int32_t)k, (int32_t)f->Kp, weight[k] * f->c.eta[k * a->eta_col]};
        }
    }
    int n_prior = n;
    for (int64_t e = 0; e < f->row.length; e++) {
        int64_t k = NAME(topic_of)(&f->row, e);
        REAL x = weight[k] * ((REAL)f->row.mass[e] + f->c.eta[k * a->eta_col]);
        if (f->place[k] != f->Kp || !(x > limit)) continue;
        int at = n_list;
        while (at < n_prior && found[at].topic != k) at++;
        at = at < n_prior ? at : n++;
        assert(at < MAX_CANDIDATES);
        found[at] = (NAME(candidate)){(int32_t)k, (int32_t)f->Kp, x};
    }
    return n;
}

/* The topics whose weight exceeds min_weight; returns their number. */
INLINE int NAME(find_sparse)(const ldavi_assignments_args *a, const NAME(sparse_state) *f, REAL min_weight,
                             NAME(candidate) *found) {
    NAME(vec) limit = NAME(SPLAT)(min_weight);
    int n = 0;
    for (int64_t i = 0; i < f->n_topics; i += TILE) {
        int64_t end = f->n_topics < i + TILE ? f->n_topics : i + TILE;
        uint64_t bits = 0;
        for (int64_t v = i; v < end; v += NAME(LANES)) {
            bits |= (uint64_t)NAME(greater)(NAME(load)(f->weight + v), limit) << (v - i);
        }
        for (; bits; bits &= bits - 1) {
            int64_t at = i + lowest_bit(bits);
            assert(n < MAX_CANDIDATES && at < f->n_topics);
            found[n++] = (NAME(candidate)){f->topic[at], (int32_t)at, f->weight[at]};
        }
    }
    if (f->rest <= (double)min_weight) return n;
    if (f->word[LDAVI_WORD_MAX_MASS] + f->word[LDAVI_WORD_MAX_PRIOR] <= (double)min_weight) return n;
    return NAME(find_outside)(a, f, min_weight, n, found);
}

/* Assign the deterministic part of the truncated responsibility, and remove it from the weights: equation (18.3). */
INLINE void NAME(select_sparse)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(cvb0_state) *c = &f->c;
    NAME(candidate) found[MAX_CANDIDATES];
    c->Z = NAME(total)(c->lane_sum) + (REAL)f->rest;
    int n = NAME(find_sparse)(a, f, (REAL)(a->min_share * (double)c->Z), found), left = LDAVI_SHARES, m = 0;
    REAL scale = LDAVI_SHARES / c->Z;
    memset(c->new_share, 0, SLOTS);
    f->n_outside = 0;
    for (int i = 0; i < MAX_DETERMINISTIC && i < n; i++, c->bits >>= ROUNDING_BITS) { /* stochastic rounding: unbiased */
        int top = i;
        for (int j = i + 1; j < n && n > MAX_DETERMINISTIC; j++) top = found[j].weight > found[top].weight ? j : top;
        NAME(candidate) x = found[top];
        found[top] = found[i];
        REAL u = (REAL)(c->bits & ((1 << ROUNDING_BITS) - 1)) * (REAL)(1.0 / (1 << ROUNDING_BITS));
        int whole = (int)(x.weight * scale + u);
        whole = whole < left ? whole : left;
        c->new_topic[m] = (uint16_t)x.topic;
        c->new_share[m] = (uint8_t)whole;
        m += whole > 0;
        left -= whole;
        if (x.place == f->Kp) {
            f->rest -= (double)x.weight;
            f->outside[f->n_outside++] = x.topic;
        } else {
            c->lane_sum[x.place % NAME(LANES)] -= x.weight;
            f->weight[x.place] = 0;
        }
    }
    c->used = m;
    c->left = left;
}

/* Sample a topic of the list, in proportion to its weight: first its lane, then its vector. u is below the sum. */
INLINE int64_t NAME(sample_list)(const NAME(sparse_state) *f, REAL u) {
    REAL sum = 0, below = 0;
    int64_t at = 0, on = 1;
    for (int i = 0; i < NAME(LANES) - 1; i++) {
        sum += f->c.lane_sum[i];
        at += sum <= u;
        below = sum <= u ? sum : below;
    }
    u -= below;
    for (int64_t i = at; i + NAME(LANES) < f->n_topics; i += NAME(LANES)) {
        u -= f->weight[i];
        on &= u >= 0;
        at += on * NAME(LANES);
    }
    return f->topic[at < f->n_topics ? at : f->n_topics - 1]; /* rounding may point past the last weight */
}

/* Sample a topic outside the list in proportion to alpha_k eta_wk / (n_k + eta_k).
 * Draws from all topics are repeated until one is outside the list: its topics have a small part of this sum. */
static int64_t NAME(sample_prior)(const ldavi_assignments_args *a, const NAME(sparse_state) *f, uint64_t bits) {
    const REAL *weight = (const REAL *)a->prior_weight;
    const double *cumulative = a->cumulative;
    double sum = 0, u;
    int64_t last = f->c.used ? f->c.new_topic[0] : f->topic[0];
    for (int attempt = 0; attempt < MAX_ATTEMPTS && !a->eta_col; attempt++) {
        bits = random_bits(bits + 0x9e3779b97f4a7c15ULL);
        u = (double)(bits >> 11) * (1.0 / 9007199254740992.0) * cumulative[a->K - 1];
        int64_t k = 0;
        for (int64_t size = a->K; size > 1;) { /* the number of sums up to u: the first topic whose sum exceeds it */
            int64_t half = size / 2;
            k += cumulative[k + half - 1] <= u ? half : 0;
            size -= half;
        }
        if (f->place[k] == f->Kp) return k;
    }
    for (int64_t k = 0; k < a->K; k++) sum += f->place[k] == f->Kp ? (double)(weight[k] * f->c.eta[k * a->eta_col]) : 0;
    bits = random_bits(bits + 0x9e3779b97f4a7c15ULL);
    u = (double)(bits >> 11) * (1.0 / 9007199254740992.0) * sum;
    for (int64_t k = 0; k < a->K; k++) {
        if (f->place[k] != f->Kp) continue;
        last = k;
        u -= (double)(weight[k] * f->c.eta[k * a->eta_col]);
        if (u < 0) break;
    }
    return last; /* of the list if it has all topics */
}

/* Sample a topic outside the list: among those of the word's row, and else in proportion to the priors alone. Selected
 * topics have a place meanwhile, so that they are passed over. */
static int64_t NAME(sample_outside)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    const REAL *weight = (const REAL *)a->prior_weight;
    NAME(sparse_row) row = f->row;
    uint64_t bits = random_bits(a->seed + (uint64_t)(a->first_count + f->c.j) * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL);
    double u = (double)(bits >> 11) * (1.0 / 9007199254740992.0) * f->rest;
    int64_t found = -1;
    for (int i = 0; i < f->n_outside; i++) f->place[f->outside[i]] = 0;
    for (int64_t e = 0; e < row.length && found < 0; e += CHUNK) {
        REAL part[CHUNK], sums[4] = {0, 0, 0, 0}, sum;
        for (int64_t i = 0; i < CHUNK; i += 4) { /* rows have room for whole chunks */
            UNROLL
            for (int64_t v = 0; v < 4; v++) {
                int64_t k = NAME(topic_of)(&row, e + i + v);
                REAL is_outside = (REAL)((f->place[k] == f->Kp) & (e + i + v < row.length));
                part[i + v] = is_outside * weight[k] * (REAL)row.mass[e + i + v];
                sums[v] += part[i + v];
            }
        }
        sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        if (u >= (double)sum) {
            u -= (double)sum;
            continue;
        }
        for (int64_t i = 0; i < CHUNK && found < 0; i++) {
            u -= (double)part[i];
            if (u < 0 && part[i] > 0) found = NAME(topic_of)(&row, e + i);
        }
        u = u > 0 ? u : 0; /* rounding left the sum of the chunk above that of its parts */
    }
    if (found < 0) found = NAME(sample_prior)(a, f, bits);
    for (int i = 0; i < f->n_outside; i++) f->place[f->outside[i]] = (int32_t)f->Kp;
    return found;
}

/* Assign the remaining shares, if any, to one sampled topic: a selected one where almost no weight remains. */
INLINE void NAME(sample_sparse)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(cvb0_state) *c = &f->c;
    if (!c->left) return;
    REAL list = NAME(total)(c->lane_sum), rest = f->rest > 0 ? (REAL)f->rest : 0;
    REAL u = (REAL)(c->bits & ((1 << SAMPLING_BITS) - 1)) * (REAL)(1.0 / (1 << SAMPLING_BITS));
    list = list > 0 ? list : 0;
    u *= list + rest;
    int at = c->used;
    uint16_t sampled;
    if (c->used && !(list + rest > c->Z * (REAL)NEGLIGIBLE)) {
        sampled = c->new_topic[0]; /* nothing but rounding errors remains */
    } else {
        sampled = (uint16_t)(u < list ? NAME(sample_list)(f, u) : NAME(sample_outside)(a, f));
    }
    for (int i = 0; i < MAX_DETERMINISTIC; i++) at = ((i < c->used) & (c->new_topic[i] == sampled)) ? i : at;
    assert(at < SLOTS && sampled < a->K);
    c->new_topic[at] = sampled;
    c->new_share[at] = (uint8_t)(c->new_share[at] + c->left);
}

/* Update the document's list by the count's new assignment, and record the count's predictive probability. */
INLINE void NAME(finish_sparse_count)(const ldavi_assignments_args *a, NAME(sparse_state) *f) {
    NAME(cvb0_state) *c = &f->c;
    for (int s = 0; s < SLOTS && c->new_share[s]; s++) {
        int64_t i = NAME(place_of)(f, c->new_topic[s]);
        f->doc_count[i] += c->n * c->new_share[s];
        f->references[i]++;
        NAME(update_factor)(a, f, i);
    }
    for (int s = 0; s < SLOTS && c->share[s]; s++) {
        int64_t i = f->place[c->topic[s]];
        f->doc_count[i] -= c->n * c->share[s];
        if (--f->references[i]) NAME(update_factor)(a, f, i);
        else NAME(remove_place)(f, i);
    }
    NAME(record_probability)(a, c);
}

/* Assign the counts of the documents [start, stop), with n_wk and n_k before the block; rows of n_wk are sparse. */
static void NAME(update_assignments_sparse)(const ldavi_assignments_args *a) {
    NAME(sparse_state) states[LDAVI_CONCURRENT_DOCUMENTS];
    int64_t next = a->start;
    int n = 0; /* documents in progress */
    assert(a->K > 0 && a->K <= a->Kp && a->Kp % LDAVI_PAD == 0 && a->K <= UINT16_MAX + 1);
    assert(a->min_share * MAX_CANDIDATES >= 1);
    for (; n < LDAVI_CONCURRENT_DOCUMENTS; n++) {
        NAME(lay_out_sparse)(states + n, (REAL *)a->scratch, n, a->Kp);
        if (!NAME(begin_sparse_document)(a, states + n, &next)) break;
    }
    while (n) {
        for (int i = 0; i < n; i++) NAME(begin_sparse_count)(a, states + i);
        for (int i = 0; i < n; i++) NAME(exclude_sparse)(a, states + i);
        for (int i = 0; i < n; i++) NAME(weigh_list)(a, states + i);
        for (int i = 0; i < n; i++) NAME(select_sparse)(a, states + i);
        for (int i = 0; i < n; i++) NAME(sample_sparse)(a, states + i);
        for (int i = 0; i < n; i++) NAME(finish_sparse_count)(a, states + i);
        for (int i = n - 1; i >= 0; i--) {
            if (states[i].c.j < states[i].c.end) continue;
            NAME(finish_document)(a, &states[i].c);
            if (NAME(begin_sparse_document)(a, states + i, &next)) continue;
            states[i] = states[--n];
        }
    }
}

/* Prefetch a row, or the beginning of a long one. */
INLINE void NAME(prefetch_entries)(const MASS *mass, const uint16_t *topic, int64_t length) {
    int64_t n = length < 0 || length > MAX_PREFETCHED ? MAX_PREFETCHED : length;
    for (int64_t e = 0; e < n; e += LDAVI_ALIGN / (int64_t)sizeof(MASS)) PREFETCH(mass + e);
    for (int64_t e = 0; e < n; e += LDAVI_ALIGN / 2) PREFETCH(topic + e);
}

/* The sums of the words [start, stop) of a block that do not depend on the document. */
static void NAME(sum_words)(const ldavi_word_sums_args *a) {
    const REAL *weight = (const REAL *)a->prior_weight;
    for (int64_t w = a->start; w < a->stop; w++) {
        if (w + PREFETCH_ROWS < a->stop) {
            int64_t later = a->word_row[w + PREFETCH_ROWS], at = a->row_ptr[later];
            NAME(prefetch_entries)((const MASS *)a->N + at, a->row_topic + at, a->row_length[later]);
        }
        int64_t row = a->word_row[w], length = a->row_length[row];
        const MASS *mass = (const MASS *)a->N + a->row_ptr[row];
        const uint16_t *topic = a->row_topic + a->row_ptr[row];
        const REAL *eta = (const REAL *)a->eta + row * a->eta_row;
        double of_mass[4] = {0, 0, 0, 0}, of_prior = a->prior_total * (double)*eta;
        REAL max_mass[4] = {0, 0, 0, 0}, max_prior = (REAL)a->prior_max * *eta;
        int dense = length < 0;
        if (dense) length = a->K;
        for (int64_t e = 0; e < length; e += 4) { /* four sums, which do not wait for each other; rows have whole chunks */
            UNROLL
            for (int64_t v = 0; v < 4; v++) {
                REAL is_used = (REAL)(e + v < length);
                REAL x = is_used * weight[dense ? e + v : topic[e + v]] * (REAL)mass[e + v];
                of_mass[v] += (double)x;
                max_mass[v] = x > max_mass[v] ? x : max_mass[v];
            }
        }
        if (a->eta_col) {
            of_prior = max_prior = 0;
            for (int64_t k = 0; k < a->K; k++) {
                REAL x = weight[k] * eta[k];
                of_prior += (double)x;
                max_prior = x > max_prior ? x : max_prior;
            }
        }
        double *sums = a->word_sums + 4 * row;
        sums[LDAVI_WORD_MASS] = (of_mass[0] + of_mass[1]) + (of_mass[2] + of_mass[3]);
        sums[LDAVI_WORD_PRIOR] = of_prior;
        for (int v = 1; v < 4; v++) max_mass[0] = max_mass[v] > max_mass[0] ? max_mass[v] : max_mass[0];
        sums[LDAVI_WORD_MAX_MASS] = (double)max_mass[0];
        sums[LDAVI_WORD_MAX_PRIOR] = (double)max_prior;
    }
}

/* A row while it changes: its masses by topic, and the topics that come to it, as bits of two levels. */
typedef struct {
    MASS *mass;       /* (Kp,) 0 between rows */
    uint64_t *topics; /* (Kp / 64,) a bit for each topic that comes to the row; 0 between rows */
    uint64_t *words;  /* (Kp / 4096,) a bit for each entry of `topics` that is not 0; 0 between rows */
    uint16_t *added;  /* (Kp,) the same topics as a list, ascending */
} NAME(open_row);

/* Add the mass of one count to an open row and to n_k. Topics without mass may be new to the row. */
INLINE void NAME(add_mass_to_row)(const NAME(open_row) *open, double *total, MASS mass, const uint16_t *topic,
                                  const uint8_t *share) {
    for (int i = 0; i < SLOTS && share[i]; i++) {
        int64_t k = topic[i];
        MASS part = mass * share[i];
        total[k] += (double)part;
        if (open->mass[k] == 0) {
            open->topics[k / 64] |= 1ULL << (k % 64);
            open->words[k / 4096] |= 1ULL << (k / 64 % 64);
        }
        open->mass[k] += part;
    }
}

/* List the topics that came to the row, except those that the row had before, and clear their bits; returns their number.
 * The masses of topics that the row had are 0 here. */
INLINE int64_t NAME(list_added)(const NAME(open_row) *open, int64_t Kp) {
    int64_t n = 0;
    for (int64_t i = 0; i * 4096 < Kp; i++) {
        for (uint64_t words = open->words[i]; words; words &= words - 1) {
            int64_t j = i * 64 + lowest_bit(words);
            for (uint64_t bits = open->topics[j]; bits; bits &= bits - 1) {
                int64_t k = j * 64 + lowest_bit(bits);
                open->added[n] = (uint16_t)k;
                n += open->mass[k] != 0;
            }
            open->topics[j] = 0;
        }
        open->words[i] = 0;
    }
    return n;
}

/* Store the masses that are not 0 in ascending order of topics, and clear them; returns their number. */
INLINE int64_t NAME(close_row)(const NAME(open_row) *open, int64_t Kp, int64_t length, MASS *mass, uint16_t *topic) {
    int64_t n = 0;
    for (int64_t e = 0; e < length; e++) {
        int64_t k = topic[e];
        MASS x = open->mass[k];
        open->mass[k] = 0;
        mass[n] = x;
        topic[n] = (uint16_t)k;
        n += x != 0;
    }
    int64_t n_added = NAME(list_added)(open, Kp), from = n - 1;
    n += n_added;
    for (int64_t to = n - 1; n_added; to--) { /* merge, the last topic first */
        int64_t k = open->added[n_added - 1];
        if (from >= 0 && topic[from] > k) {
            topic[to] = topic[from];
            mass[to] = mass[from--];
        } else {
            topic[to] = (uint16_t)k;
            mass[to] = open->mass[k];
            open->mass[k] = 0;
            n_added--;
        }
    }
    return n;
}

/* Move the mass of the words [start, stop) of a block, as `apply_assignments` does, in rows that are sparse. */
static void NAME(apply_assignments_sparse)(const ldavi_apply_args *a) {
    const MASS *masses = (const MASS *)a->mass;
    int64_t width = UP_TO(a->Kp, 64);
    NAME(open_row) open;
    open.mass = (MASS *)a->scratch;
    open.topics = (uint64_t *)(open.mass + width);
    open.words = open.topics + width / 64;
    open.added = (uint16_t *)(open.words + (width + 4095) / 4096);
    memset(a->scratch, 0, (size_t)LDAVI_APPLY_SCRATCH_BYTES(a->Kp));
    for (int64_t w = a->start; w < a->stop; w++) {
        if (w + PREFETCH_ROWS < a->stop) {
            int64_t later = a->word_row[w + PREFETCH_ROWS], at = a->row_ptr[later];
            NAME(prefetch_entries)((const MASS *)a->N + at, a->row_topic + at, a->row_length[later]);
        }
        int64_t row = a->word_row[w], length = a->row_length[row];
        MASS *mass = (MASS *)a->N + a->row_ptr[row];
        uint16_t *topics = a->row_topic + a->row_ptr[row];
        for (int64_t e = 0; e < length; e++) open.mass[topics[e]] = mass[e];
        for (int64_t j = a->word_ptr[w]; j < a->word_ptr[w + 1]; j++) {
            uint16_t *topic = a->topic + SLOTS * j;
            uint8_t *share = a->share + SLOTS * j;
            const uint16_t *new_topic = a->new_topic + SLOTS * j;
            const uint8_t *new_share = a->new_share + SLOTS * j;
            if (length < 0) {
                NAME(add_mass)(mass, a->change, -masses[j], topic, share);
                NAME(add_mass)(mass, a->change, masses[j], new_topic, new_share);
            } else {
                NAME(add_mass_to_row)(&open, a->change, -masses[j], topic, share);
                NAME(add_mass_to_row)(&open, a->change, masses[j], new_topic, new_share);
            }
            memcpy(topic, new_topic, SLOTS * sizeof *topic);
            memcpy(share, new_share, SLOTS * sizeof *share);
        }
        if (length < 0) continue;
        length = NAME(close_row)(&open, a->Kp, length, mass, topics);
        assert(length <= a->row_ptr[row + 1] - a->row_ptr[row]);
        a->row_length[row] = (int32_t)length;
    }
}
