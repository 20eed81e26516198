"""Compiled samplers of a document's topic assignments under fixed topics: equations (M1) to (M7), (21.1) to (21.3).

Every document has its own stream of random numbers, seeded by its key: its samples depend on the key and the document
alone. Documents are rows of counts, which only `draw_proportions` allows to be fractional; words are rows of `beta`. The
callers own every array, scratch memory included.
Directions: [in] read, [out] written, [scratch] working memory with undefined content.
"""

from libc.math cimport expm1, floor, log
from libc.stdint cimport int32_t, int64_t, uint64_t

from ldavi._random_streams cimport Stream, below, mix, open_stream, uniform
from ldavi._token_topics cimport Chain, add, clear, draw_dirichlet, list_tokens, log_coupling_ratio, resample
from ldavi._token_topics cimport round_counts, sample_topic, shuffle


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
