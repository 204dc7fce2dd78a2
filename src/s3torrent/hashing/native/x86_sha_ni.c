/* SHA-NI: the SHA extensions of x86. One message keeps them a third to a half busy, so four are interleaved.
 *
 * Each function is written for N messages and inlined with N constant: the loops over lanes vanish, and what
 * stands below are N independent chains, which the CPU overlaps. Four chains want more than the 16 registers
 * there are; the spilling hides in their waits. Where the CPU has AVX-512VL, the same code compiled for it
 * spills into the other 16 registers instead of memory ("spare").
 */
#include "kernels.h"

#ifdef KERNELS_X86
#include <cpuid.h>
#include <immintrin.h>

#define SHA_NI "sha,avx,sse4.1"
#define SPARE SHA_NI ",avx512f,avx512bw,avx512vl"
#define EACH_LANE UNROLL for (int lane = 0; lane < lanes; lane++)

INLINE TARGET(SHA_NI) __m128i load(const void *at) { return _mm_loadu_si128((const __m128i *)at); }

INLINE TARGET(SHA_NI) void store(void *at, __m128i value) { _mm_storeu_si128((__m128i *)at, value); }

/* Four rounds of SHA-1 of every lane. `w[step % 4]` comes to hold words 4*step..4*step+3 of the message
 * schedule; from the fifth step on they are computed from the 16 words before. e travels as a whole older
 * abcd, whose first word, rotated, it is: sha1nexte does that. */
#define SHA1_STEP(step, function)                                                                           \
    EACH_LANE                                                                                               \
    {                                                                                                       \
        __m128i *w = word[lane], fresh;                                                                     \
        if ((step) < 4)                                                                                     \
            fresh = _mm_shuffle_epi8(load(data[lane] + at + 16 * (step)), flip);                            \
        else                                                                                                \
            fresh = _mm_sha1msg2_epu32(                                                                     \
                _mm_xor_si128(_mm_sha1msg1_epu32(w[(step) % 4], w[((step) + 1) % 4]), w[((step) + 2) % 4]), \
                w[((step) + 3) % 4]);                                                                       \
        w[(step) % 4] = fresh;                                                                              \
        fresh = (step) == 0 ? _mm_add_epi32(e[lane], fresh) : _mm_sha1nexte_epu32(e[lane], fresh);          \
        e[lane] = abcd[lane];                                                                               \
        abcd[lane] = _mm_sha1rnds4_epu32(abcd[lane], fresh, function);                                      \
    }

INLINE TARGET(SHA_NI) void sha1_ni(const int lanes, sha_state *state, const uint8_t *const *data, size_t blocks)
{
    /* The instructions want the first word in the highest place, and words big-endian: all 16 bytes turn. */
    const __m128i flip = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i abcd[4], e[4];
    EACH_LANE
    {
        abcd[lane] = _mm_shuffle_epi32(load(state[lane]), 0x1b);
        e[lane] = _mm_set_epi32((int)state[lane][4], 0, 0, 0);
    }
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        __m128i word[4][4], abcd_before[4], e_before[4];
        EACH_LANE
        {
            abcd_before[lane] = abcd[lane];
            e_before[lane] = e[lane];
        }
        SHA1_STEP(0, 0) SHA1_STEP(1, 0) SHA1_STEP(2, 0) SHA1_STEP(3, 0) SHA1_STEP(4, 0)
        SHA1_STEP(5, 1) SHA1_STEP(6, 1) SHA1_STEP(7, 1) SHA1_STEP(8, 1) SHA1_STEP(9, 1)
        SHA1_STEP(10, 2) SHA1_STEP(11, 2) SHA1_STEP(12, 2) SHA1_STEP(13, 2) SHA1_STEP(14, 2)
        SHA1_STEP(15, 3) SHA1_STEP(16, 3) SHA1_STEP(17, 3) SHA1_STEP(18, 3) SHA1_STEP(19, 3)
        EACH_LANE
        {
            e[lane] = _mm_sha1nexte_epu32(e[lane], e_before[lane]);
            abcd[lane] = _mm_add_epi32(abcd[lane], abcd_before[lane]);
        }
    }
    EACH_LANE
    {
        store(state[lane], _mm_shuffle_epi32(abcd[lane], 0x1b));
        state[lane][4] = (uint32_t)_mm_extract_epi32(e[lane], 3);
    }
}

