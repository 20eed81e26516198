/* Collapsed variational Bayes, zeroth order: equations (30) to (33) of docs/math.md.
 *
 * Included once per precision. A count keeps SLOTS (topic, share) pairs: what it holds of its largest topics, and one
 * topic drawn for all the rest. Shares are whole numbers of 1 / LDAVI_SHARES, masses whole numbers too, so that sums of
 * them are exact: no rounding gathers over passes, and no order of summation can be told from another. */

#define SLOTS LDAVI_SLOTS
#define KEPT (SLOTS - 1)
#define MOST_FOUND 1024
#define AHEAD 6 /* counts of a document, by which their assignments are asked for early */
#define ROWS_AHEAD 3 /* likewise, rows of N */
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
    REAL *weight; /* (Kp,) the first row: tiles are read whole, and the last may reach into the next rows */
    REAL *part;   /* (tiles, LANES) the sums of weights in a lane of a tile */
    REAL *top;    /* (tiles, LANES) and the largest of them */
    REAL *doc;    /* (Kp,) n_dk in shares */
    REAL *field;  /* (Kp,) (n_dk + alpha_k) / (n_k + eta_k), the part of a weight that is common to words */
    REAL lane[NAME(LANES)]; /* the sums of all weights in a lane */
    int64_t d, j, end;      /* the document, the count at hand, the first one of the next document */
    double n_d, log_z, z[LANES_f64], times[LANES_f64];
    int pending;            /* how many of z are not in log_z yet */
    /* Of the count at hand: */
    const MASS *row;
    const REAL *eta;
    const uint16_t *topic;
    const uint8_t *share;
    uint16_t *new_topic, kept[KEPT];
    uint8_t *new_share;
    REAL n, mass, Z;
    uint64_t bits;          /* at random, those not used yet */
    int n_kept, used, left; /* topics large enough, slots used so far, shares that are left for the next one */
} NAME(collapsed_frame);

/* weight_k = field_k (n_wk + eta_wk) of n vectors of topics, a tile of them or what is left, from k on; their sum by lanes. */
INLINE NAME(vec) NAME(weigh_tile)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f, int64_t k, int64_t n) {
    NAME(vec) part = NAME(SPLAT)(0), top = part, prior = NAME(SPLAT)(*f->eta);
    int64_t place = k / TILE_VECTORS;
    UNROLL
    for (int64_t i = 0; i < n; i++, k += NAME(LANES)) {
        if (a->eta_col) prior = NAME(load)(f->eta + k);
        NAME(vec) x = NAME(load)(f->field + k) * (NAME(load_mass)(f->row + k) + prior);
        NAME(store)(f->weight + k, x);
        part += x;
        top = NAME(max)(top, x);
    }
    NAME(store)(f->part + place, part);
    NAME(store)(f->top + place, top);
    return part;
}

/* The weights of all topics. */
INLINE void NAME(weigh)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    NAME(vec) sum = NAME(SPLAT)(0);
    int64_t k = 0;
    for (; k + TILE <= a->Kp; k += TILE) sum += NAME(weigh_tile)(a, f, k, TILE_VECTORS);
    if (k < a->Kp) sum += NAME(weigh_tile)(a, f, k, (a->Kp - k) / NAME(LANES));
    NAME(store)(f->lane, sum);
}

/* Have the next `weigh` leave out what the count itself holds, equation (31); `move` puts the fields right again.
 * Before the sum, not after: what is left of a rare word's weight can be less than the rounding of what it was. */
INLINE void NAME(exclude)(const ldavi_collapsed *a, const NAME(collapsed_frame) *f) {
    const REAL *alpha = (const REAL *)a->alpha, *totals = (const REAL *)a->totals;
    for (int i = 0; i < SLOTS && f->share[i]; i++) {
        int64_t k = f->topic[i];
        REAL doc = f->doc[k] - f->n * f->share[i], own = f->mass * f->share[i];
        REAL all = (REAL)f->row[k], prior = f->eta[k * a->eta_col], word = all - own;
        doc = (doc > 0 ? doc : 0) + alpha[k];
        word = (word > 0 ? word : 0) + prior;
        f->field[k] = doc * word / ((totals[k] - own) * (all + prior));
    }
}

/* The topics that weigh more than `least`; returns how many. Where they are cannot be foreseen: bits, not branches. */
INLINE int NAME(above)(const NAME(collapsed_frame) *f, int64_t Kp, REAL least, uint16_t *topic) {
    NAME(vec) limit = NAME(SPLAT)(least);
    uint16_t tiles[MOST_FOUND + 1];
    int n = 0, n_tiles = 0;
    for (int64_t k = 0, place = 0; k < Kp; k += TILE, place += NAME(LANES)) {
        tiles[n_tiles] = (uint16_t)k;
        n_tiles += NAME(greater)(NAME(load)(f->top + place), limit) != 0;
    }
    for (int i = 0; i < n_tiles; i++) {
        int64_t k = tiles[i], size = Kp - k < TILE ? Kp - k : TILE;
        uint64_t bits = 0;
        UNROLL
        for (int v = 0; v < TILE; v += NAME(LANES)) {
            bits |= (uint64_t)NAME(greater)(NAME(load)(f->weight + k + v), limit) << v;
        }
        for (bits &= ~0ULL >> (64 - size); bits; bits &= bits - 1) topic[n++] = (uint16_t)(k + lowest_bit(bits));
    }
    return n;
}

