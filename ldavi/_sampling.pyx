"""Compiled samplers of a document's topic assignments under fixed topics: equations (M1) to (M7), (21.1) to (21.3).

Every document has its own stream of random numbers, seeded by its key: its samples depend on the key and the document
alone. Documents are rows of counts, which only `draw_proportions` allows to be fractional; words are rows of `beta`. The
callers own every array, scratch memory included.
Directions: [in] read, [out] written, [scratch] working memory with undefined content.
"""

from libc.math cimport INFINITY, exp, expm1, floor, log, sqrt
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef struct Stream:  # xoshiro256**
    uint64_t a, b, c, d

cdef struct Chain:  # the tokens of one document, counted by topic
    const double *beta        # (U, K)
    const double *cumulative  # (U, K)
    int32_t *active           # (K,) topics that hold tokens, in any order
    int32_t *place            # (K,) index of each topic in `active`, -1 if it holds no token
    double *topic_count       # (K,) tokens of each active topic
    int64_t K, n_active


# Random numbers


cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    """Compute one step of SplitMix64 (Steele, Lea and Flood 2014)."""
    x += <uint64_t>0x9E3779B97F4A7C15
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)


cdef inline Stream open_stream(uint64_t key, uint64_t number) noexcept nogil:
    cdef Stream s
    s.a = mix(key ^ mix(number))
    s.b = mix(s.a)
    s.c = mix(s.b)
    s.d = mix(s.c)
    return s


cdef inline double uniform(Stream *s) noexcept nogil:
    """Return a number in [0, 1) with 53 random bits, by xoshiro256** (Blackman and Vigna 2021)."""
    cdef uint64_t x = s.b * 5, t = s.b << 17
    x = ((x << 7) | (x >> 57)) * 9
    s.c ^= s.a
    s.d ^= s.b
    s.b ^= s.c
    s.a ^= s.d
    s.c ^= t
    s.d = (s.d << 45) | (s.d >> 19)
    return <double>(x >> 11) * (1.0 / 9007199254740992.0)


cdef inline int64_t below(Stream *s, int64_t n) noexcept nogil:
    return <int64_t>(uniform(s) * <double>n)


cdef inline double normal(Stream *s) noexcept nogil:
    """Return a standard normal number, by the polar method (Marsaglia and Bray 1964); its second number is not used."""
    cdef double u = 0.0, radius = 0.0
    while radius >= 1.0 or radius == 0.0:
        u = 2.0 * uniform(s) - 1.0
        radius = 2.0 * uniform(s) - 1.0
        radius = u * u + radius * radius
    return u * sqrt(-2.0 * log(radius) / radius)


cdef inline double large_gamma(double shape, Stream *s) noexcept nogil:
    """Return a number from Gamma(shape, 1), shape >= 1, by the method of Marsaglia and Tsang (2000)."""
    cdef double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d), x, v
    while True:
        x = normal(s)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if log(1.0 - uniform(s)) < 0.5 * x * x + d * (1.0 - v + log(v)):
                return d * v


cdef inline double small_gamma(double shape, double *log_value, Stream *s) noexcept nogil:
    """Return a number from Gamma(shape, 1), shape < 1, and its logarithm, which does not underflow.

    Rejection from a power below 1 and an exponential above (Ahrens and Dieter 1974).
    """
    cdef double b = 1.0 + shape * 0.36787944117144233, p, x, u  # 1 / e
    while True:
        p = b * (1.0 - uniform(s))
        if p <= 1.0:
            log_value[0] = log(p) / shape
            if log_value[0] < -700.0:  # subnormal numbers are slow
                return 0.0
            x = exp(log_value[0])
            if x < 1e-16:  # accepted, since exp(-x) is 1
                return x
            u = 1.0 - uniform(s)
            if u <= 1.0 - x or u <= exp(-x):
                return x
        else:
            x = -log((b - p) / shape)
            log_value[0] = log(x)
            if 1.0 - uniform(s) <= exp((shape - 1.0) * log_value[0]):
                return x


# Tokens and their topics


