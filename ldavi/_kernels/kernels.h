/* The interface of the kernels: what each instruction set provides, as one table of functions.
 *
 * kernels.c is compiled once per instruction set (see setup.py); dispatch.c tells which sets the machine runs, and the
 * table is chosen at import. Every REAL array is float or double; index [0] of a table entry is float, [1] is double.
 * K is the number of topics, Kp >= K the padded row length (a multiple of LDAVI_PAD). The padded entries of B and of
 * `topic_weight` are 0, so that padded lanes never carry mass.
 *
 * The structs below are the only description of the arguments: each field has a direction, a shape and a type.
 * setup.py derives their Cython declarations from this file, and _estep.pyx fills them by field name.
 * Directions: [in] read, [out] written, [inout] both, [scratch] working memory with undefined content.
 * Nothing here allocates, raises or touches a Python object. */
#ifndef LDAVI_KERNELS_H
#define LDAVI_KERNELS_H

#include <stdint.h>

#define LDAVI_PAD 16    /* the row length of B, S and lambda is a multiple of this many entries */
#define LDAVI_ALIGN 64  /* bytes, of every array that is read in whole vectors */
#define LDAVI_SLOTS 4   /* (topic, share) pairs stored per count in collapsed inference */
#define LDAVI_MAX_CANDIDATES 1024 /* topics of a count that can exceed min_share, so min_share >= 1 / LDAVI_MAX_CANDIDATES */
#define LDAVI_SHARES 255 /* shares that the responsibility of a count sums to */
#define LDAVI_CONCURRENT_DOCUMENTS 2 /* documents that update_assignments interleaves */

/* The scratch memory of update_assignments: these rows of Kp REAL, for each concurrent document. */
enum {
    LDAVI_ROW_WEIGHT, /* first: weights are read in whole tiles, and the last tile may reach into the next row */
    LDAVI_ROW_TILE_SUM,
    LDAVI_ROW_TILE_MAX,
    LDAVI_ROW_DOC_COUNT,
    LDAVI_ROW_FACTOR,
    LDAVI_ROWS_PER_DOCUMENT
};
#define LDAVI_SCRATCH_ROWS (LDAVI_ROWS_PER_DOCUMENT * LDAVI_CONCURRENT_DOCUMENTS)

/* The scratch memory of update_assignments_sparse: these rows of Kp + LDAVI_PAD REAL, for each concurrent document. */
enum {
    LDAVI_SPARSE_ROW_WEIGHT,
    LDAVI_SPARSE_ROW_FACTOR,
    LDAVI_SPARSE_ROW_PRIOR_FACTOR,
    LDAVI_SPARSE_ROW_DOC_COUNT,
    LDAVI_SPARSE_ROW_ETA,
    LDAVI_SPARSE_ROW_MASS,
    LDAVI_SPARSE_ROW_TOPIC,
    LDAVI_SPARSE_ROW_REFERENCES,
    LDAVI_SPARSE_ROW_PLACE,
    LDAVI_SPARSE_ROWS_PER_DOCUMENT
};
#define LDAVI_SPARSE_SCRATCH_ROWS (LDAVI_SPARSE_ROWS_PER_DOCUMENT * LDAVI_CONCURRENT_DOCUMENTS)

/* What sum_words computes of each word, with g_k = alpha_k / (n_k + eta_k). */
enum {
    LDAVI_WORD_MASS,      /* sum_k g_k n_wk */
    LDAVI_WORD_PRIOR,     /* sum_k g_k eta_wk */
    LDAVI_WORD_MAX_MASS,  /* max_k g_k n_wk */
    LDAVI_WORD_MAX_PRIOR, /* max_k g_k eta_wk */
    LDAVI_WORD_SUMS
};

/* Bytes of the scratch memory of apply_assignments_sparse, enough for either precision. */
#define LDAVI_APPLY_SCRATCH_BYTES(Kp) (10 * (((Kp) + 63) / 64 * 64) + 8 * (((Kp) + 63) / 64 + ((Kp) + 4095) / 4096))

