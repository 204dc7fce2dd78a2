/* AVX-512: sixteen messages side by side. It rotates, and computes any function of three bits, in one
 * instruction; the number of vpternlogd is the function's table, bit (x << 2 | y << 1 | z) its value. */
#include "kernels.h"

#ifdef KERNELS_X86
#include <immintrin.h>

#define LANES 16
#define ROTATE(x, n) (vector) _mm512_rol_epi32((__m512i)(x), n)
#define CHOOSE(x, y, z) TERNARY(x, y, z, 0xca)
#define MAJORITY(x, y, z) TERNARY(x, y, z, 0xe8)
#define XOR3(x, y, z) TERNARY(x, y, z, 0x96)
#define TERNARY(x, y, z, table) \
    (vector) _mm512_ternarylogic_epi32((__m512i)(x), (__m512i)(y), (__m512i)(z), table)
#define QUARTER(data, lane, at) _mm_loadu_si128((const __m128i *)((data)[lane] + (at)))
#define QUARTERS(data, lane, at)                                                                               \
    (vector) _mm512_shuffle_epi8(                                                                              \
        _mm512_inserti32x4(                                                                                    \
            _mm512_inserti32x4(_mm512_inserti32x4(_mm512_castsi128_si512(QUARTER(data, lane, at)),             \
                                                  QUARTER(data, (lane) + 4, at), 1),                           \
                               QUARTER(data, (lane) + 8, at), 2),                                              \
            QUARTER(data, (lane) + 12, at), 3),                                                                \
        _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203))
#define LOW32(x, y) (vector) _mm512_unpacklo_epi32((__m512i)(x), (__m512i)(y))
#define HIGH32(x, y) (vector) _mm512_unpackhi_epi32((__m512i)(x), (__m512i)(y))
#define LOW64(x, y) (vector) _mm512_unpacklo_epi64((__m512i)(x), (__m512i)(y))
#define HIGH64(x, y) (vector) _mm512_unpackhi_epi64((__m512i)(x), (__m512i)(y))
#include "vector.h"

#define VECTOR_TARGET TARGET("avx512f,avx512bw")
#define KERNEL_NAME(algorithm) algorithm##_avx512_x16
#include "sha1_vector.h"
#include "sha256_vector.h"

bool has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }
#endif