cdef inline int64_t list_tokens(const int32_t *words, const int32_t *counts, int64_t n, int32_t *token) noexcept nogil:
    """List a document's words, each as often as it is counted; return their number."""
    cdef int64_t i, j, n_tokens = 0
    for i in range(n):
        for j in range(counts[i]):
            token[n_tokens] = words[i]
            n_tokens += 1
    return n_tokens


cdef inline void shuffle(int32_t *token, int64_t n_tokens, Stream *s) noexcept nogil:
    cdef int64_t i, j
    cdef int32_t former
    for i in range(n_tokens - 1, 0, -1):
        j = below(s, i + 1)
        former = token[i]
        token[i] = token[j]
        token[j] = former


cdef inline void clear(Chain *c) noexcept nogil:
    cdef int64_t k
    for k in range(c.K):
        c.place[k] = -1
    c.n_active = 0


cdef inline void add(Chain *c, int32_t k) noexcept nogil:
    cdef int32_t place = c.place[k]
    if place < 0:
        place = <int32_t>c.n_active
        c.n_active += 1
        c.place[k] = place
        c.active[place] = k
        c.topic_count[place] = 0.0
    c.topic_count[place] += 1.0


cdef inline void remove(Chain *c, int32_t k) noexcept nogil:
    cdef int32_t place = c.place[k], last
    c.topic_count[place] -= 1.0
    if c.topic_count[place] == 0.0:
        c.n_active -= 1
        last = c.active[c.n_active]
        c.active[place] = last
        c.topic_count[place] = c.topic_count[c.n_active]
        c.place[last] = place
        c.place[k] = -1


cdef inline double count_mass(Chain *c, const double *row) noexcept nogil:
    """Compute sum_k n_k beta_kw over the topics that hold tokens."""
    cdef int64_t j
    cdef double total = 0.0
    for j in range(c.n_active):
        total += c.topic_count[j] * row[c.active[j]]
    return total


cdef inline int32_t find(const double *cumulative, int64_t K, double target) noexcept nogil:
    """Return the first k with cumulative[k] > target; if rounding put the target at the end, the last k with mass."""
    cdef int64_t low = 0, high = K - 1, middle
    cdef bint at_end = target >= cumulative[K - 1]
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > target or (at_end and cumulative[middle] == cumulative[K - 1]):
            high = middle
        else:
            low = middle + 1
    return <int32_t>low


cdef inline int32_t sample_topic(Chain *c, int32_t word, double tau, Stream *s, double *total) noexcept nogil:
    """Sample a topic from (alpha_k + tau n_k) beta_kw, and compute the sum of these weights: equation (M2).

    The weight is split in two parts: that of the tokens has few topics, and that of the prior is summed beforehand.
    """
    cdef const double *row = c.beta + <int64_t>word * c.K
    cdef const double *cumulative = c.cumulative + <int64_t>word * c.K
    cdef double mass = tau * count_mass(c, row), target, reached = 0.0, weight
    cdef int64_t j
    cdef int32_t found = -1
    total[0] = mass + cumulative[c.K - 1]
    target = uniform(s) * total[0]
    if target >= mass:
        return find(cumulative, c.K, target - mass)
    for j in range(c.n_active):
        weight = c.topic_count[j] * row[c.active[j]]
        if weight > 0.0:
            found = c.active[j]
            reached += tau * weight
            if reached > target:
                break
    return found


cdef inline void resample(Chain *c, int32_t word, int32_t *z, double tau, Stream *s) noexcept nogil:
    """Resample one token's topic given those of the others: one Gibbs step."""
    cdef double total
    remove(c, z[0])
    z[0] = sample_topic(c, word, tau, s, &total)
    add(c, z[0])


cdef inline double log_coupling_ratio(Chain *c, const double *alpha, double A, int64_t n_tokens, double old, double new) noexcept nogil:
    """Compute log f_new(z) - log f_old(z) of equation (M6), with logarithms of products that cannot overflow."""
    cdef double product = 1.0, total = 0.0, a
    cdef int64_t i, j
    for j in range(c.n_active):
        a = alpha[c.active[j]]
        for i in range(<int64_t>c.topic_count[j]):
            product *= (a + new * i) / (a + old * i)
            if product > 1e100:
                total += log(product)
                product = 1.0
    total += log(product)
    product = 1.0
    for i in range(n_tokens):
        product *= (A + new * i) / (A + old * i)
        if product > 1e100:
            total -= log(product)
            product = 1.0
    return total - log(product)


