/* The compiled floor: what each instruction set provides, as one table of functions.
 *
 * kernels.c is compiled once per instruction set (see setup.py); dispatch.c picks a table at import.
 * Every REAL array is float or double; the table's index [0] is float, [1] is double.
 * K is the number of topics, Kp >= K the padded row length (a multiple of LDAVI_PAD); padded entries of
 * B are 0 and those of `topic_weight` are 0, so no padded lane ever carries mass.
 * Direction tags: IN read, OUT written, INOUT both, TMP scratch whose content is of no interest.
 * Nothing here allocates, raises or touches a Python object. */
#ifndef LDAVI_KERNELS_H
#define LDAVI_KERNELS_H

#include <stdint.h>

#define LDAVI_PAD 16 /* row length of B, S and lambda is a multiple of this many entries */
#define LDAVI_ALIGN 64
#define LDAVI_SLOTS 4     /* topics that a count keeps under collapsed inference */
#define LDAVI_SHARES 255 /* parts that a count's mass is dealt out in */
#define LDAVI_FRAME_ROWS 5 /* of Kp: what a document's collapsed visit works on */
#define LDAVI_VISIT_DOCUMENTS 2 /* that are visited at a time */
#define LDAVI_VISIT_ROWS (LDAVI_FRAME_ROWS * LDAVI_VISIT_DOCUMENTS)
#define LDAVI_ACTIVE_ROOM (1 << 16) /* entries of B copied for a document's active topics, at most: a second-level cache */

/* One visit to the documents [start, stop): equations (14), (16), (24) of docs/math.md. */
typedef struct {
    const int64_t *indptr;     /* IN  (D + 1,) */
    const int32_t *indices;    /* IN  (nnz,) rows of B */
    const void *counts;        /* IN  (nnz,) REAL */
    const int32_t *position;   /* IN  (nnz of block,) where a count's ratio goes in `ratio`; NULL: no statistics */
    const void *doc_weight;    /* IN  (D,) REAL, omega_d; NULL: all 1 */
    const void *B;             /* IN  (U, Kp) REAL, exp(E[log beta]) scaled by word and topic */
    const double *log_scale;   /* IN  (U,) m_w, the logarithm of each word's scale */
    const void *topic_weight;  /* IN  (Kp,) REAL, v_k */
    const void *alpha;         /* IN  (Kp,) REAL, padded with the least of them */
    void *gamma;               /* INOUT (D, K) REAL; only OUT if `afresh` */
    void *doc_factor;          /* OUT (stop - first_doc, Kp) REAL, omega_d e_dk; NULL: no statistics */
    void *ratio;               /* OUT (nnz of block,) REAL, r_dw at `position`; NULL: no statistics */
    double *bound;             /* OUT (D, 2): the document's part of (16), and of (8); NULL: none */
    int32_t *n_sweeps;         /* OUT (D,) sweeps done; -1 where the weights of a word underflowed */
    void *scratch;             /* TMP ldavi_scratch_size(max_words, Kp) bytes, aligned */
    int64_t first_doc;         /* first document of the block: row 0 of doc_factor, entry 0 of position */
    int64_t start, stop;
    int64_t K, Kp;
    int64_t n_rows;            /* U, for assertions */
    int64_t max_words;         /* the longest document's number of stored counts */
    int64_t max_sweeps;
    int64_t dense_sweeps;      /* whether every sweep is over all topics, none being set aside between */
    int64_t go_beyond;         /* whether gamma may be taken further than a sweep takes it, see go_beyond */
    int64_t afresh;            /* whether visits start from gamma = alpha + N_d / K and not from `gamma` */
    double tol;
    double offset;             /* delta: exp(psi(gamma + delta)) stands for exp(psi(gamma)) */
} ldavi_documents;

/* Statistics of the words [start, stop) of one block: equation (15). */
typedef struct {
    const int64_t *word_ptr;   /* IN  (words + 1,) into doc and ratio */
    const int32_t *word_row;   /* IN  (words,) row of B and S */
    const int32_t *doc;        /* IN  (nnz of block,) row of doc_factor, by word */
    const void *ratio;         /* IN  (nnz of block,) REAL, by word */
    const void *doc_factor;    /* IN  (D of block, Kp) REAL */
    const void *B;             /* IN  (U, Kp) REAL */
    void *sstats;              /* INOUT (U, Kp) REAL */
    int64_t start, stop, Kp;
} ldavi_statistics;

