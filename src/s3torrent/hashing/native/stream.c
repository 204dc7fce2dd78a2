#include "stream.h"

#include <string.h>

void stream_begin(const struct choice *choice, struct stream *stream)
{
    memset(stream, 0, sizeof *stream);
    begin(choice, &stream->state, 1);
}

/* Advance each stream's state by so many blocks of its data. */
static void advance(const struct choice *choice, struct stream *const *streams, const uint8_t *const *data,
                    const size_t *blocks, size_t count)
{
    sha_state state[MOST_LANES];
    for (size_t i = 0; i < count; i++) memcpy(state[i], streams[i]->state, sizeof(sha_state));
    advance_unequal(choice, state, data, blocks, count);
    for (size_t i = 0; i < count; i++) memcpy(streams[i]->state, state[i], sizeof(sha_state));
}

void streams_update(const struct choice *choice, struct stream *const *streams, const uint8_t *const *data,
                    const size_t *lengths, size_t count)
{
    const uint8_t *from[MOST_LANES] = {NULL}, *held[MOST_LANES] = {NULL};
    size_t left[MOST_LANES] = {0}, blocks[MOST_LANES] = {0};
    for (size_t i = 0; i < count; i++) { /* first fill up the block that was begun */
        struct stream *stream = streams[i];
        size_t rest = (size_t)(stream->length % BLOCK), wanted = rest ? BLOCK - rest : 0;
        if (wanted > lengths[i]) wanted = lengths[i];
        if (wanted) memcpy(stream->rest + rest, data[i], wanted);
        held[i] = stream->rest;
        blocks[i] = rest && rest + wanted == BLOCK;
        from[i] = data[i] + wanted;
        left[i] = lengths[i] - wanted;
        stream->length += lengths[i];
    }
    advance(choice, streams, held, blocks, count);
    for (size_t i = 0; i < count; i++) blocks[i] = left[i] / BLOCK;
    advance(choice, streams, from, blocks, count);
    for (size_t i = 0; i < count; i++)
        if (left[i] % BLOCK) memcpy(streams[i]->rest, from[i] + blocks[i] * BLOCK, left[i] % BLOCK);
}

void stream_digest(const struct choice *choice, const struct stream *stream, uint8_t *digest)
{
    sha_state state;
    const uint8_t *tail = stream->rest;
    memcpy(state, stream->state, sizeof state);
    finish(choice, &state, &tail, stream->length, 1, digest);
}