/* The E-step of the documents [start, stop): equations (11.1), (12.1), (14.1) of docs/math.md. */
typedef struct {
    const int64_t *indptr;     /* [in] (D + 1,) */
    const int32_t *indices;    /* [in] (nnz,) rows of B */
    const void *counts;        /* [in] (nnz,) REAL */
    const int32_t *position;   /* [in] (nnz of block,) index into `ratio` of each count; NULL: no statistics */
    const void *doc_weight;    /* [in] (D,) REAL, omega_d; NULL: all 1 */
    const void *B;             /* [in] (U, Kp) REAL, exp(E[log beta]) scaled by word and topic */
    const double *log_scale;   /* [in] (U,) m_w, the logarithm of each word's scale */
    const void *topic_weight;  /* [in] (Kp,) REAL, v_k */
    const void *alpha;         /* [in] (1 or D, Kp) REAL, padded with the minimum of the row */
    void *gamma;               /* [inout] (D, K) REAL; [out] if `cold_start` */
    void *doc_factor;          /* [out] (documents of block, Kp) REAL, omega_d e_dk; NULL: no statistics */
    void *ratio;               /* [out] (nnz of block,) REAL, r_dw at `position`; NULL: no statistics */
    double *bound;             /* [out] (D, 2) the document's part of (12.1), and of (9.5); NULL: not computed */
    int32_t *n_inner_iter;     /* [out] (D,) inner iterations done; -1 where the weights of a word underflowed */
    void *scratch;             /* [scratch] scratch_size(max_words, Kp) bytes, aligned */
    int64_t first_doc;         /* [in] first document of the block: row 0 of doc_factor, entry 0 of position */
    int64_t start, stop;       /* [in] */
    int64_t K, Kp;             /* [in] */
    int64_t alpha_row;         /* [in] entries from a document's row of alpha to the next; 0: all have the same */
    int64_t n_rows;            /* [in] U, for assertions */
    int64_t max_words;         /* [in] largest number of stored counts in a document */
    int64_t max_inner_iter;    /* [in] */
    int64_t extrapolate;       /* [in] whether gamma is extrapolated after every second inner iteration, equation (14.2) */
    int64_t cold_start;        /* [in] whether to start from gamma = alpha + N_d / K instead of `gamma` */
    double tol;                /* [in] per token, on sum_k |change of gamma_k| */
    double digamma_offset;     /* [in] delta: exp(psi(gamma + delta)) replaces exp(psi(gamma)) */
} ldavi_documents_args;

/* The sufficient statistics of the words [start, stop) of one block: equation (11.2). */
typedef struct {
    const int64_t *word_ptr;   /* [in] (words + 1,) into doc and ratio */
    const int32_t *word_row;   /* [in] (words,) row of B and S */
    const int32_t *doc;        /* [in] (nnz of block,) row of doc_factor, by word */
    const void *ratio;         /* [in] (nnz of block,) REAL, by word */
    const void *doc_factor;    /* [in] (documents of block, Kp) REAL */
    const void *B;             /* [in] (U, Kp) REAL */
    void *sstats;              /* [inout] (U, Kp) REAL */
    int64_t start, stop, Kp;   /* [in] */
} ldavi_statistics_args;

/* The M-step of the words [start, stop): equations (9.9), (11.1), (12.2). */
typedef struct {
    void *sstats;              /* [inout] (U, Kp) REAL, S on entry, lambda on return */
    void *B;                   /* [inout] (U, Kp) REAL, of the old lambda on entry, of the new one on return */
    double *log_scale;         /* [inout] (U,) */
    const void *eta;           /* [in] (1 or U, 1 or K) REAL, read as eta[w * eta_row + k * eta_col] */
    double *terms;             /* [out] (3,) sum S log B_old, sum S log B_new (scales included), sum lnGamma(lambda);
                                  NULL: not computed */
    double *totals;            /* [out] (Kp,) sum of lambda over these words */
    int64_t eta_row, eta_col;  /* [in] strides in entries; 0 where eta does not vary; eta_col is 0 or 1 */
    int64_t start, stop;       /* [in] */
    int64_t K, Kp;             /* [in] */
    double digamma_offset;     /* [in] delta: the new B is that of lambda + delta; the bound is that of lambda */
} ldavi_topics_args;

