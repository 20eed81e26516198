"""The topics of a document's tokens under fixed topics: what the compiled samplers draw, and the steps that they share."""

from libc.math cimport INFINITY, exp, floor, log
from libc.stdint cimport int32_t, int64_t

from ldavi._random_streams cimport Stream, below, large_gamma, small_gamma, uniform

cdef struct Chain:  # the tokens of one document, counted by topic
    const double *beta        # (U, K)
    const double *cumulative  # (U, K)
    int32_t *active           # (K,) topics that hold tokens, in any order
    int32_t *place            # (K,) index of each topic in `active`, -1 if it holds no token
    double *topic_count       # (K,) tokens of each active topic
    int64_t K, n_active


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
