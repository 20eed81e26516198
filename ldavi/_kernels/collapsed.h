/* Collapsed variational Bayes, zeroth order (CVB0): equations (18.1) to (18.4) of docs/math.md.
 *
 * Included once per precision. A count stores SLOTS (topic, share) pairs: the responsibilities of its largest topics, and
 * one topic sampled in place of all others. Shares are whole numbers of 1 / LDAVI_SHARES, and masses are whole numbers too,
 * so that their sums are exact: rounding errors do not accumulate over passes, and the order of summation does not matter. */

/* The document that is being updated, and its current count. Weights lie in tiles: a search over all topics, for one to
 * sample or for those that exceed min_share, first searches the tiles, lane by lane. */
typedef struct {
    REAL *weight;    /* (Kp,) unnormalised responsibilities of the current count */
    REAL *tile_sum;  /* (tiles, LANES) sum of the weights in a lane of a tile */
    REAL *tile_max;  /* (tiles, LANES) largest of them */
    REAL *doc_count; /* (Kp,) n_dk in shares */
    REAL *factor;    /* (Kp,) (n_dk + alpha_k) / (n_k + eta_k), the part of a weight that all words share */
    REAL lane_sum[NAME(LANES)]; /* sum of all weights in a lane */
    int64_t d, j, end;          /* the document, the current count, the first count of the next document */
    double n_d, log_z, z[LANES_f64], times[LANES_f64];
    int pending;                /* entries of z that log_z does not contain yet */
    /* Of the current count: */
    const MASS *row;
    const REAL *eta;
    const uint16_t *topic;
    const uint8_t *share;
    uint16_t *new_topic, selected[MAX_DETERMINISTIC];
    uint8_t *new_share;
    REAL n, mass, Z;
    uint64_t bits;              /* random bits that are not used yet */
    int n_selected, used, left; /* topics above min_share, slots used so far, shares not assigned yet */
} NAME(cvb0_state);

/* weight_k = factor_k (n_wk + eta_wk) of n vectors of topics from k on, a tile or what remains; returns their sum by lanes. */
INLINE NAME(vec) NAME(weigh_tile)(const ldavi_assignments_args *a, const NAME(cvb0_state) *f, int64_t k, int64_t n) {
    NAME(vec) part = NAME(SPLAT)(0), top = part, prior = NAME(SPLAT)(*f->eta);
    int64_t place = k / TILE_VECTORS;
    UNROLL
    for (int64_t i = 0; i < n; i++, k += NAME(LANES)) {
        if (a->eta_col) prior = NAME(load)(f->eta + k);
        NAME(vec) x = NAME(load)(f->factor + k) * (NAME(load_mass)(f->row + k) + prior);
        NAME(store)(f->weight + k, x);
        part += x;
        top = NAME(max)(top, x);
    }
    NAME(store)(f->tile_sum + place, part);
    NAME(store)(f->tile_max + place, top);
    return part;
}

/* The weights of all topics. Kp is a multiple of LDAVI_PAD, so that the last tile consists of whole vectors. */
INLINE void NAME(weigh)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    NAME(vec) sum = NAME(SPLAT)(0);
    int64_t k = 0;
    for (; k + TILE <= a->Kp; k += TILE) sum += NAME(weigh_tile)(a, f, k, TILE_VECTORS);
    if (k < a->Kp) sum += NAME(weigh_tile)(a, f, k, (a->Kp - k) / NAME(LANES));
    NAME(store)(f->lane_sum, sum);
}

/* Exclude the count itself from the factors of its topics, equation (18.2); `add_to_document` restores them afterwards.
 * It is excluded before the products are summed: for a rare word, the difference can be less than the sum's rounding error. */
INLINE void NAME(exclude)(const ldavi_assignments_args *a, const NAME(cvb0_state) *f) {
    const REAL *alpha = (const REAL *)a->alpha, *totals = (const REAL *)a->totals;
    for (int i = 0; i < SLOTS && f->share[i]; i++) {
        int64_t k = f->topic[i];
        REAL doc = f->doc_count[k] - f->n * f->share[i], own = f->mass * f->share[i];
        REAL all = (REAL)f->row[k], prior = f->eta[k * a->eta_col], word = all - own;
        doc = (doc > 0 ? doc : 0) + alpha[k];
        word = (word > 0 ? word : 0) + prior;
        f->factor[k] = doc * word / ((totals[k] - own) * (all + prior));
    }
}

