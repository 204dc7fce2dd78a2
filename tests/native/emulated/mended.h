/* Included before everything else that the emulator runs: Bochs 2.7 gives the four words of sha1rnds4 in the
 * opposite order (its other SHA instructions are right). bare.c looks whether the one at hand does. */
#include <immintrin.h>
#include <stdbool.h>

extern bool turns_words;

#define _mm_sha1rnds4_epu32(abcd, words, function) mended((_mm_sha1rnds4_epu32)(abcd, words, function))

static inline __attribute__((always_inline, unused, target("sse4.1"))) __m128i mended(__m128i abcd)
{
    return turns_words ? _mm_shuffle_epi32(abcd, 0x1b) : abcd;
}
