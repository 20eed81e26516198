"""The compiled samplers of a document's topics, given topics over words that are fixed: equations (M1) to (M7).

Every document has a stream of random numbers of its own, seeded by its key: what is drawn for it depends on the key and the
document alone. Documents are rows of whole counts; words are rows of `beta`. The callers own every array, scratch included.
"""

from libc.math cimport expm1, log
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef struct Stream:  # xoshiro256**
    uint64_t a, b, c, d

cdef struct Chain:  # the tokens of one document, counted by topic
    const double *beta        # (U, K)
    const double *cumulative  # (U, K)
    int32_t *active           # (K,) topics that hold tokens, in any order
    int32_t *place            # (K,) where each topic stands in `active`, -1 where it does not
    double *held              # (K,) tokens of each active topic
    int64_t K, n_active


# Random numbers


cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    """One step of SplitMix64 (Steele, Lea and Flood 2014): neighbours become strangers."""
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
    """In [0, 1), 53 bits, by xoshiro256** (Blackman and Vigna 2021)."""
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


# Tokens and their topics


cdef inline int64_t list_tokens(const int32_t *words, const int32_t *counts, int64_t n, int32_t *token) noexcept nogil:
    """A document's words, each as often as it is counted; how many there are."""
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


cdef inline void empty(Chain *c) noexcept nogil:
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
        c.held[place] = 0.0
    c.held[place] += 1.0


cdef inline void remove(Chain *c, int32_t k) noexcept nogil:
    cdef int32_t place = c.place[k], last
    c.held[place] -= 1.0
    if c.held[place] == 0.0:
        c.n_active -= 1
        last = c.active[c.n_active]
        c.active[place] = last
        c.held[place] = c.held[c.n_active]
        c.place[last] = place
        c.place[k] = -1


cdef inline double mass_held(Chain *c, const double *row) noexcept nogil:
    """sum_k n_k beta_kw, over the topics that hold tokens."""
    cdef int64_t j
    cdef double total = 0.0
    for j in range(c.n_active):
        total += c.held[j] * row[c.active[j]]
    return total


cdef inline int32_t find(const double *cumulative, int64_t K, double target) noexcept nogil:
    """The first k with cumulative[k] > target; where rounding has put the target at the end, the last k with mass."""
    cdef int64_t low = 0, high = K - 1, middle
    cdef bint beyond = target >= cumulative[K - 1]
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > target or (beyond and cumulative[middle] == cumulative[K - 1]):
            high = middle
        else:
            low = middle + 1
    return <int32_t>low


cdef inline int32_t draw(Chain *c, int32_t word, double tau, Stream *s, double *total) noexcept nogil:
    """A topic from (alpha_k + tau n_k) beta_kw, and the sum of these: equation (M2).

    The two parts are drawn from in turn: that of the tokens has few topics, that of the prior is summed beforehand.
    """
    cdef const double *row = c.beta + <int64_t>word * c.K
    cdef const double *cumulative = c.cumulative + <int64_t>word * c.K
    cdef double held = tau * mass_held(c, row), target, reached = 0.0, weight
    cdef int64_t j
    cdef int32_t found = -1
    total[0] = held + cumulative[c.K - 1]
    target = uniform(s) * total[0]
    if target >= held:
        return find(cumulative, c.K, target - held)
    for j in range(c.n_active):
        weight = c.held[j] * row[c.active[j]]
        if weight > 0.0:
            found = c.active[j]
            reached += tau * weight
            if reached > target:
                break
    return found


cdef inline void redraw(Chain *c, int32_t word, int32_t *z, double tau, Stream *s) noexcept nogil:
    """One token's topic given those of the others: a step that leaves their joint distribution as it is."""
    cdef double total
    remove(c, z[0])
    z[0] = draw(c, word, tau, s, &total)
    add(c, z[0])