/* The topics whose weight exceeds min_weight; returns their number. Branches on single weights would be mispredicted, so
 * comparisons are collected as bits. */
INLINE int NAME(find_candidates)(const NAME(cvb0_state) *f, int64_t Kp, REAL min_weight, uint16_t *topic) {
    NAME(vec) limit = NAME(SPLAT)(min_weight);
    uint16_t tiles[MAX_CANDIDATES + 1];
    int n = 0, n_tiles = 0;
    for (int64_t k = 0, place = 0; k < Kp; k += TILE, place += NAME(LANES)) {
        assert(n_tiles <= MAX_CANDIDATES);
        tiles[n_tiles] = (uint16_t)k;
        n_tiles += NAME(greater)(NAME(load)(f->tile_max + place), limit) != 0;
    }
    for (int i = 0; i < n_tiles; i++) {
        int64_t k = tiles[i], size = Kp - k < TILE ? Kp - k : TILE;
        uint64_t bits = 0;
        UNROLL
        for (int v = 0; v < TILE; v += NAME(LANES)) {
            bits |= (uint64_t)NAME(greater)(NAME(load)(f->weight + k + v), limit) << v;
        }
        for (bits &= ~0ULL >> (64 - size); bits; bits &= bits - 1) {
            assert(n < MAX_CANDIDATES);
            topic[n++] = (uint16_t)(k + lowest_bit(bits));
        }
    }
    return n;
}

/* The MAX_DETERMINISTIC largest of the topics whose weight exceeds min_weight; returns their number. */
INLINE int NAME(select_largest)(const NAME(cvb0_state) *f, int64_t Kp, REAL min_weight, uint16_t *topic) {
    const REAL *weight = f->weight;
    uint16_t found[MAX_CANDIDATES];
    int n = NAME(find_candidates)(f, Kp, min_weight, found), m;
    for (m = 0; m < MAX_DETERMINISTIC && m < n; m++) {
        if (n > MAX_DETERMINISTIC) { /* rare: bring the largest of the rest to the front */
            int top = m;
            for (int i = m + 1; i < n; i++) top = weight[found[i]] > weight[found[top]] ? i : top;
            uint16_t first = found[m];
            found[m] = found[top];
            found[top] = first;
        }
        topic[m] = found[m];
    }
    return m;
}