/* The sums of the words [start, stop) of one block that equation (18.2) needs of topics which a document does not have.
 *
 * Sparse rows of n_wk: the masses of word w are N[row_ptr[w]] and those after it. If row_length[w] is -1, the row is dense
 * and has Kp masses. Otherwise, it has row_length[w] masses, all > 0, whose topics are at the same places of row_topic, in
 * ascending order; there is room for the masses of as many topics as the word's counts have slots. */
typedef struct {
    const int32_t *word_row;   /* [in] (words,) */
    const int64_t *row_ptr;    /* [in] (U + 1,) */
    const int32_t *row_length; /* [in] (U,) */
    const uint16_t *row_topic; /* [in] (row_ptr[U],) */
    const void *N;             /* [in] (row_ptr[U],) mass, n_wk */
    const void *eta;           /* [in] (1 or U, 1 or Kp) REAL, in units of mass */
    const void *prior_weight;  /* [in] (Kp,) REAL, g_k = alpha_k / (n_k + eta_k); 0 in the padding */
    double *word_sums;         /* [inout] (U, LDAVI_WORD_SUMS), [out] of the words of the range */
    double prior_total;        /* [in] sum_k g_k */
    double prior_max;          /* [in] max_k g_k */
    int64_t eta_row, eta_col;  /* [in] strides in entries; 0 where eta does not vary */
    int64_t start, stop;       /* [in] */
    int64_t K, Kp;             /* [in] */
} ldavi_word_sums_args;

/* CVB0 updates of the documents [start, stop) of a block: equations (18.1) to (18.3). A mass is a whole number, stored as
 * int32_t beside float and as double beside double: n_dw in units of 1 / LDAVI_SHARES, weights included. */
typedef struct {
    const int64_t *indptr;     /* [in] (D + 1,) */
    const int32_t *indices;    /* [in] (nnz,) rows of N */
    const void *counts;        /* [in] (nnz,) REAL */
    const int32_t *position;   /* [in] (nnz of block,) index of each count in the order by word */
    const void *mass;          /* [in] (nnz of block,) mass of one share, by word */
    const void *N;             /* [in] (U, Kp) mass, n_wk; or sparse rows */
    const int64_t *row_ptr;    /* [in] (U + 1,) of sparse rows, see ldavi_word_sums_args; NULL: N is dense */
    const int32_t *row_length; /* [in] (U,) of sparse rows */
    const uint16_t *row_topic; /* [in] (row_ptr[U],) of sparse rows */
    const double *word_sums;   /* [in] (U, LDAVI_WORD_SUMS) of the words of the block; not read where N is dense */
    const void *prior_weight;  /* [in] (Kp,) REAL, g_k = alpha_k / (n_k + eta_k); not read where N is dense */
    const double *cumulative;  /* [in] (K,) g_0 + ... + g_k; not read where N is dense */
    const void *eta;           /* [in] (1 or U, 1 or Kp) REAL, in units of mass */
    const void *alpha;         /* [in] (1 or D, Kp) REAL, in shares; 0 in the padding; one row where N is sparse */
    const double *alpha_total; /* [in] (1 or D,) sum_k alpha_k, in tokens */
    const void *totals;        /* [in] (Kp,) REAL, n_k + eta_k in units of mass */
    const void *inverse;       /* [in] (Kp,) REAL, 1 / totals; 0 in the padding */
    const uint16_t *topic;     /* [in] (nnz of block, LDAVI_SLOTS) by word */
    const uint8_t *share;      /* [in] (nnz of block, LDAVI_SLOTS) by word; all 0: not assigned yet */
    uint16_t *new_topic;       /* [out] (nnz of block, LDAVI_SLOTS) by word */
    uint8_t *new_share;        /* [out] (nnz of block, LDAVI_SLOTS) by word; rows sum to LDAVI_SHARES */
    double *log_predictive;    /* [out] (D,) sum_w n log p of each count given all other counts */
    void *scratch;             /* [scratch] (LDAVI_SCRATCH_ROWS, Kp) REAL, aligned; where rows are sparse,
                                  (LDAVI_SPARSE_SCRATCH_ROWS, Kp + LDAVI_PAD) */
    uint64_t seed;             /* [in] */
    int64_t eta_row, eta_col;  /* [in] strides in entries; 0 where eta does not vary */
    int64_t first_doc;         /* [in] first document of the block */
    int64_t first_count;       /* [in] number of counts before those of `indptr`, for the random numbers */
    int64_t start, stop;       /* [in] */
    int64_t K, Kp;             /* [in] */
    int64_t n_alpha;           /* [in] rows of alpha: 1 or D */
    double min_share;          /* [in] epsilon of (18.3): topics with a smaller responsibility are sampled from; > 1: all are */
} ldavi_assignments_args;

