/* The logic of the 16-lane kernel for CPUs without AVX-512: for tests (kernels.h), as the compiler lowers it. */
#include "kernels.h"

#ifdef KERNELS_WIDE
#define LANES 16
#include "vector.h"

#define LOAD_BLOCK(w, data, at)                                                             \
    for (int t = 0; t < 16; t++) {                                                          \
        union lanes words;                                                                  \
        for (int lane = 0; lane < LANES; lane++) {                                          \
            const uint8_t *p = (data)[lane] + (at) + 4 * t;                                 \
            words.word[lane] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; \
        }                                                                                   \
        (w)[t] = words.all;                                                                 \
    }
#define VECTOR_TARGET
#define KERNEL_NAME(algorithm) algorithm##_wide_x16
#include "sha1_vector.h"
#include "sha256_vector.h"
#endif