INLINE REAL NAME(total)(const REAL *lane) {
    REAL sum[4] = {0, 0, 0, 0};
    for (int i = 0; i < NAME(LANES); i++) sum[i % 4] += lane[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Sample a topic in proportion to its weight: first its lane, then its tile, then its vector in the tile. u is in [0, 1).
 * There are no branches: every entry is read, but contributes only while no earlier partial sum exceeded u. */
INLINE int64_t NAME(sample_topic)(const NAME(cvb0_state) *f, int64_t K, int64_t Kp, REAL u) {
    REAL sum = 0, below = 0, *rest = f->tile_max; /* what remains of u before each tile; the maxima are no longer needed */
    int64_t at = 0, tile = 0, on = 1;
    u *= NAME(total)(f->lane_sum);
    for (int i = 0; i < NAME(LANES) - 1; i++) {
        sum += f->lane_sum[i];
        at += sum <= u;
        below = sum <= u ? sum : below;
    }
    *rest = u -= below;
    for (int64_t t = 1; t * TILE < Kp; t++) {
        rest[t] = u -= f->tile_sum[(t - 1) * NAME(LANES) + at];
        on &= u >= 0;
        tile += on;
    }
    int64_t k = tile * TILE + at, room = Kp - k;
    const REAL *weight = f->weight + k;
    u = rest[tile];
    on = 1;
    UNROLL
    for (int v = NAME(LANES); v < TILE; v += NAME(LANES), weight += NAME(LANES)) {
        u -= *weight;
        on &= (u >= 0) & (v < room);
        k += on * NAME(LANES);
    }
    return k < K ? k : K - 1; /* rounding may point past the last topic with any weight */
}

/* The sum of the weights, and the topics above min_share: equation (18.2). */
INLINE void NAME(select_topics)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    f->Z = NAME(total)(f->lane_sum);
    f->n_selected = NAME(select_largest)(f, a->Kp, (REAL)(a->min_share * (double)f->Z), f->selected);
}

/* Assign the deterministic part of the truncated responsibility, and remove it from the weights: equation (18.3). */
INLINE void NAME(assign_selected)(NAME(cvb0_state) *f) {
    int left = LDAVI_SHARES, m = 0;
    REAL scale = LDAVI_SHARES / f->Z;
    memset(f->new_share, 0, SLOTS);
    for (int i = 0; i < f->n_selected; i++, f->bits >>= ROUNDING_BITS) { /* stochastic rounding: unbiased */
        int64_t k = f->selected[i], lane = k % NAME(LANES);
        REAL weight = f->weight[k];
        REAL u = (REAL)(f->bits & ((1 << ROUNDING_BITS) - 1)) * (REAL)(1.0 / (1 << ROUNDING_BITS));
        int whole = (int)(weight * scale + u);
        whole = whole < left ? whole : left;
        f->new_topic[m] = (uint16_t)k;
        f->new_share[m] = (uint8_t)whole;
        m += whole > 0;
        left -= whole;
        f->lane_sum[lane] -= weight;
        f->tile_sum[k / TILE * NAME(LANES) + lane] -= weight;
        f->weight[k] = 0;
    }
    f->used = m;
    f->left = left;
}

/* Assign the remaining shares, if any, to one sampled topic: a selected one where almost no weight remains. */
INLINE void NAME(assign_sampled)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    REAL u = (REAL)(f->bits & ((1 << SAMPLING_BITS) - 1)) * (REAL)(1.0 / (1 << SAMPLING_BITS));
    uint16_t sampled = (uint16_t)NAME(sample_topic)(f, a->K, a->Kp, u);
    int at = f->used;
    for (int i = 0; i < MAX_DETERMINISTIC; i++) at = ((i < f->used) & (f->new_topic[i] == sampled)) ? i : at;
    assert(at < SLOTS);
    f->new_topic[at] = sampled;
    f->new_share[at] = (uint8_t)(f->new_share[at] + f->left);
}

/* Add a count with its assignment to the document's counts; n is negative to remove it. */
INLINE void NAME(add_to_document)(const ldavi_assignments_args *a, const NAME(cvb0_state) *f, REAL n,
                                  const uint16_t *topic, const uint8_t *share) {
    const REAL *alpha = (const REAL *)a->alpha, *inverse = (const REAL *)a->inverse;
    for (int i = 0; i < SLOTS && share[i]; i++) {
        int64_t k = topic[i];
        f->doc_count[k] += n * share[i];
        f->factor[k] = (f->doc_count[k] + alpha[k]) * inverse[k];
    }
}

/* Prefetch the row of a later count. */
INLINE void NAME(prefetch_row)(const ldavi_assignments_args *a, int64_t j, int64_t end) {
    if (j >= end) return;
    const char *row = (const char *)((const MASS *)a->N + a->indices[j] * a->Kp);
    for (int64_t i = 0; i < a->Kp * (int64_t)sizeof(MASS); i += LDAVI_ALIGN) PREFETCH_NEAR(row + i);
}

/* Prefetch the old and the new assignment of a count: those of a document are spread over the whole block. */
INLINE void NAME(prefetch_assignment)(const ldavi_assignments_args *a, int64_t place) {
    PREFETCH(a->topic + SLOTS * place);
    PREFETCH(a->share + SLOTS * place);
    PREFETCH(a->new_topic + SLOTS * place);
    PREFETCH(a->new_share + SLOTS * place);
}

