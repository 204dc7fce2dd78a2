/* SHA-256 of LANES messages side by side, as sha1_vector.h. Rotations are to the left: 32 less the standard's. */
VECTOR_TARGET void KERNEL_NAME(sha256)(sha_state *state, const uint8_t *const *data, size_t blocks)
{
    union lanes h[8];
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < LANES; lane++) h[i].word[lane] = state[lane][i];
    for (size_t at = 0; at < blocks * BLOCK; at += BLOCK) {
        vector w[16];
        LOAD_BLOCK(w, data, at);
        vector a = h[0].all, b = h[1].all, c = h[2].all, d = h[3].all;
        vector e = h[4].all, f = h[5].all, g = h[6].all, i = h[7].all;
        UNROLL for (int t = 0; t < 64; t++)
        {
            if (t >= 16) {
                vector x = w[(t - 15) % 16], y = w[(t - 2) % 16];
                w[t % 16] += w[(t - 7) % 16] + XOR3(ROTATE(x, 25), ROTATE(x, 14), x >> 3) +
                             XOR3(ROTATE(y, 15), ROTATE(y, 13), y >> 10);
            }
            vector first = i + (w[t % 16] + SHA256_K[t]) + CHOOSE(e, f, g) +
                           XOR3(ROTATE(e, 26), ROTATE(e, 21), ROTATE(e, 7));
            vector second = MAJORITY(a, b, c) + XOR3(ROTATE(a, 30), ROTATE(a, 19), ROTATE(a, 10));
            i = g;
            g = f;
            f = e;
            e = d + first;
            d = c;
            c = b;
            b = a;
            a = first + second;
        }
        h[0].all += a;
        h[1].all += b;
        h[2].all += c;
        h[3].all += d;
        h[4].all += e;
        h[5].all += f;
        h[6].all += g;
        h[7].all += i;
    }
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < LANES; lane++) state[lane][i] = h[i].word[lane];
}
