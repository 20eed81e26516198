"""The interface between Python and the kernels: typed arrays in, one C call without the interpreter's lock.

The algorithms are in _kernels/, one C body per instruction set. The meaning, shape and direction of every argument are
documented once, at the fields of the structs in _kernels/kernels.h; the keyword arguments here have the same names. This
module checks types and memory layout, and builds the structs by field name. The callers own every array, scratch included.
"""

import os

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint64_t

ctypedef fused floating:
    float
    double

ctypedef fused mass_type:
    int32_t
    double

include "declarations.pxi"  # the structs of kernels.h, written by setup.py

cdef extern from "kernels.h":
    enum:
        LDAVI_PAD
        LDAVI_ALIGN
        LDAVI_SLOTS
        LDAVI_SHARES
        LDAVI_MAX_CANDIDATES
        LDAVI_SCRATCH_ROWS
        LDAVI_SPARSE_SCRATCH_ROWS
        LDAVI_WORD_SUMS
    int64_t LDAVI_APPLY_SCRATCH_BYTES(int64_t Kp) noexcept nogil
    const ldavi_table *ldavi_table_baseline() noexcept nogil
    const ldavi_table *ldavi_table_avx2() noexcept nogil
    const ldavi_table *ldavi_table_avx512() noexcept nogil
    int ldavi_cpu_has(const char *name) noexcept nogil

PAD = LDAVI_PAD
ALIGNMENT = LDAVI_ALIGN
SLOTS = LDAVI_SLOTS
SHARES = LDAVI_SHARES
MAX_CANDIDATES = LDAVI_MAX_CANDIDATES
SCRATCH_ROWS = LDAVI_SCRATCH_ROWS
SPARSE_SCRATCH_ROWS = LDAVI_SPARSE_SCRATCH_ROWS
WORD_SUMS = LDAVI_WORD_SUMS

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
    """Return the instruction sets that this build has and this machine runs, the widest first."""
    return [name for name in ("avx512", "avx2", "baseline") if find_table(name) is not NULL]


def instruction_set():
    """Return the name of the instruction set in use."""
    return table.name.decode()


def use_instruction_set(str name):
    """Select an instruction set, for `LDAVI_SIMD` and for tests; not while another thread is in a kernel."""
    global table
    cdef const ldavi_table *found = find_table(name)
    if found is NULL:
        raise ValueError(f"LDAVI_SIMD={name!r} must be one of {instruction_sets()} on this machine and build")
    table = found


def scratch_size(int64_t max_words, int64_t Kp):
    """Return the number of bytes of scratch memory that `update_documents` needs."""
    return table.scratch_size(max_words, Kp)


cdef int check_scratch(int64_t size, int64_t needed) except -1:
    if size < needed:
        raise ValueError(f"scratch has {size} entries but {needed} are needed")
    return 0


def update_documents(
    *,
    const int64_t[::1] indptr not None,
    const int32_t[::1] indices not None,
    const floating[::1] counts not None,
    const floating[:, ::1] B not None,
    const double[::1] log_scale not None,
    const floating[::1] topic_weight not None,
    const floating[:, ::1] alpha not None,
    floating[:, ::1] gamma not None,
    int32_t[::1] n_inner_iter not None,
    double[:, ::1] bound,
    const int32_t[::1] position,
    const floating[::1] doc_weight,
    floating[:, ::1] doc_factor,
    floating[::1] ratio,
    unsigned char[::1] scratch not None,
    int64_t first_doc,
    int64_t start,
    int64_t stop,
    int64_t max_words,
    int64_t max_inner_iter,
    double tol,
    bint cold_start,
    bint extrapolate,
    double digamma_offset,
):
    """Run the E-step of the documents [start, stop): equations (11.1), (12.1) and (14.1)."""
    if start >= stop:
        return
    check_scratch(scratch.shape[0], table.scratch_size(max_words, B.shape[1]))
    cdef ldavi_documents_args a
    a.indptr = &indptr[0]
    a.indices = &indices[0] if indices.shape[0] else NULL
    a.counts = &counts[0] if counts.shape[0] else NULL
    a.position = &position[0] if position is not None and position.shape[0] else NULL
    a.doc_weight = &doc_weight[0] if doc_weight is not None else NULL
    a.B = &B[0, 0] if B.shape[0] else NULL
    a.log_scale = &log_scale[0] if log_scale.shape[0] else NULL
    a.topic_weight = &topic_weight[0]
    a.alpha = &alpha[0, 0]
    a.alpha_row = alpha.shape[1] if alpha.shape[0] > 1 else 0
    a.gamma = &gamma[0, 0]
    a.doc_factor = &doc_factor[0, 0] if doc_factor is not None else NULL
    a.ratio = &ratio[0] if ratio is not None and ratio.shape[0] else NULL
    a.bound = &bound[0, 0] if bound is not None else NULL
    a.n_inner_iter = &n_inner_iter[0]
    a.scratch = &scratch[0]
    a.first_doc = first_doc
    a.start = start
    a.stop = stop
    a.K = gamma.shape[1]
    a.Kp = B.shape[1]
    a.n_rows = B.shape[0]
    a.max_words = max_words
    a.max_inner_iter = max_inner_iter
    a.extrapolate = extrapolate
    a.cold_start = cold_start
    a.tol = tol
    a.digamma_offset = digamma_offset
    with nogil:
        table.update_documents[0 if floating is float else 1](&a)


