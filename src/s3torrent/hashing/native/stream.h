/* SHA-1 of a stream that comes bit by bit, and of several that are carried on side by side. */
#ifndef S3TORRENT_STREAM_H
#define S3TORRENT_STREAM_H

#include "kernel.h"

struct stream {
    sha_state state;
    uint64_t length;     /* bytes so far */
    uint8_t rest[BLOCK]; /* the last length % BLOCK of them, which fill no block */
};

void stream_begin(const struct choice *choice, struct stream *stream);

/* Each stream takes its data, of any length. `count` is at most MOST_LANES; the streams are different ones. */
void streams_update(const struct choice *choice, struct stream *const *streams, const uint8_t *const *data,
                    const size_t *lengths, size_t count);

/* The digest of what came so far; the stream may go on. */
void stream_digest(const struct choice *choice, const struct stream *stream, uint8_t *digest);

#endif