cdef inline double log_coupling_ratio(Chain *c, const double *alpha, double A, int64_t n_tokens, double old, double new) noexcept nogil:
    """log f_new(z) - log f_old(z) of equation (M6): products, with a logarithm before they could leave the range."""
    cdef double product = 1.0, total = 0.0, a
    cdef int64_t i, j
    for j in range(c.n_active):
        a = alpha[c.active[j]]
        for i in range(<int64_t>c.held[j]):
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


# What Python calls


def hash_documents(
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int64_t[::1] columns,       # IN    (nnz,) rising within a document
    const int32_t[::1] counts,        # IN    (nnz,)
    uint64_t seed,
    uint64_t[::1] key,                # OUT   (D,)
):
    """A number for each document that depends on its words, their counts and the seed."""
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
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int32_t[::1] counts,        # IN    (nnz,)
    const uint64_t[::1] key,          # IN    (D,)
    int32_t[::1] observed,            # OUT   (nnz,) of each count, how many fall into the first half
):
    """Half of each document's tokens, rounded down, every choice alike: Algorithm S of Knuth, volume 2."""
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
    const int64_t[::1] indptr,        # IN    (D + 1,) of the observed halves
    const int32_t[::1] indices,       # IN    (nnz,) rows of beta
    const int32_t[::1] counts,        # IN    (nnz,)
    const int64_t[::1] scored_indptr, # IN    (D + 1,) of the scored halves
    const int32_t[::1] scored_indices,# IN    (nnz,)
    const int32_t[::1] scored_counts, # IN    (nnz,)
    const uint64_t[::1] key,          # IN    (D,)
    const double[:, ::1] beta,        # IN    (U, K)
    const double[:, ::1] cumulative,  # IN    (U, K) sums over topics of alpha_k beta_kw
    const double[::1] alpha,          # IN    (K,)
    double[::1] log_likelihood,       # OUT   (D,)
    int32_t[::1] whole,               # TMP   (2 tokens of the longest + 2 K,)
    double[::1] real,                 # TMP   (2 K,)
    int64_t burn, int64_t keep, int64_t start, int64_t stop,
):
    """Score the second halves of the documents [start, stop): equation (M3)."""
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, j, k, sweep, n_tokens, K = alpha.shape[0]
    cdef double A = 0.0, p, total
    cdef double *theta = &real[K]
    cdef int32_t *token = &whole[2 * K]
    cdef int32_t *z
    if start >= stop or beta.shape[0] == 0:
        return
    c.beta, c.cumulative, c.K, c.n_active = &beta[0, 0], &cumulative[0, 0], K, 0
    c.active, c.place, c.held = &whole[0], &whole[K], &real[0]
    with nogil:
        for k in range(K):
            A += alpha[k]
        for d in range(start, stop):
            s = open_stream(key[d], 0)
            empty(&c)
            i = indptr[d]
            n_tokens = 0
            if indptr[d + 1] > i:
                n_tokens = list_tokens(&indices[i], &counts[i], indptr[d + 1] - i, token)
            z = token + n_tokens
            for k in range(K):
                theta[k] = 0.0
            for i in range(n_tokens):
                z[i] = draw(&c, token[i], 1.0, &s, &total)
                add(&c, z[i])
            for sweep in range(burn + keep):
                for i in range(n_tokens):
                    redraw(&c, token[i], &z[i], 1.0, &s)
                if sweep >= burn:
                    for j in range(c.n_active):
                        theta[c.active[j]] += c.held[j]
            for k in range(K):
                theta[k] = (theta[k] / keep + alpha[k]) / (n_tokens + A)
            total = 0.0
            for i in range(scored_indptr[d], scored_indptr[d + 1]):
                p = 0.0
                for k in range(K):
                    p += theta[k] * beta[scored_indices[i], k]
                total += scored_counts[i] * log(p)
            log_likelihood[d] = total


