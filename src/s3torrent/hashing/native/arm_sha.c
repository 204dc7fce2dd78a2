/* The SHA extensions of ARMv8, interleaved over one, two or four messages as in x86_sha_ni.c. */
#include "kernels.h"

#ifdef KERNELS_ARM
#include <arm_neon.h>
#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* Clang's arm_neon.h has the SHA functions only where the whole file is compiled for them (kernels.h). */
#ifdef __clang__
#define ARM_SHA
#else
#define ARM_SHA TARGET("+crypto")
#endif
#define EACH_LANE UNROLL for (int lane = 0; lane < lanes; lane++)

INLINE ARM_SHA uint32x4_t load(const uint8_t *at)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(at))); /* words are big-endian in the message */
}

/* Four rounds of SHA-1 of every lane; `word[lane][step % 4]` as in x86_sha_ni.c. */
#define SHA1_STEP(step, rounds, k)                                                                            \
    EACH_LANE                                                                                                 \
    {                                                                                                         \
        uint32x4_t *w = word[lane];                                                                           \
        w[(step) % 4] = (step) < 4                                                                            \
                            ? load(data[lane] + at + 16 * ((step) % 4))                                       \
                            : vsha1su1q_u32(vsha1su0q_u32(w[(step) % 4], w[((step) + 1) % 4], w[((step) + 2) % 4]), \
                                            w[((step) + 3) % 4]);                                             \
        uint32_t next = vsha1h_u32(vgetq_lane_u32(abcd[lane], 0));                                            \
        abcd[lane] = rounds(abcd[lane], e[lane], vaddq_u32(w[(step) % 4], vdupq_n_u32(k)));                   \
        e[lane] = next;                                                                                       \
    }

INLINE ARM_SHA void sha1_arm(const int lanes, sha_state *state, const uint8_t *const *data, size_t blocks)
{
    uint32x4_t abcd[4];
    uint32_t e[4];
    EACH_LANE
    {
        abcd[lane] = vld1q_u32(state[lane]);
        e[lane] = state[lane][4];
    }
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        uint32x4_t word[4][4], abcd_before[4];
        uint32_t e_before[4];
        EACH_LANE
        {
            abcd_before[lane] = abcd[lane];
            e_before[lane] = e[lane];
        }
#define C(step) SHA1_STEP(step, vsha1cq_u32, 0x5a827999)
#define P(step, k) SHA1_STEP(step, vsha1pq_u32, k)
#define M(step) SHA1_STEP(step, vsha1mq_u32, 0x8f1bbcdc)
        C(0) C(1) C(2) C(3) C(4)
        P(5, 0x6ed9eba1) P(6, 0x6ed9eba1) P(7, 0x6ed9eba1) P(8, 0x6ed9eba1) P(9, 0x6ed9eba1)
        M(10) M(11) M(12) M(13) M(14)
        P(15, 0xca62c1d6) P(16, 0xca62c1d6) P(17, 0xca62c1d6) P(18, 0xca62c1d6) P(19, 0xca62c1d6)
#undef C
#undef P
#undef M
        EACH_LANE
        {
            abcd[lane] = vaddq_u32(abcd[lane], abcd_before[lane]);
            e[lane] += e_before[lane];
        }
    }
    EACH_LANE
    {
        vst1q_u32(state[lane], abcd[lane]);
        state[lane][4] = e[lane];
    }
}

#define SHA256_STEP(step)                                                                                 \
    EACH_LANE                                                                                             \
    {                                                                                                     \
        uint32x4_t *w = word[lane];                                                                       \
        w[(step) % 4] = (step) < 4                                                                        \
                            ? load(data[lane] + at + 16 * ((step) % 4))                                   \
                            : vsha256su1q_u32(vsha256su0q_u32(w[(step) % 4], w[((step) + 1) % 4]),        \
                                              w[((step) + 2) % 4], w[((step) + 3) % 4]);                  \
        uint32x4_t sum = vaddq_u32(w[(step) % 4], vld1q_u32(&SHA256_K[4 * (step)])), old = abcd[lane];    \
        abcd[lane] = vsha256hq_u32(old, efgh[lane], sum);                                                 \
        efgh[lane] = vsha256h2q_u32(efgh[lane], old, sum);                                                \
    }

INLINE ARM_SHA void sha256_arm(const int lanes, sha_state *state, const uint8_t *const *data, size_t blocks)
{
    uint32x4_t abcd[4], efgh[4];
    EACH_LANE
    {
        abcd[lane] = vld1q_u32(&state[lane][0]);
        efgh[lane] = vld1q_u32(&state[lane][4]);
    }
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        uint32x4_t word[4][4], abcd_before[4], efgh_before[4];
        EACH_LANE
        {
            abcd_before[lane] = abcd[lane];
            efgh_before[lane] = efgh[lane];
        }
        SHA256_STEP(0) SHA256_STEP(1) SHA256_STEP(2) SHA256_STEP(3)
        SHA256_STEP(4) SHA256_STEP(5) SHA256_STEP(6) SHA256_STEP(7)
        SHA256_STEP(8) SHA256_STEP(9) SHA256_STEP(10) SHA256_STEP(11)
        SHA256_STEP(12) SHA256_STEP(13) SHA256_STEP(14) SHA256_STEP(15)
        EACH_LANE
        {
            abcd[lane] = vaddq_u32(abcd[lane], abcd_before[lane]);
            efgh[lane] = vaddq_u32(efgh[lane], efgh_before[lane]);
        }
    }
    EACH_LANE
    {
        vst1q_u32(&state[lane][0], abcd[lane]);
        vst1q_u32(&state[lane][4], efgh[lane]);
    }
}

#define KERNEL(name, generic, lanes)                                                        \
    ARM_SHA void name(sha_state *state, const uint8_t *const *data, size_t blocks)          \
    {                                                                                       \
        generic(lanes, state, data, blocks);                                                \
    }

KERNEL(sha1_arm_x1, sha1_arm, 1)
KERNEL(sha1_arm_x2, sha1_arm, 2)
KERNEL(sha1_arm_x4, sha1_arm, 4)
KERNEL(sha256_arm_x1, sha256_arm, 1)
KERNEL(sha256_arm_x2, sha256_arm, 2)
KERNEL(sha256_arm_x4, sha256_arm, 4)

#ifdef __linux__
bool has_arm_sha1(void) { return getauxval(AT_HWCAP) & HWCAP_SHA1; }
bool has_arm_sha256(void) { return getauxval(AT_HWCAP) & HWCAP_SHA2; }
#else /* every other system we are built for there has them: Apple's */
bool has_arm_sha1(void) { return true; }
bool has_arm_sha256(void) { return true; }
#endif
#endif
