"""The compiled floor: typed arrays in, one C call without the interpreter's lock.

Thin on purpose. The algorithms are in _kernels/, one C body per instruction set; this module checks nothing but types,
layout and (in a debug build, in C) bounds. The callers own every array, scratch included.
"""

import os

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

ctypedef fused floating:
    float
    double

ctypedef fused mass_type:
    int32_t
    double

cdef extern from "kernels.h":
    enum:
        LDAVI_PAD
        LDAVI_ALIGN
        LDAVI_SLOTS
        LDAVI_SHARES
        LDAVI_VISIT_ROWS
    ctypedef struct ldavi_documents:
        const int64_t *indptr
        const int32_t *indices
        const void *counts
        const int32_t *position
        const void *doc_weight
        const void *B
        const double *log_scale
        const void *topic_weight
        const void *alpha
        void *gamma
        void *doc_factor
        void *ratio
        double *bound
        int32_t *n_sweeps
        void *scratch
        int64_t first_doc, start, stop, K, Kp, n_rows, max_words, max_sweeps, dense_sweeps, go_beyond, afresh
        double tol, offset
    ctypedef struct ldavi_statistics:
        const int64_t *word_ptr
        const int32_t *word_row
        const int32_t *doc
        const void *ratio
        const void *doc_factor
        const void *B
        void *sstats
        int64_t start, stop, Kp
    ctypedef struct ldavi_topics:
        void *sstats
        void *B
        double *log_scale
        const void *eta
        double *terms
        double *totals
        int64_t eta_row, eta_col, start, stop, K, Kp
        double offset
    ctypedef struct ldavi_collapsed:
        const int64_t *indptr
        const int32_t *indices
        const void *counts
        const int32_t *position
        const void *mass
        const void *N
        const void *eta
        const void *alpha
        const void *totals
        const void *inverse
        const uint16_t *topic
        const uint8_t *share
        uint16_t *new_topic
        uint8_t *new_share
        double *log_predictive
        void *scratch
        uint64_t seed
        int64_t eta_row, eta_col, first_doc, first_count, start, stop, K, Kp
        double alpha_total, least
    ctypedef struct ldavi_reassigned:
        const int64_t *word_ptr
        const int32_t *word_row
        const void *mass
        uint16_t *topic
        uint8_t *share
        const uint16_t *new_topic
        const uint8_t *new_share
        void *N
        double *change
        int64_t start, stop, Kp
    ctypedef struct ldavi_table:
        const char *name
        void (*update_documents[2])(const ldavi_documents *) noexcept nogil
        void (*accumulate_words[2])(const ldavi_statistics *) noexcept nogil
        void (*update_topics[2])(const ldavi_topics *) noexcept nogil
        void (*visit_collapsed[2])(const ldavi_collapsed *) noexcept nogil
        void (*reassign_words[2])(const ldavi_reassigned *) noexcept nogil
        void (*exp_digamma[2])(const void *, void *, int64_t) noexcept nogil
        void (*log_gamma_digamma)(const double *, double *, double *, int64_t) noexcept nogil
    const ldavi_table *ldavi_table_baseline() noexcept nogil
    const ldavi_table *ldavi_table_avx2() noexcept nogil
    const ldavi_table *ldavi_table_avx512() noexcept nogil
    int ldavi_cpu_has(const char *name) noexcept nogil
    int64_t ldavi_scratch_size(int64_t max_words, int64_t Kp) noexcept nogil

PAD = LDAVI_PAD
ALIGNMENT = LDAVI_ALIGN
SLOTS = LDAVI_SLOTS
SHARES = LDAVI_SHARES
VISIT_ROWS = LDAVI_VISIT_ROWS

cdef const ldavi_table *table = ldavi_table_baseline()


cdef const ldavi_table *find_table(str name):
    if not ldavi_cpu_has(name.encode()):
        return NULL
    if name == "avx512":
        return ldavi_table_avx512()
    if name == "avx2":
        return ldavi_table_avx2()
    return ldavi_table_baseline() if name == "baseline" else NULL


def instruction_sets():
    """The instruction sets that this build has and this machine runs, the widest first."""
    return [name for name in ("avx512", "avx2", "baseline") if find_table(name) is not NULL]


def instruction_set():
    """The one in use."""
    return table.name.decode()


def use_instruction_set(str name):
    """Use another one from now on; for `LDAVI_SIMD` and for tests, not while a call is under way."""
    global table
    cdef const ldavi_table *found = find_table(name)
    if found is NULL:
        raise ValueError(f"LDAVI_SIMD={name!r} must be one of {instruction_sets()} on this machine and build")
    table = found


def scratch_size(int64_t max_words, int64_t Kp):
    """Bytes of scratch that `update_documents` needs."""
    return ldavi_scratch_size(max_words, Kp)