cdef inline void round_counts(Chain *c, const double *counts, int64_t n, const int32_t *token, int32_t *z, Stream *s) noexcept nogil:
    """Round fractional counts up or down at random, (21.3). Only the last token of such a word comes or goes."""
    cdef int64_t i, place = 0
    cdef double reached = uniform(s), whole, further
    cdef double total
    for i in range(n):
        whole, further = floor(counts[i]), reached + counts[i]
        place += <int64_t>whole
        if counts[i] > whole:
            if floor(further) - floor(reached) <= whole:
                if z[place] >= 0:
                    remove(c, z[place])
                    z[place] = -1
            elif z[place] < 0:
                z[place] = sample_topic(c, token[place], 1.0, s, &total)
                add(c, z[place])
            place += 1
        reached = further


cdef inline void draw_dirichlet(Chain *c, const double *alpha, const int32_t *topic, double *gamma, double *theta, Stream *s) noexcept nogil:
    """Draw theta from Dir(alpha + n), (21.2). Without tokens, all shapes may be small: logarithms are scaled."""
    cdef int64_t j, k
    cdef double total = 0.0, largest = -INFINITY, value
    for k in range(c.K):
        gamma[k] = alpha[k]
    for j in range(c.n_active):
        gamma[c.active[j]] += c.topic_count[j]
    for k in range(c.K):
        if gamma[k] < 1.0:
            gamma[k] = small_gamma(gamma[k], &value, s)
        else:
            gamma[k] = large_gamma(gamma[k], s)
            if c.n_active == 0:
                value = log(gamma[k])
        if c.n_active == 0:
            gamma[k] = value
            largest = max(largest, value)
    for k in range(c.K):
        if c.n_active == 0:
            gamma[k] = exp(gamma[k] - largest)
        total += gamma[k]
    for k in range(c.K):
        theta[topic[k]] = gamma[k] / total


# What Python calls


def hash_documents(
    const int64_t[::1] indptr not None,  # [in] (D + 1,)
    const int64_t[::1] columns not None,  # [in] (nnz,) increasing within a document
    const int64_t[::1] counts not None,  # [in] (nnz,) or the bits of fractional counts
    uint64_t seed,
    uint64_t[::1] key not None,  # [out] (D,)
):
    """Compute a key for each document from its words, their counts and the seed."""
    cdef int64_t d, i
    cdef uint64_t h
    with nogil:
        for d in range(key.shape[0]):
            h = mix(seed)
            for i in range(indptr[d], indptr[d + 1]):
                h = mix(h ^ <uint64_t>columns[i])
                h = mix(h ^ <uint64_t>counts[i])
            key[d] = h


def split_tokens(
    const int64_t[::1] indptr not None,  # [in] (D + 1,)
    const int32_t[::1] counts not None,  # [in] (nnz,)
    const uint64_t[::1] key not None,  # [in] (D,)
    int32_t[::1] observed not None,  # [out] (nnz,) tokens of each count in the observed half
):
    """Sample half of each document's tokens, rounded down, uniformly: Algorithm S of Knuth, volume 2."""
    cdef int64_t d, i, left, wanted
    cdef int32_t j, taken
    cdef Stream s
    with nogil:
        for d in range(key.shape[0]):
            s = open_stream(key[d], 0)
            left = 0
            for i in range(indptr[d], indptr[d + 1]):
                left += counts[i]
            wanted = left // 2
            for i in range(indptr[d], indptr[d + 1]):
                taken = 0
                for j in range(counts[i]):
                    if uniform(&s) * <double>left < <double>wanted:
                        wanted -= 1
                        taken += 1
                    left -= 1
                observed[i] = taken


