/* Collapsed variational Bayes, zeroth order: equations (30) to (33) of docs/math.md.
 *
 * Included once per precision. A count keeps SLOTS (topic, share) pairs: what it holds of its largest topics, and one
 * topic drawn for all the rest. Shares are whole numbers of 1 / LDAVI_SHARES, masses whole numbers too, so that sums of
 * them are exact: no rounding gathers over passes, and no order of summation can be told from another. */

#define SLOTS LDAVI_SLOTS
#define KEPT (SLOTS - 1)
#define MOST_FOUND 1024
#define AHEAD 6 /* counts of a document, by which their assignments are asked for early */
#define TILE_VECTORS 4
#define TILE (TILE_VECTORS * NAME(LANES)) /* topics */

#define MASS NAME(mass)
#define mass_f32 int32_t
#define mass_f64 double

#ifndef LDAVI_COLLAPSED_ONCE
#define LDAVI_COLLAPSED_ONCE
/* splitmix64's finaliser (Steele, Lea, Flood 2014): bits of their own for every count of every pass. */
INLINE uint64_t random_bits(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}
#endif

/* What one document's visit works on. Weights lie in tiles: what is looked for among all topics, one to draw or those large
 * enough to keep, is first looked for among tiles, lane by lane. */
typedef struct {
    REAL *doc;   /* (Kp,) n_dk in shares */
    REAL *field; /* (Kp,) (n_dk + alpha_k) / (n_k + eta_k), the part of a weight that is common to words */
    REAL *weight;
    REAL *part; /* (tiles, LANES) the sums of weights in a lane of a tile */
    REAL *top;  /* (tiles, LANES) and the largest of them */
} NAME(collapsed_frame);

/* weight_k = field_k (n_wk + eta_wk) of n vectors of topics, a tile of them or what is left, from k on; their sum by lanes. */
INLINE NAME(vec) NAME(weigh_tile)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, const MASS *row, const REAL *eta,
                                  int64_t k, int64_t n) {
    NAME(vec) part = NAME(SPLAT)(0), top = part, prior = NAME(SPLAT)(*eta);
    int64_t place = k / TILE_VECTORS;
    UNROLL
    for (int64_t i = 0; i < n; i++, k += NAME(LANES)) {
        if (a->eta_col) prior = NAME(load)(eta + k);
        NAME(vec) x = NAME(load)(f->field + k) * (NAME(load_mass)(row + k) + prior);
        NAME(store)(f->weight + k, x);
        part += x;
        top = NAME(max)(top, x);
    }
    NAME(store)(f->part + place, part);
    NAME(store)(f->top + place, top);
    return part;
}

/* The weights of all topics; the sum of them lane by lane. */
INLINE NAME(vec) NAME(weigh)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, const MASS *row, const REAL *eta) {
    NAME(vec) sum = NAME(SPLAT)(0);
    int64_t k = 0;
    for (; k + TILE <= a->Kp; k += TILE) sum += NAME(weigh_tile)(a, f, row, eta, k, TILE_VECTORS);
    if (k < a->Kp) sum += NAME(weigh_tile)(a, f, row, eta, k, (a->Kp - k) / NAME(LANES));
    return sum;
}

/* Have the next `weigh` leave out what the count itself holds, equation (31); `move` puts the fields right again.
 * Before the sum, not after: what is left of a rare word's weight can be less than the rounding of what it was. */
INLINE void NAME(exclude)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, const MASS *row, const REAL *eta, REAL n,
                          REAL mass, const uint16_t *topic, const uint8_t *share) {
    const REAL *alpha = (const REAL *)a->alpha, *totals = (const REAL *)a->totals;
    for (int i = 0; i < SLOTS && share[i]; i++) {
        int64_t k = topic[i];
        REAL doc = f->doc[k] - n * share[i], own = mass * share[i], all = (REAL)row[k], prior = eta[k * a->eta_col];
        REAL word = all - own;
        doc = (doc > 0 ? doc : 0) + alpha[k];
        word = (word > 0 ? word : 0) + prior;
        f->field[k] = doc * word / ((totals[k] - own) * (all + prior));
    }
}

