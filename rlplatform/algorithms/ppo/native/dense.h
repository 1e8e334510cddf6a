/* Dense products and activations on rows of floats, for the vector width that this is compiled for. */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define PAD(n) (((n) + 15) & ~15L)
#define BLOCK 256

#if defined(__AVX512F__) || defined(PPO_WIDE) /* PPO_WIDE: the same tiles on a lesser machine, for tests */
#define LANES 16
#define TILE_ROWS 4
#define TILE_VECTORS 4
#elif defined(__AVX__)
#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#else
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#endif
typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* -- dense products ------------------------------------------------------------------------------------------------- */

/* c[i][j] = init[i][j] + sum_l a[i * a_row + l * a_k] * b[l][j] for mr rows and nr vectors, held in registers. */
INLINE void tile(const int mr, const int nr, const float *a, long a_row, long a_k, const float *b, long ldb, long kk,
                 const float *init, long ldi, float *c, long ldc) {
  vec acc[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 8
    for (int j = 0; j < nr; j++) acc[i][j] = init ? *(const vec *)(init + i * ldi + j * LANES) : (vec){0};
  for (long l = 0; l < kk; l++) {
    vec bv[TILE_VECTORS];
#pragma GCC unroll 8
    for (int j = 0; j < nr; j++) bv[j] = *(const vec *)(b + l * ldb + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) {
      const float x = a[i * a_row + l * a_k];
#pragma GCC unroll 8
      for (int j = 0; j < nr; j++) acc[i][j] += x * bv[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 8
    for (int j = 0; j < nr; j++) *(vec *)(c + i * ldc + j * LANES) = acc[i][j];
}

INLINE void panel(const int nr, const float *a, long a_row, long a_k, const float *b, long ldb, long kk,
                  const float *init, long ldi, float *c, long ldc, long rows) {
  long r = 0;
#define TILES(mr) \
  for (; r + (mr) <= rows; r += (mr)) \
    tile(mr, nr, a + r * a_row, a_row, a_k, b, ldb, kk, init ? init + r * ldi : 0, ldi, c + r * ldc, ldc);
  TILES(TILE_ROWS)
  TILES(2)
  TILES(1)
#undef TILES
}

/* c = init + a b; columns is a multiple of 16. Blocked over k, so that a panel of b stays in the first-level cache. */
static void product(const float *a, long a_row, long a_k, const float *b, long kk, const float *init, long ldi, float *c,
                    long rows, long columns) {
  for (long k = 0; k < kk; k += BLOCK) {
    const long depth = kk - k < BLOCK ? kk - k : BLOCK;
    const float *ak = a + k * a_k, *bk = b + k * columns;
    long j = 0;
    for (; j + TILE_VECTORS * LANES <= columns; j += TILE_VECTORS * LANES)
      panel(TILE_VECTORS, ak, a_row, a_k, bk + j, columns, depth, init ? init + j : 0, ldi, c + j, columns, rows);
    for (; j < columns; j += LANES) panel(1, ak, a_row, a_k, bk + j, columns, depth, init ? init + j : 0, ldi, c + j, columns, rows);
    init = c, ldi = columns;
  }
}

/* out[j][i] = in[i][j] in squares that fit the cache; out's rows are padded to ldo, the padding is left alone. */
static void transpose(const float *in, long ldi, long rows, long columns, float *out, long ldo) {
  for (long i = 0; i < rows; i += 16)
    for (long j = 0; j < columns; j += 16) {
      const long iend = i + 16 < rows ? i + 16 : rows, jend = j + 16 < columns ? j + 16 : columns;
      for (long jj = j; jj < jend; jj++)
        for (long ii = i; ii < iend; ii++) out[jj * ldo + ii] = in[ii * ldi + jj];
    }
}

INLINE float dot(const float *a, const float *b, long n) { /* n is a multiple of 16 */
  vec s = {0};
  for (long j = 0; j < n; j += LANES) s += *(const vec *)(a + j) * *(const vec *)(b + j);
  float total = 0;
#pragma GCC unroll 16
  for (int j = 0; j < LANES; j++) total += s[j];
  return total;
}

/* -- activations ---------------------------------------------------------------------------------------------------- */

/* The rational minimax approximation of tanh that Eigen uses; a few units in the last place. */
INLINE float tanh_approx(float x) {
  x = x > 9.f ? 9.f : x;
  x = x < -9.f ? -9.f : x;
  const float s = x * x;
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s - 8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return p * x / q;
}

static void activate(float *restrict h, long n, int relu) {
  if (relu)
    for (long i = 0; i < n; i++) h[i] = h[i] < 0.f ? 0.f : h[i];
  else
    for (long i = 0; i < n; i++) h[i] = tanh_approx(h[i]);
}

static void times_derivative(float *restrict d, const float *restrict h, long n, int relu) {
  if (relu)
    for (long i = 0; i < n; i++) d[i] = h[i] > 0.f ? d[i] : 0.f;
  else
    for (long i = 0; i < n; i++) d[i] *= 1.f - h[i] * h[i];
}