def complete_documents(
    *,
    const int64_t[::1] indptr not None,  # [in] (D + 1,) of the observed halves
    const int32_t[::1] indices not None,  # [in] (nnz,) rows of beta
    const int32_t[::1] counts not None,  # [in] (nnz,)
    const int64_t[::1] scored_indptr not None,  # [in] (D + 1,) of the scored halves
    const int32_t[::1] scored_indices not None,  # [in] (nnz,)
    const int32_t[::1] scored_counts not None,  # [in] (nnz,)
    const uint64_t[::1] key not None,  # [in] (D,)
    const double[:, ::1] beta not None,  # [in] (U, K)
    const double[:, ::1] cumulative not None,  # [in] (U, K) sums over topics of alpha_k beta_kw
    const double[::1] alpha not None,  # [in] (K,)
    double[::1] log_likelihood not None,  # [out] (D,)
    int32_t[::1] int_scratch not None,  # [scratch] (2 tokens of the longest + 2 K,)
    double[::1] float_scratch not None,  # [scratch] (2 K,)
    int64_t n_burn,
    int64_t n_keep,
    int64_t start,
    int64_t stop,
):
    """Compute the log-likelihood of the second halves of the documents [start, stop): equation (M3)."""
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, j, k, iteration, n_tokens, K = alpha.shape[0]
    cdef double A = 0.0, p, total
    cdef double *theta = &float_scratch[K]
    cdef int32_t *token = &int_scratch[2 * K]
    cdef int32_t *z
    if start >= stop or beta.shape[0] == 0:
        return
    c.beta, c.cumulative, c.K, c.n_active = &beta[0, 0], &cumulative[0, 0], K, 0
    c.active, c.place, c.topic_count = &int_scratch[0], &int_scratch[K], &float_scratch[0]
    with nogil:
        for k in range(K):
            A += alpha[k]
        for d in range(start, stop):
            s = open_stream(key[d], 0)
            clear(&c)
            i = indptr[d]
            n_tokens = 0
            if indptr[d + 1] > i:
                n_tokens = list_tokens(&indices[i], &counts[i], indptr[d + 1] - i, token)
            z = token + n_tokens
            for k in range(K):
                theta[k] = 0.0
            for i in range(n_tokens):
                z[i] = sample_topic(&c, token[i], 1.0, &s, &total)
                add(&c, z[i])
            for iteration in range(n_burn + n_keep):
                for i in range(n_tokens):
                    resample(&c, token[i], &z[i], 1.0, &s)
                if iteration >= n_burn:
                    for j in range(c.n_active):
                        theta[c.active[j]] += c.topic_count[j]
            for k in range(K):
                theta[k] = (theta[k] / n_keep + alpha[k]) / (n_tokens + A)
            total = 0.0
            for i in range(scored_indptr[d], scored_indptr[d + 1]):
                p = 0.0
                for k in range(K):
                    p += theta[k] * beta[scored_indices[i], k]
                total += scored_counts[i] * log(p)
            log_likelihood[d] = total


