/* The walk over content. Pieces go side by side, as many as the kernel has lanes, a part of each at a time:
 * small enough that what SHA-1 has seen is still in the cache when SHA-256 comes, and that a file's bytes are
 * hashed where they were just copied to.
 */
#include "pass.h"

#include <string.h>

#ifndef WINDOW
#define WINDOW (256 * 1024) /* bytes of all lanes together; the second-level cache has twice that or more */
#endif
enum { LEAST_PART = 2 * LEAF }; /* below that a read costs more than its bytes */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Leaves, gathered until there are enough for every lane: whole ones, or short ones of any lengths. */
struct leaves {
    const struct choice *choice;
    size_t held;
    const uint8_t *data[MOST_LANES];
    size_t length[MOST_LANES];
    uint8_t *place[MOST_LANES];
};

static void digest_leaves(struct leaves *leaves)
{
    uint8_t digests[MOST_LANES * MOST_DIGEST];
    digest_unequal(leaves->choice, leaves->data, leaves->length, leaves->held, digests);
    for (size_t i = 0; i < leaves->held; i++) memcpy(leaves->place[i], digests + 32 * i, 32);
    leaves->held = 0;
}

static void add_leaf(struct leaves *leaves, const uint8_t *data, size_t length, uint8_t *place)
{
    leaves->data[leaves->held] = data;
    leaves->length[leaves->held] = length;
    leaves->place[leaves->held++] = place;
    if (leaves->held == MOST_LANES) digest_leaves(leaves);
}

/* The leaves in `part` bytes of each of `count` pieces; those of piece i are at data[i] and go to place[i]. */
static void part_leaves(const struct choice *choice, const uint8_t *const *data, uint8_t *const *place,
                        size_t part, size_t count)
{
    struct leaves whole = {.choice = choice}, shorter = {.choice = choice};
    for (size_t offset = 0; offset < part; offset += LEAF) {
        size_t length = (size_t)least(LEAF, part - offset);
        for (size_t i = 0; i < count; i++)
            add_leaf(length == LEAF ? &whole : &shorter, data[i] + offset, length, place[i] + offset / LEAF * 32);
    }
    digest_leaves(&whole);
    digest_leaves(&shorter);
}

/* `count` pieces of `length` bytes each, from `at` on. */
static bool hash_group(struct source *source, const struct choice *sha1_choice,
                       const struct choice *sha256_choice, uint64_t at, uint64_t length, size_t count,
                       uint8_t *pieces, uint8_t *leaves)
{
    sha_state state[MOST_LANES];
    const uint8_t *data[MOST_LANES];
    uint8_t *place[MOST_LANES];
    begin(sha1_choice, state, count);
    for (uint64_t done = 0; done < length; done += source->room) {
        size_t part = (size_t)least(source->room, length - done);
        for (size_t i = 0; i < count; i++) {
            data[i] = fetch(source, i, at + i * length + done, part);
            if (!data[i]) return false;
        }
        advance_all(sha1_choice, state, data, count, part / BLOCK);
        if (leaves) {
            for (size_t i = 0; i < count; i++) place[i] = leaves + (at + i * length + done) / LEAF * 32;
            part_leaves(sha256_choice, data, place, part, count);
        }
        for (size_t i = 0; i < count; i++) data[i] += part - part % BLOCK; /* of the last part: the tail */
    }
    finish(sha1_choice, state, data, length, count, pieces);
    return true;
}

enum outcome hash_pieces(struct source *source, const struct choice *sha1_choice,
                         const struct choice *sha256_choice, uint64_t piece_length, uint8_t *pieces,
                         uint8_t *leaves)
{
    size_t lanes = sha1_choice->kernel[sha1_choice->best]->lanes;
    size_t part = WINDOW / lanes / LEAF * LEAF;
    if (!source_open(source, lanes, part > LEAST_PART ? part : LEAST_PART)) return NO_MEMORY;
    bool hashed = true;
    for (uint64_t at = 0; hashed && at < source->size;) {
        uint64_t left = source->size - at, length = least(piece_length, left);
        size_t count = (size_t)least(lanes, left / length); /* the short last piece comes alone */
        hashed = hash_group(source, sha1_choice, sha256_choice, at, length, count, pieces, leaves);
        pieces += count * sha1.digest;
        at += count * length;
    }
    source_close(source);
    return hashed ? HASHED : READ_FAILED;
}

enum outcome hash_leaves(struct source *source, const struct choice *sha256_choice, uint8_t *leaves)
{
    if (!source_open(source, 1, MOST_LANES * LEAF)) return NO_MEMORY;
    bool hashed = true;
    for (uint64_t at = 0; hashed && at < source->size; at += source->room) {
        size_t part = (size_t)least(source->room, source->size - at);
        const uint8_t *data = fetch(source, 0, at, part);
        hashed = data != NULL;
        if (hashed) part_leaves(sha256_choice, &data, &leaves, part, 1);
        leaves += MOST_LANES * 32;
    }
    source_close(source);
    return hashed ? HASHED : READ_FAILED;
}

void hash_file_leaves(const uint8_t *data, const size_t *lengths, size_t files,
                      const struct choice *sha256_choice, uint8_t *leaves)
{
    struct leaves whole = {.choice = sha256_choice}, shorter = {.choice = sha256_choice};
    for (size_t file = 0; file < files; file++) {
        for (size_t left = lengths[file]; left; leaves += 32) {
            size_t length = (size_t)least(LEAF, left);
            add_leaf(length == LEAF ? &whole : &shorter, data, length, leaves);
            data += length;
            left -= length;
        }
    }
    digest_leaves(&whole);
    digest_leaves(&shorter);
}

void hash_pairs(const uint8_t *hashes, size_t pairs, const struct choice *sha256_choice, uint8_t *parents)
{
    const uint8_t *data[MOST_LANES];
    for (size_t at = 0; at < pairs; at += MOST_LANES) {
        size_t count = (size_t)least(MOST_LANES, pairs - at);
        for (size_t i = 0; i < count; i++) data[i] = hashes + (at + i) * 64;
        digest_messages(sha256_choice, data, 64, count, parents + at * 32);
    }
}