/* The topics that hold more than `least`, the KEPT largest of them at most; returns how many. */
INLINE int NAME(largest)(const NAME(collapsed_frame) *f, int64_t Kp, REAL least, uint16_t *topic) {
    const REAL *weight = f->weight;
    NAME(vec) limit = NAME(SPLAT)(least);
    uint16_t found[MOST_FOUND];
    int n = 0, m;
    for (int64_t tile = 0; tile < Kp; tile += TILE) {
        if (!NAME(greater)(NAME(load)(f->top + tile / TILE_VECTORS), limit)) continue;
        for (int64_t k = tile; k < Kp && k < tile + TILE; k += NAME(LANES)) {
            for (uint32_t bits = NAME(greater)(NAME(load)(weight + k), limit); bits; bits &= bits - 1) {
                found[n++] = (uint16_t)(k + lowest_bit(bits));
            }
        }
    }
    for (m = 0; m < KEPT && m < n; m++) {
        if (n > KEPT) { /* seldom: bring the largest of the rest to the front */
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

/* A topic drawn in proportion to its weight: first its lane, then its tile, then its place in both. u is in [0, 1). */
INLINE int64_t NAME(draw)(const NAME(collapsed_frame) *f, int64_t K, int64_t Kp, const REAL *lane, REAL u) {
    REAL sum = 0, below = 0;
    int at = 0;
    u *= NAME(total)(lane);
    for (int i = 0; i < NAME(LANES) - 1; i++) {
        sum += lane[i];
        at += sum <= u;
        below = sum <= u ? sum : below;
    }
    u -= below;
    int64_t k = at;
    for (const REAL *part = f->part + at; *part <= u && k + TILE < Kp; k += TILE, part += NAME(LANES)) u -= *part;
    for (int64_t end = k + TILE < Kp ? k + TILE : Kp; f->weight[k] <= u && k + NAME(LANES) < end; k += NAME(LANES)) {
        u -= f->weight[k];
    }
    return k < K ? k : K - 1; /* rounding may point past the last topic with any weight */
}

/* A new assignment of one count; returns the sum of the weights, before it is normalised. Equations (31), (32). */
INLINE REAL NAME(assign)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, const MASS *row, const REAL *eta, REAL n,
                         REAL mass, uint64_t bits, const uint16_t *old_topic, const uint8_t *old_share,
                         uint16_t *topic, uint8_t *share) {
    REAL lane[NAME(LANES)];
    NAME(exclude)(a, f, row, eta, n, mass, old_topic, old_share);
    NAME(store)(lane, NAME(weigh)(a, f, row, eta));
    REAL Z = NAME(total)(lane);
    int left = LDAVI_SHARES, m = 0;
    uint16_t kept[KEPT];
    REAL scale = LDAVI_SHARES / Z;
    int n_kept = NAME(largest)(f, a->Kp, a->least * Z, kept);
    memset(share, 0, SLOTS);
    for (int i = 0; i < n_kept; i++, bits >>= 13) { /* rounded up as often as what rounding down loses would have it */
        REAL held = f->weight[kept[i]];
        int whole = (int)(held * scale + (REAL)(bits & 0x1fff) * (REAL)(1.0 / 0x2000));
        whole = whole < left ? whole : left;
        topic[m] = kept[i];
        share[m] = (uint8_t)whole;
        m += whole > 0;
        left -= whole;
        int in = kept[i] % NAME(LANES);
        lane[in] -= held;
        f->part[kept[i] / TILE * NAME(LANES) + in] -= held;
        f->weight[kept[i]] = 0;
    }
    if (left) {
        uint16_t drawn = (uint16_t)NAME(draw)(f, a->K, a->Kp, lane, (REAL)(bits & 0xffffff) * (REAL)(1.0 / 0x1000000));
        int at = 0;
        while (at < m && topic[at] != drawn) at++; /* a kept one, where next to nothing is left to draw from */
        topic[at] = drawn;
        share[at] = (uint8_t)(share[at] + left);
    }
    return Z;
}

/* Move a count of a document from the topics it had to those it has now. */
INLINE void NAME(move)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, REAL n, const uint16_t *topic,
                       const uint8_t *share) {
    const REAL *alpha = (const REAL *)a->alpha, *inverse = (const REAL *)a->inverse;
    for (int i = 0; i < SLOTS && share[i]; i++) {
        int64_t k = topic[i];
        f->doc[k] += n * share[i];
        f->field[k] = (f->doc[k] + alpha[k]) * inverse[k];
    }
}

/* Ask for the row of a count that is still to come. */
INLINE void NAME(fetch_row)(const ldavi_collapsed *a, const MASS *N, int64_t j, int64_t stop) {
    if (j >= stop) return;
    const char *row = (const char *)(N + a->indices[j] * a->Kp);
    for (int64_t i = 0; i < a->Kp * (int64_t)sizeof(MASS); i += LDAVI_ALIGN) PREFETCH(row + i);
}

/* Ask for what a count by word holds, and for the room for what it will: documents find these all over the block. */
INLINE void NAME(fetch_assignment)(const ldavi_collapsed *a, int64_t place) {
    PREFETCH(a->topic + SLOTS * place);
    PREFETCH(a->share + SLOTS * place);
    PREFETCH(a->new_topic + SLOTS * place);
    PREFETCH(a->new_share + SLOTS * place);
}

/* Visit the documents [start, stop), their words' masses being those of before the block. */
static void NAME(visit_collapsed)(const ldavi_collapsed *a) {
    const REAL *counts = (const REAL *)a->counts, *alpha = (const REAL *)a->alpha, *inverse = (const REAL *)a->inverse;
    const MASS *N = (const MASS *)a->N, *mass = (const MASS *)a->mass;
    REAL *scratch = (REAL *)a->scratch;
    NAME(collapsed_frame) f = {scratch, scratch + a->Kp, scratch + 2 * a->Kp, scratch + 3 * a->Kp, scratch + 4 * a->Kp};
    int64_t first = a->indptr[a->first_doc];
    for (int64_t d = a->start; d < a->stop; d++) {
        double n_d = 0, log_z = 0, z[LANES_f64], times[LANES_f64];
        int pending = 0;
        memset(f.doc, 0, sizeof(REAL) * (size_t)a->Kp);
        for (int64_t j = a->indptr[d]; j < a->indptr[d + 1]; j++) {
            int64_t place = a->position[j - first], at = SLOTS * place;
            if (j + AHEAD < a->indptr[d + 1]) NAME(fetch_assignment)(a, a->position[j + AHEAD - first]);
            PREFETCH(mass + place);
            n_d += counts[j];
            for (int i = 0; i < SLOTS && a->share[at + i]; i++) f.doc[a->topic[at + i]] += counts[j] * a->share[at + i];
        }
        for (int64_t k = 0; k < a->Kp; k += NAME(LANES)) {
            NAME(vec) x = (NAME(load)(f.doc + k) + NAME(load)(alpha + k)) * NAME(load)(inverse + k);
            NAME(store)(f.field + k, x);
        }
        for (int64_t j = a->indptr[d]; j < a->indptr[d + 1]; j++) {
            int64_t place = a->position[j - first], at = SLOTS * place, w = a->indices[j];
            const REAL *eta = (const REAL *)a->eta + w * a->eta_row;
            REAL n = counts[j], was = a->share[at] ? n : 0;
            NAME(fetch_row)(a, N, j + 2, a->indptr[d + 1]);
            uint64_t bits = random_bits(a->seed + (uint64_t)(a->first_count + j) * 0x9e3779b97f4a7c15ULL);
            REAL Z = NAME(assign)(a, &f, N + w * a->Kp, eta, n, (REAL)mass[place], bits, a->topic + at, a->share + at,
                                  a->new_topic + at, a->new_share + at);
            NAME(move)(a, &f, -n, a->topic + at, a->share + at);
            NAME(move)(a, &f, n, a->new_topic + at, a->new_share + at);
            z[pending] = (double)Z / (LDAVI_SHARES * (n_d - was + a->alpha_total));
            times[pending++] = n;
            if (pending == LANES_f64) {
                log_z += sum_lanes_f64(load_f64(times) * log_f64(load_f64(z)));
                pending = 0;
            }
        }
        for (int i = 0; i < pending; i++) log_z += times[i] * max_lanes_f64(log_f64(SPLAT_f64(z[i])));
        a->log_predictive[d] = log_z;
    }
}

INLINE void NAME(hand_over)(MASS *row, double *total, MASS mass, const uint16_t *topic, const uint8_t *share) {
    for (int i = 0; i < SLOTS && share[i]; i++) {
        MASS part = mass * share[i];
        row[topic[i]] += part;
        total[topic[i]] += (double)part;
    }
}

/* Give the words [start, stop) of a block the masses of their counts' new assignments: equation (33). */
static void NAME(reassign_words)(const ldavi_reassigned *a) {
    const MASS *mass = (const MASS *)a->mass;
    for (int64_t w = a->start; w < a->stop; w++) {
        MASS *row = (MASS *)a->N + (int64_t)a->word_row[w] * a->Kp;
        for (int64_t j = a->word_ptr[w]; j < a->word_ptr[w + 1]; j++) {
            NAME(hand_over)(row, a->change, -mass[j], a->topic + SLOTS * j, a->share + SLOTS * j);
            NAME(hand_over)(row, a->change, mass[j], a->new_topic + SLOTS * j, a->new_share + SLOTS * j);
            memcpy(a->topic + SLOTS * j, a->new_topic + SLOTS * j, SLOTS * sizeof *a->topic);
            memcpy(a->share + SLOTS * j, a->new_share + SLOTS * j, SLOTS * sizeof *a->share);
        }
    }
}

#undef SLOTS
#undef KEPT
#undef MOST_FOUND
#undef AHEAD
#undef TILE_VECTORS
#undef TILE
#undef MASS
#undef mass_f32
#undef mass_f64
