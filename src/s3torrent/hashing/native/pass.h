/* One pass over content: which bytes are hashed together, and where they come from. */
#ifndef S3TORRENT_PASS_H
#define S3TORRENT_PASS_H

#include "kernel.h"

/* Content of `size` bytes: in memory at `base`, or where that is NULL in the file `fd` from `start` on. */
struct source {
    const uint8_t *base;
    int fd;
    uint64_t start, size;
    uint8_t *buffer; /* room for `room` bytes for each lane, a little apart; NULL where nothing is read */
    size_t room;
    int error; /* errno of the read that failed; 0 where the file ended early */
};

/* Give a file's source buffers for `lanes` lanes of `room` bytes. False where there is no memory. */
bool source_open(struct source *source, size_t lanes, size_t room);
void source_close(struct source *source);

/* `length` bytes (at most the room) from `at` on, valid until the lane's next fetch. NULL where they cannot be
 * had: `error` says why. */
const uint8_t *fetch(struct source *source, size_t lane, uint64_t at, size_t length);

enum outcome { HASHED, NO_MEMORY, READ_FAILED };

/* SHA-1 of each piece, 20 bytes a piece; with `leaves` not NULL in the same pass SHA-256 of each leaf, 32 bytes
 * a leaf (piece_length is then a multiple of LEAF). The last piece and the last leaf may be short. */
enum outcome hash_pieces(struct source *source, const struct choice *sha1_choice,
                         const struct choice *sha256_choice, uint64_t piece_length, uint8_t *pieces,
                         uint8_t *leaves);

/* SHA-256 of each leaf alone. */
enum outcome hash_leaves(struct source *source, const struct choice *sha256_choice, uint8_t *leaves);

/* SHA-256 of each leaf of many files whose bytes lie one after the other; each file begins a leaf of its own. */
void hash_file_leaves(const uint8_t *data, const size_t *lengths, size_t files,
                      const struct choice *sha256_choice, uint8_t *leaves);

/* SHA-256 of each 64 bytes: one Merkle level up. */
void hash_pairs(const uint8_t *hashes, size_t pairs, const struct choice *sha256_choice, uint8_t *parents);

#endif