/* M-step of the words [start, stop): equations (12), (14), (17). */
typedef struct {
    void *sstats;              /* INOUT (U, Kp) REAL: S on entry, lambda on return */
    void *B;                   /* INOUT (U, Kp) REAL: of the old lambda on entry, of the new on return */
    double *log_scale;         /* INOUT (U,) */
    const void *eta;           /* IN  REAL, read as eta[w * eta_row + k * eta_col] */
    double *terms;             /* OUT (3,) sum S log B_old, sum S log B_new (scales included), sum lnGamma(lambda);
                                  NULL: none */
    double *totals;            /* OUT (Kp,) sum over these words of lambda */
    int64_t eta_row, eta_col;  /* strides in entries: K, 1 or 0, and 1 or 0; 0 where eta does not vary */
    int64_t start, stop, K, Kp;
    double offset;             /* delta: the new B is of lambda + delta; the bound is of lambda */
} ldavi_topics;

/* One collapsed visit to the documents [start, stop) of a block: equations (30) to (32). A mass is a whole number, of
 * int32_t beside float and of double beside double: n_dw in parts of 1 / LDAVI_SHARES, weights included. */
typedef struct {
    const int64_t *indptr;     /* IN  (D + 1,) */
    const int32_t *indices;    /* IN  (nnz,) rows of N */
    const void *counts;        /* IN  (nnz,) REAL */
    const int32_t *position;   /* IN  (nnz of block,) a count's place by word */
    const void *mass;          /* IN  (nnz of block,) mass, by word: of one share */
    const void *N;             /* IN  (U, Kp) mass: n_wk */
    const void *eta;           /* IN  REAL, read as eta[w * eta_row + k * eta_col], in units of mass; rows padded */
    const void *alpha;         /* IN  (Kp,) REAL, in shares; 0 in the padding */
    const void *totals;        /* IN  (Kp,) REAL, n_k + eta_k in units of mass */
    const void *inverse;       /* IN  (Kp,) REAL, 1 / totals; 0 in the padding */
    const uint16_t *topic;     /* IN  (nnz of block, LDAVI_SLOTS), by word */
    const uint8_t *share;      /* IN  (nnz of block, LDAVI_SLOTS), by word; all 0: not assigned yet */
    uint16_t *new_topic;       /* OUT (nnz of block, LDAVI_SLOTS), by word */
    uint8_t *new_share;        /* OUT (nnz of block, LDAVI_SLOTS), by word; rows sum to LDAVI_SHARES */
    double *log_predictive;    /* OUT (D,) sum_w n log p of each count, itself left out */
    void *scratch;             /* TMP LDAVI_VISIT_ROWS * Kp REAL, aligned */
    uint64_t seed;
    int64_t eta_row, eta_col;  /* strides in entries; 0 where eta does not vary */
    int64_t first_doc;         /* first document of the block */
    int64_t first_count;       /* counts before those of `indptr`, for the random numbers */
    int64_t start, stop, K, Kp;
    double alpha_total;        /* sum_k alpha_k, in tokens */
    double least;              /* a topic that holds a smaller part of a count is among those drawn from; > 1: all are */
} ldavi_collapsed;

/* The words [start, stop) of one block take over their counts' new assignments: equation (33). */
typedef struct {
    const int64_t *word_ptr;   /* IN  (words + 1,) */
    const int32_t *word_row;   /* IN  (words,) row of N */
    const void *mass;          /* IN  (nnz of block,) mass, by word */
    uint16_t *topic;           /* INOUT (nnz of block, LDAVI_SLOTS) */
    uint8_t *share;            /* INOUT (nnz of block, LDAVI_SLOTS) */
    const uint16_t *new_topic; /* IN  (nnz of block, LDAVI_SLOTS) */
    const uint8_t *new_share;  /* IN  (nnz of block, LDAVI_SLOTS) */
    void *N;                   /* INOUT (U, Kp) mass */
    double *change;            /* INOUT (Kp,) of n_k; whole numbers, so exact */
    int64_t start, stop, Kp;
} ldavi_reassigned;

typedef struct {
    const char *name;
    void (*update_documents[2])(const ldavi_documents *);
    void (*accumulate_words[2])(const ldavi_statistics *);
    void (*update_topics[2])(const ldavi_topics *);
    void (*visit_collapsed[2])(const ldavi_collapsed *);
    void (*reassign_words[2])(const ldavi_reassigned *);
    void (*exp_digamma[2])(const void *x, void *out, int64_t n);
    void (*log_gamma_digamma)(const double *x, double *log_gamma, double *digamma, int64_t n);
} ldavi_table;

/* NULL where the compiler or the machine lacks the instruction set. */
const ldavi_table *ldavi_table_baseline(void);
const ldavi_table *ldavi_table_avx2(void);
const ldavi_table *ldavi_table_avx512(void);

/* dispatch.c: 1 if this machine and its operating system can run the named instruction set. */
int ldavi_cpu_has(const char *name);

int64_t ldavi_scratch_size(int64_t max_words, int64_t Kp);

#endif