def left_to_right(
    *,
    const int64_t[::1] indptr not None,  # [in] (D + 1,)
    const int32_t[::1] indices not None,  # [in] (nnz,) rows of beta
    const int32_t[::1] counts not None,  # [in] (nnz,)
    const uint64_t[::1] key not None,  # [in] (D,)
    const double[:, ::1] beta not None,  # [in] (U, K)
    const double[:, ::1] cumulative not None,  # [in] (U, K)
    const double[::1] alpha not None,  # [in] (K,)
    double[:, ::1] log_weight not None,  # [out] (D, R) logarithm of each particle's product
    double[::1] log_of_means not None,  # [out] (D,) sum over positions of the logarithm of the particles' mean
    double[:, ::1] influence not None,  # [out] (D, R) of each particle on log_of_means
    int32_t[::1] int_scratch not None,  # [scratch] (2 tokens of the longest + 2 K,)
    double[::1] float_scratch not None,  # [scratch] (K + R tokens of the longest,)
    int64_t n_redrawn,
    int64_t start,
    int64_t stop,
):
    """Estimate the documents [start, stop) by the left-to-right particle method: equations (M4), (M5).

    Before each position, `n_redrawn` earlier tokens, chosen at random, are resampled; all of them, in order, if negative.
    """
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, n, r, position, n_tokens, K = alpha.shape[0], R = log_weight.shape[1], k
    cdef double A = 0.0, total, product, mean
    cdef double *predictive = &float_scratch[K]
    cdef int32_t *token = &int_scratch[2 * K]
    cdef int32_t *z
    if start >= stop:
        return
    c.beta, c.cumulative, c.K, c.n_active = NULL, NULL, K, 0
    if beta.shape[0]:
        c.beta, c.cumulative = &beta[0, 0], &cumulative[0, 0]
    c.active, c.place, c.topic_count = &int_scratch[0], &int_scratch[K], &float_scratch[0]
    with nogil:
        for k in range(K):
            A += alpha[k]
        for d in range(start, stop):
            i = indptr[d]
            n_tokens = 0
            if indptr[d + 1] > i:
                n_tokens = list_tokens(&indices[i], &counts[i], indptr[d + 1] - i, token)
            z = token + n_tokens
            s = open_stream(key[d], 0)
            shuffle(token, n_tokens, &s)
            for r in range(R):
                s = open_stream(key[d], <uint64_t>(r + 1))
                clear(&c)
                log_weight[d, r] = influence[d, r] = 0.0
                for n in range(n_tokens):
                    if n_redrawn < 0 or n_redrawn >= n:
                        for i in range(n):
                            resample(&c, token[i], &z[i], 1.0, &s)
                    else:
                        for i in range(n_redrawn):
                            position = below(&s, n)
                            resample(&c, token[position], &z[position], 1.0, &s)
                    z[n] = sample_topic(&c, token[n], 1.0, &s, &total)
                    add(&c, z[n])
                    predictive[n * R + r] = total / (A + n)
                    log_weight[d, r] += log(predictive[n * R + r])
            log_of_means[d] = 0.0
            for n in range(n_tokens):
                mean = 0.0
                for r in range(R):
                    mean += predictive[n * R + r] / R
                log_of_means[d] += log(mean)
                for r in range(R):
                    influence[d, r] += predictive[n * R + r] / mean - 1.0


def anneal(
    *,
    const int64_t[::1] indptr not None,  # [in] (D + 1,)
    const int32_t[::1] indices not None,  # [in] (nnz,) rows of beta
    const int32_t[::1] counts not None,  # [in] (nnz,)
    const uint64_t[::1] key not None,  # [in] (D,)
    const double[:, ::1] beta not None,  # [in] (U, K)
    const double[:, ::1] cumulative not None,  # [in] (U, K)
    const double[::1] alpha not None,  # [in] (K,)
    const double[::1] curvature not None,  # [in] (D,) > 0, curvature of the annealing schedule
    double[:, ::1] log_weight not None,  # [out] (D, R) logarithm of each chain's weight
    int32_t[::1] int_scratch not None,  # [scratch] (2 tokens of the longest + 2 K,)
    double[::1] float_scratch not None,  # [scratch] (K + T,)
    int64_t n_temperatures,
    int64_t start,
    int64_t stop,
):
    """Run annealed importance sampling of the documents [start, stop): equations (M6), (M7)."""
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, k, r, t, n_tokens, K = alpha.shape[0], R = log_weight.shape[1], T = n_temperatures
    cdef double A = 0.0, total
    cdef double *coupling = &float_scratch[K]
    cdef int32_t *token = &int_scratch[2 * K]
    cdef int32_t *z
    if start >= stop:
        return
    c.beta, c.cumulative, c.K, c.n_active = NULL, NULL, K, 0
    if beta.shape[0]:
        c.beta, c.cumulative = &beta[0, 0], &cumulative[0, 0]
    c.active, c.place, c.topic_count = &int_scratch[0], &int_scratch[K], &float_scratch[0]
    with nogil:
        for k in range(K):
            A += alpha[k]
        for d in range(start, stop):
            i = indptr[d]
            n_tokens = 0
            if indptr[d + 1] > i:
                n_tokens = list_tokens(&indices[i], &counts[i], indptr[d + 1] - i, token)
            z = token + n_tokens
            for t in range(T):
                coupling[t] = expm1(curvature[d] * t / (T - 1)) / expm1(curvature[d])
            for r in range(R):
                s = open_stream(key[d], <uint64_t>(r + 1))
                clear(&c)
                log_weight[d, r] = 0.0
                for i in range(n_tokens):
                    z[i] = sample_topic(&c, token[i], 0.0, &s, &total)
                    add(&c, z[i])
                    log_weight[d, r] += log(total / A)
                for t in range(1, T):
                    log_weight[d, r] += log_coupling_ratio(&c, &alpha[0], A, n_tokens, coupling[t - 1], coupling[t])
                    if t < T - 1:
                        for i in range(n_tokens):
                            resample(&c, token[i], &z[i], coupling[t], &s)