def accumulate_words(
    *,
    const int64_t[::1] word_ptr not None,
    const int32_t[::1] word_row not None,
    const int32_t[::1] doc not None,
    const floating[::1] ratio not None,
    const floating[:, ::1] doc_factor not None,
    const floating[:, ::1] B not None,
    floating[:, ::1] sstats not None,
    int64_t start,
    int64_t stop,
):
    """Add one block's sufficient statistics for its words [start, stop): equation (11.2)."""
    if start >= stop:
        return
    cdef ldavi_statistics_args a
    a.word_ptr = &word_ptr[0]
    a.word_row = &word_row[0]
    a.doc = &doc[0]
    a.ratio = &ratio[0]
    a.doc_factor = &doc_factor[0, 0]
    a.B = &B[0, 0]
    a.sstats = &sstats[0, 0]
    a.start = start
    a.stop = stop
    a.Kp = B.shape[1]
    with nogil:
        table.accumulate_words[0 if floating is float else 1](&a)


def update_topics(
    *,
    floating[:, ::1] sstats not None,
    floating[:, ::1] B not None,
    double[::1] log_scale not None,
    const floating[:, :] eta not None,
    double[::1] terms,
    double[::1] totals not None,
    int64_t start,
    int64_t stop,
    int64_t K,
    double digamma_offset,
):
    """Run the M-step of the words [start, stop): equations (9.9), (11.1) and (12.2)."""
    if start >= stop:
        totals[:] = 0
        if terms is not None:
            terms[:] = 0
        return
    cdef ldavi_topics_args a
    a.sstats = &sstats[0, 0]
    a.B = &B[0, 0]
    a.log_scale = &log_scale[0]
    a.eta = &eta[0, 0]
    a.terms = &terms[0] if terms is not None else NULL
    a.totals = &totals[0]
    a.eta_row = eta.strides[0] // <int64_t>sizeof(floating) if eta.shape[0] > 1 else 0
    a.eta_col = eta.strides[1] // <int64_t>sizeof(floating) if eta.shape[1] > 1 else 0
    a.start = start
    a.stop = stop
    a.K = K
    a.Kp = B.shape[1]
    a.digamma_offset = digamma_offset
    with nogil:
        table.update_topics[0 if floating is float else 1](&a)


def sum_digammas(
    *,
    const floating[:, :] rows not None,
    const double[::1] weight,
    const floating[::1] limit not None,
    const double[::1] digamma_of_lowest not None,
    double[::1] rises not None,
    double[::1] totals,
    double shift,
):
    """Sum psi(x + shift) over rows, for updates of the priors: equations (19.8) and (19.9)."""
    rises[:] = 0
    if totals is not None:
        totals[:] = 0
    if not rows.shape[0] or not rows.shape[1]:
        return
    if rows.shape[1] > 1 and rows.strides[1] != <int64_t>sizeof(floating):
        raise ValueError("the entries of a row must be contiguous")
    cdef ldavi_digamma_sums_args a
    a.rows = &rows[0, 0]
    a.weight = &weight[0] if weight is not None else NULL
    a.limit = &limit[0]
    a.digamma_of_lowest = &digamma_of_lowest[0]
    a.rises = &rises[0]
    a.totals = &totals[0] if totals is not None else NULL
    a.shift = shift
    a.row_stride = rows.strides[0] // <int64_t>sizeof(floating)
    a.n_rows = rows.shape[0]
    a.K = rows.shape[1]
    with nogil:
        table.sum_digammas[0 if floating is float else 1](&a)