/* Move the mass of the words [start, stop) of one block to their counts' new assignments: equation (18.4). */
typedef struct {
    const int64_t *word_ptr;   /* [in] (words + 1,) */
    const int32_t *word_row;   /* [in] (words,) row of N */
    const void *mass;          /* [in] (nnz of block,) mass of one share, by word */
    uint16_t *topic;           /* [inout] (nnz of block, LDAVI_SLOTS) */
    uint8_t *share;            /* [inout] (nnz of block, LDAVI_SLOTS) */
    const uint16_t *new_topic; /* [in] (nnz of block, LDAVI_SLOTS) */
    const uint8_t *new_share;  /* [in] (nnz of block, LDAVI_SLOTS) */
    void *N;                   /* [inout] (U, Kp) mass; or sparse rows */
    const int64_t *row_ptr;    /* [in] (U + 1,) of sparse rows, see ldavi_word_sums_args; NULL: N is dense */
    int32_t *row_length;       /* [inout] (U,) of sparse rows */
    uint16_t *row_topic;       /* [inout] (row_ptr[U],) of sparse rows */
    void *scratch;             /* [scratch] LDAVI_APPLY_SCRATCH_BYTES(Kp), aligned; not used where N is dense */
    double *change;            /* [inout] (Kp,) of n_k; whole numbers, so the sum is exact */
    int64_t start, stop, Kp;   /* [in] */
} ldavi_apply_args;

/* Sums over the rows of a matrix, for updates of the priors: equations (19.8) and (19.9). Columns K to Kp are padding. */
typedef struct {
    const void *rows;                /* [in] (n_rows, K) REAL, >= 0 */
    const double *weight;            /* [in] (n_rows,) or NULL: all 1 */
    const double *digamma_of_lowest; /* [in] (Kp,) */
    const void *limit;               /* [in] (Kp,) REAL, entries up to which x + shift is lowest but for rounding */
    double *rises;                   /* [out] (Kp,) sum_i weight_i (psi(x_ik + shift) - psi(lowest_k)) */
    double *totals;                  /* [out] (Kp,) sum_i x_ik; NULL: not computed */
    double shift;                    /* [in] */
    int64_t row_stride;              /* [in] entries from one row to the next */
    int64_t n_rows, K;               /* [in] */
} ldavi_digamma_sums_args;

typedef struct {
    const char *name;
    int64_t (*scratch_size)(int64_t max_words, int64_t Kp); /* bytes, enough for either precision */
    void (*update_documents[2])(const ldavi_documents_args *);
    void (*accumulate_words[2])(const ldavi_statistics_args *);
    void (*update_topics[2])(const ldavi_topics_args *);
    void (*sum_digammas[2])(const ldavi_digamma_sums_args *);
    void (*update_assignments[2])(const ldavi_assignments_args *);
    void (*apply_assignments[2])(const ldavi_apply_args *);
    void (*sum_words[2])(const ldavi_word_sums_args *);
    void (*update_assignments_sparse[2])(const ldavi_assignments_args *);
    void (*apply_assignments_sparse[2])(const ldavi_apply_args *);
    void (*exp_digamma[2])(const void *x, void *out, int64_t n);
    void (*log_gamma_digamma)(const double *x, double *log_gamma, double *digamma, int64_t n);
} ldavi_table;

/* NULL where the compiler or the machine lacks the instruction set. */
const ldavi_table *ldavi_table_baseline(void);
const ldavi_table *ldavi_table_avx2(void);
const ldavi_table *ldavi_table_avx512(void);

/* dispatch.c: 1 if this machine and its operating system can run the named instruction set. */
int ldavi_cpu_has(const char *name);

#endif
