"""Streams of random numbers for the compiled samplers: one per document, which depends on its key alone."""

from libc.math cimport exp, log, sqrt
from libc.stdint cimport int64_t, uint64_t

cdef struct Stream:  # xoshiro256**
    uint64_t a, b, c, d


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