def draw_proportions(
    *,
    const int64_t[::1] indptr not None,  # [in] (D + 1,)
    const int32_t[::1] indices not None,  # [in] (nnz,) rows of beta
    const double[::1] counts not None,  # [in] (nnz,) > 0, may be fractional
    const uint64_t[::1] key not None,  # [in] (D,)
    const double[:, ::1] beta not None,  # [in] (U, K)
    const double[:, ::1] alpha not None,  # [in] (D, K), or (1, K) for all documents
    const int32_t[::1] topic not None,  # [in] (K,) column of theta of each topic
    double[:, :, ::1] theta not None,  # [out] (S, D, K)
    int32_t[::1] int_scratch not None,  # [scratch] (2 K + 2 slots,) of the document with most: a slot per token or part of one
    double[::1] float_scratch not None,  # [scratch] (2 K + 2 K words,) of the document with most words
    int64_t n_burn,
    int64_t n_between,
    int64_t start,
    int64_t stop,
):
    """Draw the topic proportions of the documents [start, stop) from their posteriors: equations (21.1) to (21.3)."""
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, j, k, first, draw, iteration, n, n_slots, K = alpha.shape[1], n_draws = theta.shape[0]
    cdef double total
    cdef const double *a
    cdef double *gamma = &float_scratch[K]
    cdef double *rows = &float_scratch[2 * K]
    cdef double *cumulative
    cdef int32_t *token = &int_scratch[2 * K]
    cdef int32_t *z
    cdef bint is_whole
    if start >= stop:
        return
    c.K, c.n_active = K, 0
    c.active, c.place, c.topic_count = &int_scratch[0], &int_scratch[K], &float_scratch[0]
    with nogil:
        for d in range(start, stop):
            s = open_stream(key[d], 0)
            clear(&c)
            first, n = indptr[d], indptr[d + 1] - indptr[d]
            a = &alpha[d if alpha.shape[0] > 1 else 0, 0]
            cumulative = rows + n * K
            c.beta, c.cumulative = rows, cumulative
            n_slots, is_whole = 0, True
            for i in range(n):
                total = 0.0
                for k in range(K):
                    rows[i * K + k] = beta[indices[first + i], k]
                    total += a[k] * rows[i * K + k]
                    cumulative[i * K + k] = total
                for j in range(<int64_t>floor(counts[first + i])):
                    token[n_slots] = <int32_t>i
                    n_slots += 1
                if counts[first + i] > floor(counts[first + i]):
                    token[n_slots] = -1 - <int32_t>i
                    n_slots += 1
                    is_whole = False
            z = token + n_slots
            for i in range(n_slots):
                z[i] = -1
                if token[i] < 0:
                    token[i] = -1 - token[i]
                else:
                    z[i] = sample_topic(&c, token[i], 1.0, &s, &total)
                    add(&c, z[i])
            for draw in range(-1, n_draws):
                if not is_whole:
                    round_counts(&c, &counts[first], n, token, z, &s)
                for iteration in range(n_burn if draw < 0 else n_between):
                    for i in range(n_slots):
                        if z[i] >= 0:
                            resample(&c, token[i], &z[i], 1.0, &s)
                if draw >= 0:
                    draw_dirichlet(&c, a, &topic[0], gamma, &theta[draw, d, 0], &s)
