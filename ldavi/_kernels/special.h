/* exp, log, exp(digamma), lnGamma and digamma on whole vectors: equation (13.1) of docs/math.md.
 *
 * exp(psi(x)) = P(x) exp(-R(x)): R(x) = sum_{i<n} 1/(x+i) comes from the recurrence of psi, and
 * P(x) = y (1 + c1 u + c2 u^2 + ...), y = x + n - 1/2, u = 1/y^2, from the asymptotic series of exp(psi(x + n)).
 * P and R are kept apart so that the exponent can be shifted before exp is taken and nothing underflows that
 * need not. The coefficients are fitted (minimax) for n = 3 in float and n = 6 in double. */
#ifndef LDAVI_SPECIAL_H
#define LDAVI_SPECIAL_H

#include "vector.h"

/* e^x for x <= 88 (709 in double), relative error below 2 ulp; 0 below the smallest normal number.
 * x = n ln 2 + r, |r| <= ln(2) / 2. */
INLINE vec_f32 exp_f32(vec_f32 x) {
    const vec_f32 magic = SPLAT_f32(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    vec_f32 inside = max_f32(x, SPLAT_f32(-87.0f));
    vec_f32 shifted = inside * SPLAT_f32(1.44269504088896341f) + magic;
    vec_f32 n = shifted - magic;
    vec_f32 r = inside - n * SPLAT_f32(0.693359375f);
    r = r - n * SPLAT_f32(-2.12194440e-4f);
    vec_f32 p = SPLAT_f32(1.9875691500e-4f);
    p = p * r + SPLAT_f32(1.3981999507e-3f);
    p = p * r + SPLAT_f32(8.3334519073e-3f);
    p = p * r + SPLAT_f32(4.1665795894e-2f);
    p = p * r + SPLAT_f32(1.6666665459e-1f);
    p = p * r + SPLAT_f32(5.0000001201e-1f);
    p = p * (r * r) + (r + SPLAT_f32(1.0f));
    vec_f32 result = REAL_f32(BITS_f32(p) + (BITS_f32(shifted) << 23));
    return where_less_f32(x, SPLAT_f32(-87.0f), SPLAT_f32(0), result);
}

INLINE vec_f64 exp_f64(vec_f64 x) {
    const vec_f64 magic = SPLAT_f64(6755399441055744.0); /* 1.5 * 2^52 */
    vec_f64 inside = max_f64(x, SPLAT_f64(-708.0));
    vec_f64 shifted = inside * SPLAT_f64(1.4426950408889634074) + magic;
    vec_f64 n = shifted - magic;
    vec_f64 r = inside - n * SPLAT_f64(6.93147180369123816490e-01);
    r = r - n * SPLAT_f64(1.90821492927058770002e-10);
    /* Taylor to r^13: the remainder is below 2e-17 for |r| <= 0.347 */
    vec_f64 p = SPLAT_f64(1.6059043836821613e-10);
    p = p * r + SPLAT_f64(2.0876756987868099e-09);
    p = p * r + SPLAT_f64(2.5052108385441719e-08);
    p = p * r + SPLAT_f64(2.7557319223985891e-07);
    p = p * r + SPLAT_f64(2.7557319223985893e-06);
    p = p * r + SPLAT_f64(2.4801587301587302e-05);
    p = p * r + SPLAT_f64(1.9841269841269841e-04);
    p = p * r + SPLAT_f64(1.3888888888888889e-03);
    p = p * r + SPLAT_f64(8.3333333333333333e-03);
    p = p * r + SPLAT_f64(4.1666666666666667e-02);
    p = p * r + SPLAT_f64(1.6666666666666667e-01);
    p = p * r + SPLAT_f64(0.5);
    p = p * (r * r) + r;
    p = p + SPLAT_f64(1.0);
    vec_f64 result = REAL_f64(BITS_f64(p) + (BITS_f64(shifted) << 52));
    return where_less_f64(x, SPLAT_f64(-708.0), SPLAT_f64(0), result);
}

/* ln x for normal x > 0. x = 2^e m, m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh((m - 1) / (m + 1)). */
INLINE vec_f64 log_f64(vec_f64 x) {
    bits_f64 bits = BITS_f64(x);
    /* adding the distance from sqrt(1/2) to 1 carries into the exponent exactly where m would exceed sqrt(2) */
    bits_f64 up = bits + (0x3ff0000000000000LL - 0x3fe6a09e667f3bcdLL);
    bits_f64 biased = (up >> 52) & 0x7ff;
    vec_f64 e = REAL_f64(biased | 0x4330000000000000LL) - SPLAT_f64(4503599627370496.0 + 1023.0);
    vec_f64 m = REAL_f64((up & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL);
    vec_f64 f = (m - SPLAT_f64(1.0)) / (m + SPLAT_f64(1.0));
    vec_f64 z = f * f;
    vec_f64 p = SPLAT_f64(2.0 / 21);
    p = p * z + SPLAT_f64(2.0 / 19);
    p = p * z + SPLAT_f64(2.0 / 17);
    p = p * z + SPLAT_f64(2.0 / 15);
    p = p * z + SPLAT_f64(2.0 / 13);
    p = p * z + SPLAT_f64(2.0 / 11);
    p = p * z + SPLAT_f64(2.0 / 9);
    p = p * z + SPLAT_f64(2.0 / 7);
    p = p * z + SPLAT_f64(2.0 / 5);
    p = p * z + SPLAT_f64(2.0 / 3);
    p = (p * z) * f + f * SPLAT_f64(2.0);
    return e * SPLAT_f64(6.93147180369123816490e-01) + (e * SPLAT_f64(1.90821492927058770002e-10) + p);
}

/* P and R of exp(psi(x)) = P exp(-R), x > 0. Above the clamp R and u are below half an ulp. */
INLINE void exp_digamma_parts_f32(vec_f32 x, vec_f32 *P, vec_f32 *R) {
    vec_f32 c = min_f32(x, SPLAT_f32(1e7f));
    vec_f32 q = c * c + (c + c); /* x (x + 2) */
    vec_f32 Q = (c + SPLAT_f32(1.0f)) * q;
    vec_f32 y = c + SPLAT_f32(2.5f);
    vec_f32 y2 = y * y;
    vec_f32 inverse = SPLAT_f32(1.0f) / (Q * y2); /* one division serves both R and u */
    vec_f32 u = Q * inverse;
    *R = (SPLAT_f32(3.0f) * q + SPLAT_f32(2.0f)) * (y2 * inverse);
    y = x + SPLAT_f32(2.5f);
    *P = y + (y * u) * (SPLAT_f32(4.163667329e-2f) + u * SPLAT_f32(-5.767529487e-3f));
}

INLINE void exp_digamma_parts_f64(vec_f64 x, vec_f64 *P, vec_f64 *R) {
    vec_f64 c = min_f64(x, SPLAT_f64(1e18));
    vec_f64 p = c * c + SPLAT_f64(5.0) * c; /* x (x + 5); the other pairs are p + 4 and p + 6 */
    vec_f64 Q = p * ((p + SPLAT_f64(4.0)) * (p + SPLAT_f64(6.0)));
    vec_f64 y = c + SPLAT_f64(5.5);
    vec_f64 u = SPLAT_f64(1.0) / (y * y);
    *R = (SPLAT_f64(2.0) * c + SPLAT_f64(5.0)) * (p * (SPLAT_f64(3.0) * p + SPLAT_f64(20.0)) + SPLAT_f64(24.0)) / Q;
    vec_f64 series = SPLAT_f64(-1.39310368458107556e-02);
    series = series * u + SPLAT_f64(7.09563954166398531e-03);
    series = series * u + SPLAT_f64(-3.94801060992124551e-03);
    series = series * u + SPLAT_f64(3.55242390834704415e-03);
    series = series * u + SPLAT_f64(-6.42361081964554215e-03);
    series = series * u + SPLAT_f64(4.16666666661851051e-02);
    y = x + SPLAT_f64(5.5);
    *P = y + (y * u) * series;
}

/* lnGamma and psi together: they share ln(x + 8) and the product x (x + 1) ... (x + 7). Absolute error about
 * 1e-14 max(1, |value|), x > 0 up to 1e38. */
INLINE void log_gamma_digamma_f64(vec_f64 x, vec_f64 *log_gamma, vec_f64 *digamma) {
    vec_f64 p = x * x + SPLAT_f64(7.0) * x; /* the pairs are p, p + 6, p + 10, p + 12 */
    vec_f64 Q = p * (p * (p * (p + SPLAT_f64(28.0)) + SPLAT_f64(252.0)) + SPLAT_f64(720.0));
    vec_f64 dQ = p * (p * (SPLAT_f64(4.0) * p + SPLAT_f64(84.0)) + SPLAT_f64(504.0)) + SPLAT_f64(720.0);
    vec_f64 z = x + SPLAT_f64(8.0);
    vec_f64 w = SPLAT_f64(1.0) / z;
    vec_f64 u = w * w;
    vec_f64 log_z = log_f64(z);
    vec_f64 g = SPLAT_f64(1.0 / 156);
    g = g * u + SPLAT_f64(-691.0 / 360360);
    g = g * u + SPLAT_f64(1.0 / 1188);
    g = g * u + SPLAT_f64(-1.0 / 1680);
    g = g * u + SPLAT_f64(1.0 / 1260);
    g = g * u + SPLAT_f64(-1.0 / 360);
    g = g * u + SPLAT_f64(1.0 / 12);
    *log_gamma = (z - SPLAT_f64(0.5)) * log_z - z + SPLAT_f64(0.91893853320467274178) + g * w - log_f64(Q);
    vec_f64 h = SPLAT_f64(-3617.0 / 8160);
    h = h * u + SPLAT_f64(1.0 / 12);
    h = h * u + SPLAT_f64(-691.0 / 32760);
    h = h * u + SPLAT_f64(1.0 / 132);
    h = h * u + SPLAT_f64(-1.0 / 240);
    h = h * u + SPLAT_f64(1.0 / 252);
    h = h * u + SPLAT_f64(-1.0 / 120);
    h = h * u + SPLAT_f64(1.0 / 12);
    *digamma = log_z - SPLAT_f64(0.5) * w - h * u - (SPLAT_f64(2.0) * x + SPLAT_f64(7.0)) * dQ / Q;
}

#endif