/* Four rounds of SHA-256 of every lane, two by each sha256rnds2, which takes its words from the lower half. */
#define SHA256_STEP(step)                                                                             \
    EACH_LANE                                                                                         \
    {                                                                                                 \
        __m128i *w = word[lane], fresh;                                                               \
        if ((step) < 4)                                                                               \
            fresh = _mm_shuffle_epi8(load(data[lane] + at + 16 * (step)), flip);                      \
        else                                                                                          \
            fresh = _mm_sha256msg2_epu32(                                                             \
                _mm_add_epi32(_mm_sha256msg1_epu32(w[(step) % 4], w[((step) + 1) % 4]),               \
                              _mm_alignr_epi8(w[((step) + 3) % 4], w[((step) + 2) % 4], 4)),          \
                w[((step) + 3) % 4]);                                                                 \
        w[(step) % 4] = fresh;                                                                        \
        fresh = _mm_add_epi32(fresh, load(&SHA256_K[4 * (step)]));                                    \
        cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], fresh);                            \
        abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], _mm_shuffle_epi32(fresh, 0x0e));   \
    }

INLINE TARGET(SHA_NI) void sha256_ni(const int lanes, sha_state *state, const uint8_t *const *data,
                                     size_t blocks)
{
    const __m128i flip = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m128i abef[4], cdgh[4];
    EACH_LANE
    {
        __m128i cdab = _mm_shuffle_epi32(load(&state[lane][0]), 0xb1);
        __m128i efgh = _mm_shuffle_epi32(load(&state[lane][4]), 0x1b);
        abef[lane] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[lane] = _mm_blend_epi16(efgh, cdab, 0xf0);
    }
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        __m128i word[4][4], abef_before[4], cdgh_before[4];
        EACH_LANE
        {
            abef_before[lane] = abef[lane];
            cdgh_before[lane] = cdgh[lane];
        }
        SHA256_STEP(0) SHA256_STEP(1) SHA256_STEP(2) SHA256_STEP(3)
        SHA256_STEP(4) SHA256_STEP(5) SHA256_STEP(6) SHA256_STEP(7)
        SHA256_STEP(8) SHA256_STEP(9) SHA256_STEP(10) SHA256_STEP(11)
        SHA256_STEP(12) SHA256_STEP(13) SHA256_STEP(14) SHA256_STEP(15)
        EACH_LANE
        {
            abef[lane] = _mm_add_epi32(abef[lane], abef_before[lane]);
            cdgh[lane] = _mm_add_epi32(cdgh[lane], cdgh_before[lane]);
        }
    }
    EACH_LANE
    {
        __m128i feba = _mm_shuffle_epi32(abef[lane], 0x1b);
        __m128i dchg = _mm_shuffle_epi32(cdgh[lane], 0xb1);
        store(&state[lane][0], _mm_blend_epi16(feba, dchg, 0xf0));
        store(&state[lane][4], _mm_alignr_epi8(dchg, feba, 8));
    }
}

#define KERNEL(name, features, generic, lanes)                                                  \
    TARGET(features) void name(sha_state *state, const uint8_t *const *data, size_t blocks)     \
    {                                                                                           \
        generic(lanes, state, data, blocks);                                                    \
    }

KERNEL(sha1_ni_x1, SHA_NI, sha1_ni, 1)
KERNEL(sha1_ni_x2, SHA_NI, sha1_ni, 2)
KERNEL(sha1_ni_x4, SHA_NI, sha1_ni, 4)
KERNEL(sha1_ni_x4_spare, SPARE, sha1_ni, 4)
KERNEL(sha256_ni_x1, SHA_NI, sha256_ni, 1)
KERNEL(sha256_ni_x2, SHA_NI, sha256_ni, 2)
KERNEL(sha256_ni_x4, SHA_NI, sha256_ni, 4)
KERNEL(sha256_ni_x4_spare, SPARE, sha256_ni, 4)

bool has_sha_ni(void)
{
    /* __builtin_cpu_supports knows "sha" in new compilers only: leaf 7, EBX bit 29. */
    unsigned eax, ebx = 0, ecx, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 29 & 1) &&
           __builtin_cpu_supports("avx") && __builtin_cpu_supports("sse4.1");
}

bool has_sha_ni_and_spare_registers(void)
{
    return has_sha_ni() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}
#endif
