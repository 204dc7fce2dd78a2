/* AVX2: eight messages side by side. */
#include "kernels.h"

#ifdef KERNELS_X86
#include <immintrin.h>

#define LANES 8
#define QUARTERS(data, lane, at)                                                                              \
    (vector) _mm256_shuffle_epi8(                                                                             \
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)((data)[lane] + (at)))), \
                                _mm_loadu_si128((const __m128i *)((data)[(lane) + 4] + (at))), 1),            \
        _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, /* */                           \
                        12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3))
#define LOW32(x, y) (vector) _mm256_unpacklo_epi32((__m256i)(x), (__m256i)(y))
#define HIGH32(x, y) (vector) _mm256_unpackhi_epi32((__m256i)(x), (__m256i)(y))
#define LOW64(x, y) (vector) _mm256_unpacklo_epi64((__m256i)(x), (__m256i)(y))
#define HIGH64(x, y) (vector) _mm256_unpackhi_epi64((__m256i)(x), (__m256i)(y))
#include "vector.h"

#define VECTOR_TARGET TARGET("avx2")
#define KERNEL_NAME(algorithm) algorithm##_avx2_x8
#include "sha1_vector.h"
#include "sha256_vector.h"

bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#endif
