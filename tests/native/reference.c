#include "reference.h"

#include <string.h>

static uint32_t left(uint32_t x, int n) { return x << n | x >> (32 - n); }
static uint32_t right(uint32_t x, int n) { return x >> n | x << (32 - n); }

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void reference_sha1_block(uint32_t hash[5], const uint8_t block[64])
{
    uint32_t w[80], v[5];
    for (int t = 0; t < 16; t++) w[t] = word(block + 4 * t);
    for (int t = 16; t < 80; t++) w[t] = left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    memcpy(v, hash, sizeof v);
    for (int t = 0; t < 80; t++) {
        uint32_t b = v[1], c = v[2], d = v[3], f, k;
        if (t < 20) {
            f = (b & c) ^ (~b & d);
            k = 0x5a827999;
        } else if (t < 40) {
            f = b ^ c ^ d;
            k = 0x6ed9eba1;
        } else if (t < 60) {
            f = (b & c) ^ (b & d) ^ (c & d);
            k = 0x8f1bbcdc;
        } else {
            f = b ^ c ^ d;
            k = 0xca62c1d6;
        }
        uint32_t sum = left(v[0], 5) + f + v[4] + k + w[t];
        v[4] = v[3];
        v[3] = v[2];
        v[2] = left(v[1], 30);
        v[1] = v[0];
        v[0] = sum;
    }
    for (int i = 0; i < 5; i++) hash[i] += v[i];
}

/* K, computed as the standard defines it: the first 32 bits of the fractional parts of the cube roots of the
 * first 64 primes, by whole numbers alone. */
static uint32_t cube_root_fraction(uint32_t prime)
{
    uint64_t low = 0, high = (uint64_t)7 << 32; /* the root, times 2^32; 311, the 64th prime, is below 343 */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        /* middle^3 < prime * 2^96, in 128 bits (6.8 * 2^32 cubed stays below 2^105) */
        unsigned __int128 cube = (unsigned __int128)middle * middle * middle;
        if (cube <= (unsigned __int128)prime << 96)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

void reference_sha256_block(uint32_t hash[8], const uint8_t block[64])
{
    static uint32_t k[64];
    for (uint32_t count = 0, number = 2; !k[63]; number++) {
        uint32_t divisor = 2;
        while (number % divisor) divisor++;
        if (divisor == number) k[count++] = cube_root_fraction(number);
    }
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++) w[t] = word(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];
        w[t] = (right(y, 17) ^ right(y, 19) ^ y >> 10) + w[t - 7] + (right(x, 7) ^ right(x, 18) ^ x >> 3) + w[t - 16];
    }
    memcpy(v, hash, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + k[t] + w[t];
        uint32_t t2 = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) hash[i] += v[i];
}

static void digest(const uint8_t *message, size_t length, uint32_t *hash, int words, uint8_t *out,
                   void (*block)(uint32_t *, const uint8_t *))
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) block(hash, message + at);
    uint8_t last[128] = {0};
    if (length - at) memcpy(last, message + at, length - at);
    last[length - at] = 0x80;
    int blocks = length - at < 56 ? 1 : 2;
    for (int i = 0; i < 8; i++) last[64 * blocks - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
    for (int i = 0; i < blocks; i++) block(hash, last + 64 * i);
    for (int i = 0; i < 4 * words; i++) out[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
}

void reference_sha1(const uint8_t *message, size_t length, uint8_t out[20])
{
    uint32_t hash[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    digest(message, length, hash, 5, out, reference_sha1_block);
}

void reference_sha256(const uint8_t *message, size_t length, uint8_t out[32])
{
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    digest(message, length, hash, 8, out, reference_sha256_block);
}