/* Place the rows of the i-th concurrent document in the scratch memory, in the order of kernels.h. */
INLINE void NAME(lay_out_rows)(NAME(cvb0_state) *f, REAL *scratch, int64_t i, int64_t Kp) {
    REAL *row = scratch + i * LDAVI_ROWS_PER_DOCUMENT * Kp;
    f->weight = row + LDAVI_ROW_WEIGHT * Kp;
    f->tile_sum = row + LDAVI_ROW_TILE_SUM * Kp;
    f->tile_max = row + LDAVI_ROW_TILE_MAX * Kp;
    f->doc_count = row + LDAVI_ROW_DOC_COUNT * Kp;
    f->factor = row + LDAVI_ROW_FACTOR * Kp;
}

/* Begin with the next document that has counts: sum its n_dk. Returns whether there was one. */
INLINE int NAME(begin_document)(const ldavi_assignments_args *a, NAME(cvb0_state) *f, int64_t *next) {
    const REAL *counts = (const REAL *)a->counts, *alpha = (const REAL *)a->alpha, *inverse = (const REAL *)a->inverse;
    int64_t first = a->indptr[a->first_doc];
    for (; *next < a->stop && a->indptr[*next] == a->indptr[*next + 1]; ++*next) a->log_predictive[*next] = 0;
    if (*next >= a->stop) return 0;
    f->d = (*next)++;
    f->j = a->indptr[f->d];
    f->end = a->indptr[f->d + 1];
    f->n_d = f->log_z = f->pending = 0;
    for (int i = 0; i < PREFETCH_ROWS; i++) NAME(prefetch_row)(a, f->j + i, f->end);
    memset(f->doc_count, 0, sizeof(REAL) * (size_t)a->Kp);
    for (int64_t j = f->j; j < f->end; j++) {
        int64_t place = a->position[j - first], at = SLOTS * place;
        if (j + PREFETCH_COUNTS < f->end) NAME(prefetch_assignment)(a, a->position[j + PREFETCH_COUNTS - first]);
        PREFETCH((const MASS *)a->mass + place);
        f->n_d += counts[j];
        for (int i = 0; i < SLOTS && a->share[at + i]; i++) f->doc_count[a->topic[at + i]] += counts[j] * a->share[at + i];
    }
    for (int64_t k = 0; k < a->Kp; k += NAME(LANES)) {
        NAME(vec) x = (NAME(load)(f->doc_count + k) + NAME(load)(alpha + k)) * NAME(load)(inverse + k);
        NAME(store)(f->factor + k, x);
    }
    return 1;
}

/* Begin with the next count, and exclude it from the sums. */
INLINE void NAME(begin_count)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    int64_t place = a->position[f->j - a->indptr[a->first_doc]], at = SLOTS * place, w = a->indices[f->j];
    NAME(prefetch_row)(a, f->j + PREFETCH_ROWS, f->end);
    f->row = (const MASS *)a->N + w * a->Kp;
    f->eta = (const REAL *)a->eta + w * a->eta_row;
    f->topic = a->topic + at;
    f->share = a->share + at;
    f->new_topic = a->new_topic + at;
    f->new_share = a->new_share + at;
    f->n = ((const REAL *)a->counts)[f->j];
    f->mass = (REAL)((const MASS *)a->mass)[place];
    f->bits = random_bits(a->seed + (uint64_t)(a->first_count + f->j) * 0x9e3779b97f4a7c15ULL);
    NAME(exclude)(a, f);
}

/* Record the count's predictive probability, and go to the next count. */
INLINE void NAME(record_probability)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    REAL excluded = f->share[0] ? f->n : 0;
    assert(f->pending < LANES_f64);
    f->z[f->pending] = (double)f->Z / (LDAVI_SHARES * (f->n_d - excluded + a->alpha_total));
    f->times[f->pending++] = f->n;
    if (f->pending == LANES_f64) {
        f->log_z += sum_lanes_f64(load_f64(f->times) * log_f64(load_f64(f->z)));
        f->pending = 0;
    }
    f->j++;
}

