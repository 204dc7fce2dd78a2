/* The table of kernels: every one that this build holds. choice.c asks which of them the CPU can run. */
#include "kernels.h"

const char PLAIN[] = "plain";

static bool always(void) { return true; }

static const struct kernel SHA1_KERNELS[] = {
#ifdef KERNELS_X86
    {"sha-ni", 1, sha1_ni_x1, has_sha_ni},
    {"sha-ni", 2, sha1_ni_x2, has_sha_ni},
    {"sha-ni", 4, sha1_ni_x4, has_sha_ni},
    {"sha-ni", 4, sha1_ni_x4_spare, has_sha_ni_and_spare_registers},
    {"avx2", 8, sha1_avx2_x8, has_avx2},
    {"avx512", 16, sha1_avx512_x16, has_avx512},
#endif
#ifdef KERNELS_ARM
    {"arm-sha", 1, sha1_arm_x1, has_arm_sha1},
    {"arm-sha", 2, sha1_arm_x2, has_arm_sha1},
    {"arm-sha", 4, sha1_arm_x4, has_arm_sha1},
#endif
#ifdef KERNELS_WIDE
    {"wide", 16, sha1_wide_x16, always},
#endif
    {PLAIN, 1, sha1_plain_x1, always},
};

static const struct kernel SHA256_KERNELS[] = {
#ifdef KERNELS_X86
    {"sha-ni", 1, sha256_ni_x1, has_sha_ni},
    {"sha-ni", 2, sha256_ni_x2, has_sha_ni},
    {"sha-ni", 4, sha256_ni_x4, has_sha_ni},
    {"sha-ni", 4, sha256_ni_x4_spare, has_sha_ni_and_spare_registers},
    {"avx2", 8, sha256_avx2_x8, has_avx2},
    {"avx512", 16, sha256_avx512_x16, has_avx512},
#endif
#ifdef KERNELS_ARM
    {"arm-sha", 1, sha256_arm_x1, has_arm_sha256},
    {"arm-sha", 2, sha256_arm_x2, has_arm_sha256},
    {"arm-sha", 4, sha256_arm_x4, has_arm_sha256},
#endif
#ifdef KERNELS_WIDE
    {"wide", 16, sha256_wide_x16, always},
#endif
    {PLAIN, 1, sha256_plain_x1, always},
};

_Static_assert(COUNT(SHA1_KERNELS) <= MOST_KERNELS && COUNT(SHA256_KERNELS) <= MOST_KERNELS, "kernel.h");

const struct algorithm sha1 = {
    .name = "sha1",
    .initial = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
    .digest = 20,
    .kernels = SHA1_KERNELS,
    .kernel_count = COUNT(SHA1_KERNELS),
};

const struct algorithm sha256 = {
    .name = "sha256",
    .initial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                0x5be0cd19},
    .digest = 32,
    .kernels = SHA256_KERNELS,
    .kernel_count = COUNT(SHA256_KERNELS),
};