def update_documents(
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int32_t[::1] indices,       # IN    (nnz,) rows of B
    const floating[::1] counts,       # IN    (nnz,)
    const floating[:, ::1] B,         # IN    (U, Kp)
    const double[::1] log_scale,      # IN    (U,)
    const floating[::1] topic_weight, # IN    (Kp,)
    const floating[::1] alpha,        # IN    (Kp,)
    floating[:, ::1] gamma,           # INOUT (D, K); only OUT if `afresh`
    int32_t[::1] n_sweeps,            # OUT   (D,)
    double[:, ::1] bound,             # OUT   (D, 2), or None
    const int32_t[::1] position,      # IN    (nnz of block,), or None: no statistics
    const floating[::1] doc_weight,   # IN    (D,), or None
    floating[:, ::1] doc_factor,      # OUT   (docs of block, Kp), or None
    floating[::1] ratio,              # OUT   (nnz of block,), or None
    unsigned char[::1] scratch,       # TMP
    int64_t first_doc, int64_t start, int64_t stop, int64_t max_words, int64_t max_sweeps, double tol,
    bint afresh, double offset, bint dense_sweeps, bint go_beyond,
):
    """Visit the documents [start, stop): equations (14), (16) and (24)."""
    cdef ldavi_documents a
    if start >= stop:
        return
    a.indptr = &indptr[0]
    a.indices = &indices[0] if indices.shape[0] else NULL
    a.counts = &counts[0] if counts.shape[0] else NULL
    a.position = &position[0] if position is not None and position.shape[0] else NULL
    a.doc_weight = &doc_weight[0] if doc_weight is not None else NULL
    a.B = &B[0, 0] if B.shape[0] else NULL
    a.log_scale = &log_scale[0] if log_scale.shape[0] else NULL
    a.topic_weight = &topic_weight[0]
    a.alpha = &alpha[0]
    a.gamma = &gamma[0, 0]
    a.doc_factor = &doc_factor[0, 0] if doc_factor is not None else NULL
    a.ratio = &ratio[0] if ratio is not None and ratio.shape[0] else NULL
    a.bound = &bound[0, 0] if bound is not None else NULL
    a.n_sweeps = &n_sweeps[0]
    a.scratch = &scratch[0]
    a.first_doc, a.start, a.stop = first_doc, start, stop
    a.K, a.Kp, a.n_rows = gamma.shape[1], B.shape[1], B.shape[0]
    a.max_words, a.max_sweeps, a.tol, a.afresh, a.offset = max_words, max_sweeps, tol, afresh, offset
    a.dense_sweeps, a.go_beyond = dense_sweeps, go_beyond
    with nogil:
        table.update_documents[0 if floating is float else 1](&a)


def accumulate_words(
    const int64_t[::1] word_ptr,      # IN    (words + 1,)
    const int32_t[::1] word_row,      # IN    (words,)
    const int32_t[::1] doc,           # IN    (nnz of block,)
    const floating[::1] ratio,        # IN    (nnz of block,)
    const floating[:, ::1] doc_factor,# IN    (docs of block, Kp)
    const floating[:, ::1] B,         # IN    (U, Kp)
    floating[:, ::1] sstats,          # INOUT (U, Kp)
    int64_t start, int64_t stop,
):
    """Add one block's statistics for its words [start, stop): equation (15)."""
    cdef ldavi_statistics a
    if start >= stop:
        return
    a.word_ptr, a.word_row, a.doc = &word_ptr[0], &word_row[0], &doc[0]
    a.ratio, a.doc_factor = &ratio[0], &doc_factor[0, 0]
    a.B, a.sstats = &B[0, 0], &sstats[0, 0]
    a.start, a.stop, a.Kp = start, stop, B.shape[1]
    with nogil:
        table.accumulate_words[0 if floating is float else 1](&a)


def update_topics(
    floating[:, ::1] sstats,          # INOUT (U, Kp) S, then lambda
    floating[:, ::1] B,               # INOUT (U, Kp)
    double[::1] log_scale,            # INOUT (U,)
    const floating[:, :] eta,         # IN    (1 or U, 1 or K)
    double[::1] terms,                # OUT   (3,), or None
    double[::1] totals,               # OUT   (Kp,)
    int64_t start, int64_t stop, int64_t K, double offset,
):
    """M-step of the words [start, stop): equations (12), (14) and (17)."""
    cdef ldavi_topics a
    if start >= stop:
        totals[:] = 0
        if terms is not None:
            terms[:] = 0
        return
    a.sstats, a.B, a.log_scale = &sstats[0, 0], &B[0, 0], &log_scale[0]
    a.eta = &eta[0, 0]
    a.eta_row = eta.strides[0] // <int64_t>sizeof(floating) if eta.shape[0] > 1 else 0
    a.eta_col = eta.strides[1] // <int64_t>sizeof(floating) if eta.shape[1] > 1 else 0
    a.terms = &terms[0] if terms is not None else NULL
    a.totals = &totals[0]
    a.start, a.stop, a.K, a.Kp, a.offset = start, stop, K, B.shape[1], offset
    with nogil:
        table.update_topics[0 if floating is float else 1](&a)