def update_assignments(
    *,
    const int64_t[::1] indptr not None,
    const int32_t[::1] indices not None,
    const floating[::1] counts not None,
    const int32_t[::1] position not None,
    const mass_type[::1] mass not None,
    const mass_type[:, ::1] N not None,
    const floating[:, ::1] eta not None,
    const floating[:, ::1] alpha not None,
    const double[::1] alpha_total not None,
    const floating[::1] totals not None,
    const floating[::1] inverse not None,
    const uint16_t[:, ::1] topic not None,
    const uint8_t[:, ::1] share not None,
    uint16_t[:, ::1] new_topic not None,
    uint8_t[:, ::1] new_share not None,
    double[::1] log_predictive not None,
    floating[::1] scratch not None,
    uint64_t seed,
    int64_t n_topics,
    double min_share,
    int64_t first_doc,
    int64_t first_count,
    int64_t start,
    int64_t stop,
    const int64_t[::1] row_ptr=None,
    const int32_t[::1] row_length=None,
    const uint16_t[::1] row_topic=None,
    const double[:, ::1] word_sums=None,
    const floating[::1] prior_weight=None,
    const double[::1] cumulative=None,
):
    """Run the CVB0 updates of the documents [start, stop): equations (18.1) to (18.3).

    The last arguments are those of sparse rows; N is then of shape (1, row_ptr[U]).
    """
    if floating is float:
        if mass_type is double:
            raise TypeError("mass and N must be int32 if counts are float32")
    else:
        if mass_type is int32_t:
            raise TypeError("mass and N must be float64 if counts are float64")
    if not min_share * LDAVI_MAX_CANDIDATES >= 1:  # the kernel lists the topics above it in arrays of a fixed size
        raise ValueError(f"min_share={min_share!r} must be at least 1 / {LDAVI_MAX_CANDIDATES}")
    if start >= stop or not counts.shape[0] or not position.shape[0]:
        return
    cdef int64_t Kp = alpha.shape[1]
    cdef bint is_sparse = row_ptr is not None
    if is_sparse:
        check_scratch(scratch.shape[0], LDAVI_SPARSE_SCRATCH_ROWS * (Kp + LDAVI_PAD))
    else:
        check_scratch(scratch.shape[0], LDAVI_SCRATCH_ROWS * Kp)
    cdef ldavi_assignments_args a
    a.indptr = &indptr[0]
    a.indices = &indices[0]
    a.counts = &counts[0]
    a.position = &position[0]
    a.mass = &mass[0]
    a.N = &N[0, 0]
    a.row_ptr = NULL
    if is_sparse:
        a.row_ptr = &row_ptr[0]
        a.row_length = &row_length[0]
        a.row_topic = &row_topic[0]
        a.word_sums = &word_sums[0, 0]
        a.prior_weight = &prior_weight[0]
        a.cumulative = &cumulative[0]
    a.eta = &eta[0, 0]
    a.alpha = &alpha[0, 0]
    a.alpha_total = &alpha_total[0]
    a.n_alpha = alpha.shape[0]
    a.totals = &totals[0]
    a.inverse = &inverse[0]
    a.topic = &topic[0, 0]
    a.share = &share[0, 0]
    a.new_topic = &new_topic[0, 0]
    a.new_share = &new_share[0, 0]
    a.log_predictive = &log_predictive[0]
    a.scratch = &scratch[0]
    a.seed = seed
    a.eta_row = eta.shape[1] if eta.shape[0] > 1 else 0
    a.eta_col = 1 if eta.shape[1] > 1 else 0
    a.first_doc = first_doc
    a.first_count = first_count
    a.start = start
    a.stop = stop
    a.K = n_topics
    a.Kp = Kp
    a.min_share = min_share
    with nogil:
        if is_sparse:
            table.update_assignments_sparse[0 if floating is float else 1](&a)
        else:
            table.update_assignments[0 if floating is float else 1](&a)


