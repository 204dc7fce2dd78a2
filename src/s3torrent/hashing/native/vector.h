/* Vectors of LANES words for sha1_vector.h and sha256_vector.h. GCC's and Clang's vector types bring + ^ & | <<
 * and >> for any width; what is left:
 *
 *   ROTATE(x, n)           each word to the left by the constant n
 *   CHOOSE(x, y, z)        bits of y where x has 1, of z where it has 0
 *   MAJORITY(x, y, z)      bits that at least two have
 *   XOR3(x, y, z)
 *   LOAD_BLOCK(w, data, at)  w[t] = word t of the 64 bytes at data[lane] + at, for every lane
 *
 * This file has them in plain C; avx512.c has instructions for the first four, both have a LOAD_BLOCK.
 */
#include "kernels.h"

#if LANES == 1
typedef uint32_t vector;
#else
typedef uint32_t vector __attribute__((vector_size(4 * LANES)));
#endif

union lanes {
    vector all;
    uint32_t word[LANES];
};

#ifndef ROTATE
#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define XOR3(x, y, z) ((x) ^ (y) ^ (z))
#endif

#ifdef QUARTERS
/* The words of a block lie one after the other in each message, and are wanted side by side: a transposition.
 * Messages 0, 4, 8 and 12 are loaded into one vector, a quarter of their block (16 bytes) each, likewise 1, 5, 9
 * and 13, and so on: then four such vectors need only be transposed within their quarters, 4 by 4. Of each
 * message all four quarters are loaded before the next: pieces lie powers of two apart, so their lines compete
 * for the same few places of the cache, and a line left half read might have to be fetched again.
 *
 *   QUARTERS(data, lane, at)   the 16 bytes at `at` of messages lane, lane + 4, ..., words turned big-endian
 *   LOW32, HIGH32, LOW64, HIGH64   interleave halves of two vectors, within quarters (punpck...)
 */
#define LOAD_BLOCK(w, data, at)                                                               \
    do {                                                                                      \
        vector row[4][4];                                                                     \
        UNROLL for (size_t lane = 0; lane < 4; lane++)                                        \
        {                                                                                     \
            UNROLL for (size_t q = 0; q < 4; q++)                                             \
                row[q][lane] = QUARTERS(data, lane, (at) + 16 * q);                           \
        }                                                                                     \
        UNROLL for (size_t q = 0; q < 4; q++)                                                 \
        {                                                                                     \
            vector x = LOW32(row[q][0], row[q][1]), y = LOW32(row[q][2], row[q][3]);          \
            (w)[4 * q] = LOW64(x, y);                                                         \
            (w)[4 * q + 1] = HIGH64(x, y);                                                    \
            x = HIGH32(row[q][0], row[q][1]);                                                 \
            y = HIGH32(row[q][2], row[q][3]);                                                 \
            (w)[4 * q + 2] = LOW64(x, y);                                                     \
            (w)[4 * q + 3] = HIGH64(x, y);                                                    \
        }                                                                                     \
    } while (0)
#endif
