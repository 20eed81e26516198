/* The E-step of a document that converges over its active topics: equation (17.1) of docs/math.md, with other thresholds.
 *
 * Included once per precision, after documents.h. An iteration over all topics is limited by the bytes of B, of which a
 * document reads more than the first-level cache holds. Therefore topics become inactive from the first iteration on, the
 * others converge on a copy of their entries of B, and an iteration over all topics ends the E-step. */

/* Converge over the active topics. Those that are or become inactive get gamma = alpha, next to the limit that they would
 * have. Masses are next to equal after the first iterations from a cold start, so these have thresholds of their own.
 * Returns the iterations done. */
static int64_t NAME(converge_active)(NAME(state) *all, const NAME(words) *words, int64_t max_iter, double tol, int is_first,
                                     NAME(scratch) *s) {
    const double mean = words->tokens / (double)all->K;
    const int64_t length = UP_TO(words->n, NAME(LANES));
    int64_t done = 0, in_pair = 0; /* iterations since gamma was extrapolated or topics were pruned */
    if (all->K < PRUNE_MIN_TOPICS || max_iter < PRUNE_MIN_ITERATIONS) return 0;
    const int64_t n = NAME(find_active)(all, (REAL)(mean * (is_first ? FIRST_INACTIVE[0] : INACTIVE_TOKENS)), s->index);
    if (!n || n * length > MAX_ACTIVE_ENTRIES) return 0;
    NAME(words) transposed = *words;
    NAME(state) active = NAME(copy_active)(all, &transposed, n, s);
    memcpy(all->gamma, all->alpha, sizeof(REAL) * (size_t)all->K);
    while (done < max_iter - 1) {
        memcpy(active.past[in_pair], active.gamma, sizeof(REAL) * (size_t)active.Kp);
        NAME(topic_factors)(&active);
        if (!NAME(iterate_transposed)(&transposed, active.e, active.acc, active.K, active.Kp)) break;
        done++;
        if (NAME(update_gamma)(&active) <= ACTIVE_TOL * tol) break;
        if (is_first && done < FIRST_ITERATIONS) {
            NAME(prune)(&active, s->index, s->place, (REAL)(mean * FIRST_INACTIVE[done]));
        } else if (in_pair) {
            NAME(extrapolate)(&active);
            NAME(prune)(&active, s->index, s->place, (REAL)(mean * INACTIVE_TOKENS));
            in_pair = 0;
        } else {
            in_pair = 1;
        }
        if (!active.K) break;
    }
    for (int64_t i = 0; i < active.K; i++) all->gamma[s->index[i]] = active.gamma[i];
    return done;
}

/* The same as infer_document, but the iterations over the active topics end when these have converged. */
static int64_t NAME(infer_over_active)(NAME(state) *all, const NAME(words) *words, int64_t max_iter, double tol,
                                       NAME(scratch) *s) {
    int converged = 0, pairs = 0;
    int64_t done = 0;
    while (words->n && done < max_iter && !converged) {
        int64_t more = NAME(iterate_until)(all, words, pairs && max_iter - done > 2 ? 2 : 1, tol, &converged);
        if (more < 0) return -1;
        done += more;
        more = converged ? 0 : NAME(converge_active)(all, words, max_iter - done, tol, done == 1, s);
        done += more;
        pairs = !more;
    }
    return done;
}