def sum_words(
    *,
    const int32_t[::1] word_row not None,
    const int64_t[::1] row_ptr not None,
    const int32_t[::1] row_length not None,
    const uint16_t[::1] row_topic not None,
    const mass_type[:, ::1] N not None,
    const floating[:, ::1] eta not None,
    const floating[::1] prior_weight not None,
    double[:, ::1] word_sums not None,
    double prior_total,
    double prior_max,
    int64_t n_topics,
    int64_t start,
    int64_t stop,
):
    """Compute the sums of the words [start, stop) of a block that do not depend on the document."""
    if floating is float:
        if mass_type is double:
            raise TypeError("N must be int32 if prior_weight is float32")
    else:
        if mass_type is int32_t:
            raise TypeError("N must be float64 if prior_weight is float64")
    if start >= stop:
        return
    cdef ldavi_word_sums_args a
    a.word_row = &word_row[0]
    a.row_ptr = &row_ptr[0]
    a.row_length = &row_length[0]
    a.row_topic = &row_topic[0]
    a.N = &N[0, 0]
    a.eta = &eta[0, 0]
    a.prior_weight = &prior_weight[0]
    a.word_sums = &word_sums[0, 0]
    a.prior_total = prior_total
    a.prior_max = prior_max
    a.eta_row = eta.shape[1] if eta.shape[0] > 1 else 0
    a.eta_col = 1 if eta.shape[1] > 1 else 0
    a.start = start
    a.stop = stop
    a.K = n_topics
    a.Kp = prior_weight.shape[0]
    with nogil:
        table.sum_words[0 if floating is float else 1](&a)


def apply_assignments(
    *,
    const int64_t[::1] word_ptr not None,
    const int32_t[::1] word_row not None,
    const mass_type[::1] mass not None,
    uint16_t[:, ::1] topic not None,
    uint8_t[:, ::1] share not None,
    const uint16_t[:, ::1] new_topic not None,
    const uint8_t[:, ::1] new_share not None,
    mass_type[:, ::1] N not None,
    double[::1] change not None,
    int64_t start,
    int64_t stop,
    const int64_t[::1] row_ptr=None,
    int32_t[::1] row_length=None,
    uint16_t[::1] row_topic=None,
    uint8_t[::1] scratch=None,
):
    """Move the mass of the words [start, stop) of a block to the new assignments: equation (18.4).

    The last arguments are those of sparse rows; N is then of shape (1, row_ptr[U]).
    """
    if start >= stop:
        return
    cdef ldavi_apply_args a
    a.word_ptr = &word_ptr[0]
    a.word_row = &word_row[0]
    a.mass = &mass[0]
    a.topic = &topic[0, 0]
    a.share = &share[0, 0]
    a.new_topic = &new_topic[0, 0]
    a.new_share = &new_share[0, 0]
    a.N = &N[0, 0]
    a.change = &change[0]
    a.start = start
    a.stop = stop
    a.Kp = change.shape[0]
    a.row_ptr = NULL
    cdef bint is_sparse = row_ptr is not None
    if is_sparse:
        check_scratch(scratch.shape[0], LDAVI_APPLY_SCRATCH_BYTES(a.Kp))
        a.row_ptr = &row_ptr[0]
        a.row_length = &row_length[0]
        a.row_topic = &row_topic[0]
        a.scratch = &scratch[0]
    with nogil:
        if is_sparse:
            table.apply_assignments_sparse[0 if mass_type is int32_t else 1](&a)
        else:
            table.apply_assignments[0 if mass_type is int32_t else 1](&a)


def apply_scratch_bytes(int64_t width):
    """Return the bytes of scratch memory that `apply_assignments` needs for sparse rows of `width` topics."""
    return LDAVI_APPLY_SCRATCH_BYTES(width)


def exp_digamma(const floating[::1] x, floating[::1] out):
    """Compute out = exp(psi(x)): equation (13.1)."""
    if x.shape[0]:
        with nogil:
            table.exp_digamma[0 if floating is float else 1](&x[0], &out[0], x.shape[0])


def log_gamma_digamma(const double[::1] x, double[::1] log_gamma, double[::1] digamma):
    """Compute lnGamma(x) and psi(x) together."""
    if x.shape[0]:
        with nogil:
            table.log_gamma_digamma(&x[0], &log_gamma[0], &digamma[0], x.shape[0])


use_instruction_set(os.environ.get("LDAVI_SIMD") or instruction_sets()[0])