def left_to_right(
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int32_t[::1] indices,       # IN    (nnz,) rows of beta
    const int32_t[::1] counts,        # IN    (nnz,)
    const uint64_t[::1] key,          # IN    (D,)
    const double[:, ::1] beta,        # IN    (U, K)
    const double[:, ::1] cumulative,  # IN    (U, K)
    const double[::1] alpha,          # IN    (K,)
    double[:, ::1] log_weight,        # OUT   (D, R) logarithm of each particle's product
    double[::1] log_of_means,         # OUT   (D,) sum over positions of the logarithm of the particles' mean
    double[:, ::1] influence,         # OUT   (D, R) of each particle on it
    int32_t[::1] whole,               # TMP   (2 tokens of the longest + 2 K,)
    double[::1] real,                 # TMP   (K + R tokens of the longest,)
    int64_t n_redrawn, int64_t start, int64_t stop,
):
    """Particles from left to right through the documents [start, stop): equations (M4), (M5).

    Before each position `n_redrawn` earlier tokens are drawn anew, each of them any; all, in order, if it is negative.
    """
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, n, r, position, n_tokens, K = alpha.shape[0], R = log_weight.shape[1], k
    cdef double A = 0.0, total, product, mean
    cdef double *predictive = &real[K]
    cdef int32_t *token = &whole[2 * K]
    cdef int32_t *z
    if start >= stop:
        return
    c.beta, c.cumulative, c.K, c.n_active = NULL, NULL, K, 0
    if beta.shape[0]:
        c.beta, c.cumulative = &beta[0, 0], &cumulative[0, 0]
    c.active, c.place, c.held = &whole[0], &whole[K], &real[0]
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
                empty(&c)
                log_weight[d, r] = influence[d, r] = 0.0
                for n in range(n_tokens):
                    if n_redrawn < 0 or n_redrawn >= n:
                        for i in range(n):
                            redraw(&c, token[i], &z[i], 1.0, &s)
                    else:
                        for i in range(n_redrawn):
                            position = below(&s, n)
                            redraw(&c, token[position], &z[position], 1.0, &s)
                    z[n] = draw(&c, token[n], 1.0, &s, &total)
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
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int32_t[::1] indices,       # IN    (nnz,) rows of beta
    const int32_t[::1] counts,        # IN    (nnz,)
    const uint64_t[::1] key,          # IN    (D,)
    const double[:, ::1] beta,        # IN    (U, K)
    const double[:, ::1] cumulative,  # IN    (U, K)
    const double[::1] alpha,          # IN    (K,)
    const double[::1] bend,           # IN    (D,) > 0, of the schedule of the coupling
    double[:, ::1] log_weight,        # OUT   (D, R) logarithm of each chain's weight
    int32_t[::1] whole,               # TMP   (2 tokens of the longest + 2 K,)
    double[::1] real,                 # TMP   (K + T,)
    int64_t n_temperatures, int64_t start, int64_t stop,
):
    """Annealed importance sampling of the documents [start, stop): equations (M6), (M7)."""
    cdef Chain c
    cdef Stream s
    cdef int64_t d, i, k, r, t, n_tokens, K = alpha.shape[0], R = log_weight.shape[1], T = n_temperatures
    cdef double A = 0.0, total
    cdef double *coupling = &real[K]
    cdef int32_t *token = &whole[2 * K]
    cdef int32_t *z
    if start >= stop:
        return
    c.beta, c.cumulative, c.K, c.n_active = NULL, NULL, K, 0
    if beta.shape[0]:
        c.beta, c.cumulative = &beta[0, 0], &cumulative[0, 0]
    c.active, c.place, c.held = &whole[0], &whole[K], &real[0]
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
                coupling[t] = expm1(bend[d] * t / (T - 1)) / expm1(bend[d])
            for r in range(R):
                s = open_stream(key[d], <uint64_t>(r + 1))
                empty(&c)
                log_weight[d, r] = 0.0
                for i in range(n_tokens):
                    z[i] = draw(&c, token[i], 0.0, &s, &total)
                    add(&c, z[i])
                    log_weight[d, r] += log(total / A)
                for t in range(1, T):
                    log_weight[d, r] += log_coupling_ratio(&c, &alpha[0], A, n_tokens, coupling[t - 1], coupling[t])
                    if t < T - 1:
                        for i in range(n_tokens):
                            redraw(&c, token[i], &z[i], coupling[t], &s)
