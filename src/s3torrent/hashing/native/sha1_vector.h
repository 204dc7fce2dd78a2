/* SHA-1 of LANES messages, word for word side by side: vector t of the schedule has word t of every message.
 *
 * Included once for each kind of vector (avx2.c, avx512.c, plain.c), which says before how the few things
 * are done that C's operators do not do (vector.h). Everything is the standard's own text but for the vectors.
 */
VECTOR_TARGET void KERNEL_NAME(sha1)(sha_state *state, const uint8_t *const *data, size_t blocks)
{
    union lanes h[5];
    for (int i = 0; i < 5; i++)
        for (int lane = 0; lane < LANES; lane++) h[i].word[lane] = state[lane][i];
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        vector w[16];
        LOAD_BLOCK(w, data, at);
        vector a = h[0].all, b = h[1].all, c = h[2].all, d = h[3].all, e = h[4].all;
        UNROLL for (int t = 0; t < 80; t++)
        {
            if (t >= 16) { /* the schedule in a ring: w[t - 16] is not needed again */
                vector x = XOR3(w[(t - 3) % 16], w[(t - 8) % 16], w[(t - 14) % 16]) ^ w[t % 16];
                w[t % 16] = ROTATE(x, 1);
            }
            vector f = t < 20 ? CHOOSE(b, c, d) : t >= 40 && t < 60 ? MAJORITY(b, c, d) : XOR3(b, c, d);
            const uint32_t k = t < 20 ? 0x5a827999 : t < 40 ? 0x6ed9eba1 : t < 60 ? 0x8f1bbcdc : 0xca62c1d6;
            /* a, of the round before, comes in last: the chain from round to round is as short as can be. */
            vector next = ROTATE(a, 5) + (f + (e + (w[t % 16] + k)));
            e = d;
            d = c;
            c = ROTATE(b, 30);
            b = a;
            a = next;
        }
        h[0].all += a;
        h[1].all += b;
        h[2].all += c;
        h[3].all += d;
        h[4].all += e;
    }
    for (int i = 0; i < 5; i++)
        for (int lane = 0; lane < LANES; lane++) state[lane][i] = h[i].word[lane];
}
