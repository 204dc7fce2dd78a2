/* Whole messages: the initial state, the blocks, the padding, the digest (FIPS 180-4, 5.1.1). */
#include <string.h>

#include "kernel.h"

void begin(const struct choice *chosen, sha_state *state, size_t count)
{
    for (size_t lane = 0; lane < count; lane++)
        memcpy(state[lane], chosen->algorithm->initial, sizeof(sha_state));
}

size_t pad(uint8_t *last, const uint8_t *tail, uint64_t total)
{
    size_t rest = (size_t)(total % BLOCK);
    size_t length = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    if (rest) memcpy(last, tail, rest);
    last[rest] = 0x80;
    memset(last + rest + 1, 0, length - 8 - rest - 1);
    for (size_t i = 0; i < 8; i++) last[length - 1 - i] = (uint8_t)(total * 8 >> 8 * i);
    return length / BLOCK;
}

void write_digests(const struct choice *chosen, sha_state *state, size_t count, uint8_t *digests)
{
    for (size_t lane = 0; lane < count; lane++)
        for (size_t word = 0; word < chosen->algorithm->digest / 4; word++)
            for (int i = 0; i < 4; i++) *digests++ = (uint8_t)(state[lane][word] >> (24 - 8 * i));
}

void finish(const struct choice *chosen, sha_state *state, const uint8_t *const *tail, uint64_t total,
            size_t count, uint8_t *digests)
{
    uint8_t last[MOST_LANES][2 * BLOCK];
    const uint8_t *from[MOST_LANES] = {NULL};
    size_t blocks = 0;
    for (size_t lane = 0; lane < count; lane++) {
        bool same = lane && total % BLOCK == 0; /* padding alone is the same for all */
        if (!same) blocks = pad(last[lane], tail[lane], total);
        from[lane] = last[same ? 0 : lane];
    }
    advance_all(chosen, state, from, count, blocks);
    write_digests(chosen, state, count, digests);
}

void digest_messages(const struct choice *chosen, const uint8_t *const *data, size_t length, size_t count,
                     uint8_t *digests)
{
    sha_state state[MOST_LANES];
    const uint8_t *tail[MOST_LANES];
    begin(chosen, state, count);
    advance_all(chosen, state, data, count, length / BLOCK);
    for (size_t lane = 0; lane < count; lane++) tail[lane] = data[lane] + (length - length % BLOCK);
    finish(chosen, state, tail, length, count, digests);
}