/* The topics that hold more than `least`, the KEPT largest of them at most; returns how many. */
INLINE int NAME(largest)(const NAME(collapsed_frame) *f, int64_t Kp, REAL least, uint16_t *topic) {
    const REAL *weight = f->weight;
    uint16_t found[MOST_FOUND];
    int n = NAME(above)(f, Kp, least, found), m;
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

/* A topic drawn in proportion to its weight: first its lane, then its tile, then its place in both. u is in [0, 1).
 * No branches here either: every place is gone to, but counts only as long as none before it was beyond u. */
INLINE int64_t NAME(draw)(const NAME(collapsed_frame) *f, int64_t K, int64_t Kp, REAL u) {
    REAL sum = 0, below = 0, *rest = f->top; /* of u, tile by tile, where nobody looks for the largest any more */
    int64_t at = 0, tile = 0, on = 1;
    u *= NAME(total)(f->lane);
    for (int i = 0; i < NAME(LANES) - 1; i++) {
        sum += f->lane[i];
        at += sum <= u;
        below = sum <= u ? sum : below;
    }
    *rest = u -= below;
    for (int64_t t = 1; t * TILE < Kp; t++) {
        rest[t] = u -= f->part[(t - 1) * NAME(LANES) + at];
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

/* The sum of the weights, and the topics that are large enough to keep: equation (31). */
INLINE void NAME(find)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    f->Z = NAME(total)(f->lane);
    f->n_kept = NAME(largest)(f, a->Kp, a->least * f->Z, f->kept);
}

/* Give the topics that were found what they hold, and take it out of the weights: equation (32). */
INLINE void NAME(keep)(NAME(collapsed_frame) *f) {
    int left = LDAVI_SHARES, m = 0;
    REAL scale = LDAVI_SHARES / f->Z;
    memset(f->new_share, 0, SLOTS);
    for (int i = 0; i < f->n_kept; i++, f->bits >>= 13) { /* rounded up as often as what rounding down loses would have it */
        int64_t k = f->kept[i], in = k % NAME(LANES);
        REAL held = f->weight[k];
        int whole = (int)(held * scale + (REAL)(f->bits & 0x1fff) * (REAL)(1.0 / 0x2000));
        whole = whole < left ? whole : left;
        f->new_topic[m] = (uint16_t)k;
        f->new_share[m] = (uint8_t)whole;
        m += whole > 0;
        left -= whole;
        f->lane[in] -= held;
        f->part[k / TILE * NAME(LANES) + in] -= held;
        f->weight[k] = 0;
    }
    f->used = m;
    f->left = left;
}

/* Give what is left, if anything, to one topic: a kept one, where next to nothing is left to draw from. */
INLINE void NAME(give_rest)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    REAL u = (REAL)(f->bits & 0xffffff) * (REAL)(1.0 / 0x1000000);
    uint16_t drawn = (uint16_t)NAME(draw)(f, a->K, a->Kp, u);
    int at = f->used;
    for (int i = 0; i < KEPT; i++) at = (i < f->used) & (f->new_topic[i] == drawn) ? i : at;
    f->new_topic[at] = drawn;
    f->new_share[at] = (uint8_t)(f->new_share[at] + f->left);
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
INLINE void NAME(fetch_row)(const ldavi_collapsed *a, int64_t j, int64_t end) {
    if (j >= end) return;
    const char *row = (const char *)((const MASS *)a->N + a->indices[j] * a->Kp);
    for (int64_t i = 0; i < a->Kp * (int64_t)sizeof(MASS); i += LDAVI_ALIGN) PREFETCH_NEAR(row + i);
}

/* Ask for what a count by word holds, and for the room for what it will: documents find these all over the block. */
INLINE void NAME(fetch_assignment)(const ldavi_collapsed *a, int64_t place) {
    PREFETCH(a->topic + SLOTS * place);
    PREFETCH(a->share + SLOTS * place);
    PREFETCH(a->new_topic + SLOTS * place);
    PREFETCH(a->new_share + SLOTS * place);
}

INLINE void NAME(lay_out)(NAME(collapsed_frame) *f, REAL *row, int64_t Kp) {
    f->weight = row;
    f->part = row + Kp;
    f->top = row + 2 * Kp;
    f->doc = row + 3 * Kp;
    f->field = row + 4 * Kp;
}

/* Turn to the next document that has counts: what it holds of each topic. Returns whether there was one. */
INLINE int NAME(begin)(const ldavi_collapsed *a, NAME(collapsed_frame) *f, int64_t *next) {
    const REAL *counts = (const REAL *)a->counts, *alpha = (const REAL *)a->alpha, *inverse = (const REAL *)a->inverse;
    int64_t first = a->indptr[a->first_doc];
    for (; *next < a->stop && a->indptr[*next] == a->indptr[*next + 1]; ++*next) a->log_predictive[*next] = 0;
    if (*next >= a->stop) return 0;
    f->d = (*next)++;
    f->j = a->indptr[f->d];
    f->end = a->indptr[f->d + 1];
    f->n_d = f->log_z = f->pending = 0;
    for (int i = 0; i < ROWS_AHEAD; i++) NAME(fetch_row)(a, f->j + i, f->end);
    memset(f->doc, 0, sizeof(REAL) * (size_t)a->Kp);
    for (int64_t j = f->j; j < f->end; j++) {
        int64_t place = a->position[j - first], at = SLOTS * place;
        if (j + AHEAD < f->end) NAME(fetch_assignment)(a, a->position[j + AHEAD - first]);
        PREFETCH((const MASS *)a->mass + place);
        f->n_d += counts[j];
        for (int i = 0; i < SLOTS && a->share[at + i]; i++) f->doc[a->topic[at + i]] += counts[j] * a->share[at + i];
    }
    for (int64_t k = 0; k < a->Kp; k += NAME(LANES)) {
        NAME(vec) x = (NAME(load)(f->doc + k) + NAME(load)(alpha + k)) * NAME(load)(inverse + k);
        NAME(store)(f->field + k, x);
    }
    return 1;
}

/* Turn to a count, and leave out what it holds. */
INLINE void NAME(open)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    int64_t place = a->position[f->j - a->indptr[a->first_doc]], at = SLOTS * place, w = a->indices[f->j];
    NAME(fetch_row)(a, f->j + ROWS_AHEAD, f->end);
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

/* Have the document hold what its count was given, and note how probable the count was. */
INLINE void NAME(close)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    REAL was = f->share[0] ? f->n : 0;
    NAME(move)(a, f, -f->n, f->topic, f->share);
    NAME(move)(a, f, f->n, f->new_topic, f->new_share);
    f->z[f->pending] = (double)f->Z / (LDAVI_SHARES * (f->n_d - was + a->alpha_total));
    f->times[f->pending++] = f->n;
    if (f->pending == LANES_f64) {
        f->log_z += sum_lanes_f64(load_f64(f->times) * log_f64(load_f64(f->z)));
        f->pending = 0;
    }
    f->j++;
}

INLINE void NAME(finish)(const ldavi_collapsed *a, NAME(collapsed_frame) *f) {
    for (int i = 0; i < f->pending; i++) f->log_z += f->times[i] * max_lanes_f64(log_f64(SPLAT_f64(f->z[i])));
    a->log_predictive[f->d] = f->log_z;
}

/* Visit the documents [start, stop), their words' masses being those of before the block.
 *
 * Each step of a count waits for the one before it, and some end in a branch that nobody could foresee. So a few documents
 * are visited at a time, step by step in turns: one has something to do while another waits. They do not see each other,
 * and no bit depends on which they are. */
static void NAME(visit_collapsed)(const ldavi_collapsed *a) {
    NAME(collapsed_frame) frame[LDAVI_VISIT_DOCUMENTS];
    int64_t next = a->start;
    int n = 0; /* documents at hand */
    for (; n < LDAVI_VISIT_DOCUMENTS; n++) {
        NAME(lay_out)(frame + n, (REAL *)a->scratch + n * LDAVI_FRAME_ROWS * a->Kp, a->Kp);
        if (!NAME(begin)(a, frame + n, &next)) break;
    }
    while (n) {
        for (int i = 0; i < n; i++) NAME(open)(a, frame + i);
        for (int i = 0; i < n; i++) NAME(weigh)(a, frame + i);
        for (int i = 0; i < n; i++) NAME(find)(a, frame + i);
        for (int i = 0; i < n; i++) NAME(keep)(frame + i);
        for (int i = 0; i < n; i++) NAME(give_rest)(a, frame + i);
        for (int i = 0; i < n; i++) NAME(close)(a, frame + i);
        for (int i = n - 1; i >= 0; i--) {
            if (frame[i].j < frame[i].end) continue;
            NAME(finish)(a, frame + i);
            if (!NAME(begin)(a, frame + i, &next)) frame[i] = frame[--n];
        }
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
            uint16_t *topic = a->topic + SLOTS * j;
            uint8_t *share = a->share + SLOTS * j;
            const uint16_t *new_topic = a->new_topic + SLOTS * j;
            const uint8_t *new_share = a->new_share + SLOTS * j;
            int whole = share[0] == LDAVI_SHARES && new_share[0] == LDAVI_SHARES;
            if (whole && topic[0] == new_topic[0]) continue; /* many counts are, once topics are found */
            NAME(hand_over)(row, a->change, -mass[j], topic, share);
            NAME(hand_over)(row, a->change, mass[j], new_topic, new_share);
            memcpy(topic, new_topic, SLOTS * sizeof *topic);
            memcpy(share, new_share, SLOTS * sizeof *share);
        }
    }
}

#undef SLOTS
#undef KEPT
#undef MOST_FOUND
#undef AHEAD
#undef ROWS_AHEAD
#undef TILE_VECTORS
#undef TILE
#undef MASS
#undef mass_f32
#undef mass_f64
