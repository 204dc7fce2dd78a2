/* Every kernel by its name: family and number of lanes. Which of them exist depends on the architecture. */
#ifndef S3TORRENT_KERNELS_H
#define S3TORRENT_KERNELS_H

#include "kernel.h"

/* S3TORRENT_PLAIN_ONLY is for trying the build of an architecture that has no kernels. */
#if defined(__GNUC__) && !defined(S3TORRENT_PLAIN_ONLY)
#if defined(__x86_64__)
#define KERNELS_X86
#elif defined(__aarch64__) && (defined(__ARM_FEATURE_SHA2) || !defined(__clang__))
#define KERNELS_ARM
#endif
#endif

/* The logic of the 16-lane kernel without AVX-512, built for tests only. */
#ifdef S3TORRENT_WIDE
#define KERNELS_WIDE
#endif

/* Instructions of a kernel beyond the architecture's first: one build holds kernels for newer CPUs. */
#define TARGET(features) __attribute__((target(features)))
#define INLINE static inline __attribute__((always_inline))

/* Unroll the next loop whole: its counter becomes a constant, arrays indexed by it become registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 80")
#endif

/* K of SHA-256 (FIPS 180-4, 4.2.2), aligned so that kernels may load four, eight or sixteen at once. */
extern const uint32_t SHA256_K[64];

extern advance_lanes sha1_plain_x1, sha256_plain_x1;
extern advance_lanes sha1_wide_x16, sha256_wide_x16;
extern advance_lanes sha1_ni_x1, sha1_ni_x2, sha1_ni_x4, sha1_ni_x4_spare;
extern advance_lanes sha256_ni_x1, sha256_ni_x2, sha256_ni_x4, sha256_ni_x4_spare;
extern advance_lanes sha1_avx2_x8, sha256_avx2_x8;
extern advance_lanes sha1_avx512_x16, sha256_avx512_x16;
extern advance_lanes sha1_arm_x1, sha1_arm_x2, sha1_arm_x4;
extern advance_lanes sha256_arm_x1, sha256_arm_x2, sha256_arm_x4;

extern bool has_sha_ni(void), has_sha_ni_and_spare_registers(void), has_avx2(void), has_avx512(void);
extern bool has_arm_sha1(void), has_arm_sha256(void);

#endif