def visit_collapsed(
    const int64_t[::1] indptr,        # IN    (D + 1,)
    const int32_t[::1] indices,       # IN    (nnz,) rows of N
    const floating[::1] counts,       # IN    (nnz,)
    const int32_t[::1] position,      # IN    (nnz of block,)
    const mass_type[::1] mass,        # IN    (nnz of block,) by word
    const mass_type[:, ::1] N,        # IN    (U, Kp)
    const floating[:, ::1] eta,       # IN    (1 or U, 1 or Kp)
    const floating[::1] alpha,        # IN    (Kp,)
    const floating[::1] totals,       # IN    (Kp,)
    const floating[::1] inverse,      # IN    (Kp,)
    const uint16_t[:, ::1] topic,     # IN    (nnz of block, SLOTS) by word
    const uint8_t[:, ::1] share,      # IN    (nnz of block, SLOTS) by word
    uint16_t[:, ::1] new_topic,       # OUT   (nnz of block, SLOTS) by word
    uint8_t[:, ::1] new_share,        # OUT   (nnz of block, SLOTS) by word
    double[::1] log_predictive,       # OUT   (D,)
    floating[::1] scratch,            # TMP   (VISIT_ROWS * Kp,)
    uint64_t seed, int64_t n_topics, double alpha_total, double least, int64_t first_doc, int64_t first_count, int64_t start, int64_t stop,
):
    """Assign the counts of the documents [start, stop) anew: equations (30) to (32)."""
    cdef ldavi_collapsed a
    if floating is float:
        if mass_type is double:
            raise TypeError("masses beside float32 are int32")
    else:
        if mass_type is int32_t:
            raise TypeError("masses beside float64 are float64")
    if start >= stop or not counts.shape[0] or not position.shape[0]:
        return
    a.indptr, a.indices, a.counts = &indptr[0], &indices[0], &counts[0]
    a.position, a.mass, a.N, a.eta = &position[0], &mass[0], &N[0, 0], &eta[0, 0]
    a.alpha, a.totals, a.inverse = &alpha[0], &totals[0], &inverse[0]
    a.topic, a.share, a.new_topic, a.new_share = &topic[0, 0], &share[0, 0], &new_topic[0, 0], &new_share[0, 0]
    a.log_predictive, a.scratch, a.seed, a.alpha_total = &log_predictive[0], &scratch[0], seed, alpha_total
    a.least = least
    a.eta_row = eta.shape[1] if eta.shape[0] > 1 else 0
    a.eta_col = 1 if eta.shape[1] > 1 else 0
    a.first_doc, a.first_count, a.start, a.stop, a.K, a.Kp = first_doc, first_count, start, stop, n_topics, N.shape[1]
    with nogil:
        table.visit_collapsed[0 if floating is float else 1](&a)


def reassign_words(
    const int64_t[::1] word_ptr,      # IN    (words + 1,)
    const int32_t[::1] word_row,      # IN    (words,)
    const mass_type[::1] mass,        # IN    (nnz of block,) by word
    uint16_t[:, ::1] topic,           # INOUT (nnz of block, SLOTS)
    uint8_t[:, ::1] share,            # INOUT (nnz of block, SLOTS)
    const uint16_t[:, ::1] new_topic, # IN    (nnz of block, SLOTS)
    const uint8_t[:, ::1] new_share,  # IN    (nnz of block, SLOTS)
    mass_type[:, ::1] N,              # INOUT (U, Kp)
    double[::1] change,               # INOUT (Kp,)
    int64_t start, int64_t stop,
):
    """Take over the new assignments of the words [start, stop) of a block: equation (33)."""
    cdef ldavi_reassigned a
    if start >= stop:
        return
    a.word_ptr, a.word_row, a.mass = &word_ptr[0], &word_row[0], &mass[0]
    a.topic, a.share, a.new_topic, a.new_share = &topic[0, 0], &share[0, 0], &new_topic[0, 0], &new_share[0, 0]
    a.N, a.change, a.start, a.stop, a.Kp = &N[0, 0], &change[0], start, stop, N.shape[1]
    with nogil:
        table.reassign_words[0 if mass_type is int32_t else 1](&a)


def exp_digamma(const floating[::1] x, floating[::1] out):
    """out = exp(psi(x)): equation (23)."""
    if x.shape[0]:
        with nogil:
            table.exp_digamma[0 if floating is float else 1](&x[0], &out[0], x.shape[0])


def log_gamma_digamma(const double[::1] x, double[::1] log_gamma, double[::1] digamma):
    """lnGamma(x) and psi(x) at once."""
    if x.shape[0]:
        with nogil:
            table.log_gamma_digamma(&x[0], &log_gamma[0], &digamma[0], x.shape[0])


use_instruction_set(os.environ.get("LDAVI_SIMD") or instruction_sets()[0])