/* Update the document's sums by the count's new assignment, and record the count's predictive probability. */
INLINE void NAME(finish_count)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    NAME(add_to_document)(a, f, -f->n, f->topic, f->share);
    NAME(add_to_document)(a, f, f->n, f->new_topic, f->new_share);
    NAME(record_probability)(a, f);
}

INLINE void NAME(finish_document)(const ldavi_assignments_args *a, NAME(cvb0_state) *f) {
    for (int i = 0; i < f->pending; i++) f->log_z += f->times[i] * max_lanes_f64(log_f64(SPLAT_f64(f->z[i])));
    a->log_predictive[f->d] = f->log_z;
}

/* Assign the counts of the documents [start, stop), with n_wk and n_k before the block.
 *
 * Each step of a count depends on the previous one, and some end in a branch that is hard to predict. A few documents are
 * therefore interleaved, step by step, so that one computes while another waits. They do not read each other's results,
 * and no bit depends on which documents are interleaved. */
static void NAME(update_assignments)(const ldavi_assignments_args *a) {
    NAME(cvb0_state) states[LDAVI_CONCURRENT_DOCUMENTS];
    int64_t next = a->start;
    int n = 0; /* documents in progress */
    assert(a->K > 0 && a->K <= a->Kp && a->Kp % LDAVI_PAD == 0 && a->K <= UINT16_MAX + 1);
    assert(a->min_share * MAX_CANDIDATES >= 1);
    for (; n < LDAVI_CONCURRENT_DOCUMENTS; n++) {
        NAME(lay_out_rows)(states + n, (REAL *)a->scratch, n, a->Kp);
        if (!NAME(begin_document)(a, states + n, &next)) break;
    }
    while (n) {
        for (int i = 0; i < n; i++) NAME(begin_count)(a, states + i);
        for (int i = 0; i < n; i++) NAME(weigh)(a, states + i);
        for (int i = 0; i < n; i++) NAME(select_topics)(a, states + i);
        for (int i = 0; i < n; i++) NAME(assign_selected)(states + i);
        for (int i = 0; i < n; i++) NAME(assign_sampled)(a, states + i);
        for (int i = 0; i < n; i++) NAME(finish_count)(a, states + i);
        for (int i = n - 1; i >= 0; i--) {
            if (states[i].j < states[i].end) continue;
            NAME(finish_document)(a, states + i);
            if (!NAME(begin_document)(a, states + i, &next)) states[i] = states[--n];
        }
    }
}

/* Add the mass of one count to n_wk and n_k according to its assignment. */
INLINE void NAME(add_mass)(MASS *row, double *total, MASS mass, const uint16_t *topic, const uint8_t *share) {
    for (int i = 0; i < SLOTS && share[i]; i++) {
        MASS part = mass * share[i];
        row[topic[i]] += part;
        total[topic[i]] += (double)part;
    }
}

/* Move the mass of the words [start, stop) of a block to their counts' new assignments: equation (18.4). */
static void NAME(apply_assignments)(const ldavi_apply_args *a) {
    const MASS *mass = (const MASS *)a->mass;
    for (int64_t w = a->start; w < a->stop; w++) {
        MASS *row = (MASS *)a->N + (int64_t)a->word_row[w] * a->Kp;
        for (int64_t j = a->word_ptr[w]; j < a->word_ptr[w + 1]; j++) {
            uint16_t *topic = a->topic + SLOTS * j;
            uint8_t *share = a->share + SLOTS * j;
            const uint16_t *new_topic = a->new_topic + SLOTS * j;
            const uint8_t *new_share = a->new_share + SLOTS * j;
            int whole = share[0] == LDAVI_SHARES && new_share[0] == LDAVI_SHARES;
            if (whole && topic[0] == new_topic[0]) continue; /* frequent once the topics have formed */
            NAME(add_mass)(row, a->change, -mass[j], topic, share);
            NAME(add_mass)(row, a->change, mass[j], new_topic, new_share);
            memcpy(topic, new_topic, SLOTS * sizeof *topic);
            memcpy(share, new_share, SLOTS * sizeof *share);
        }
    }
}
