#include "passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "pass.h"
#include "reference.h"

/* In the place of pread and posix_memalign (flawed_source.c). */
ssize_t flawed_pread(int fd, void *to, size_t length, off_t at);
int flawed_memalign(void **memory, size_t alignment, size_t size);

static struct {
    struct dice *dice;
    const uint8_t *content;
    size_t length;
    size_t fails_at; /* a read from this offset on fails, with EIO */
    bool no_memory;
} file;

ssize_t flawed_pread(int fd, void *to, size_t length, off_t at)
{
    (void)fd;
    size_t from = (size_t)at;
    if (below(file.dice, 8) == 0) {
        errno = EINTR;
        return -1;
    }
    if (from >= file.length) return 0;
    if (from >= file.fails_at) {
        errno = EIO;
        return -1;
    }
    if (length > file.length - from) length = file.length - from;
    if (length > file.fails_at - from) length = file.fails_at - from;
    if (length > 1 && below(file.dice, 4) == 0) length = 1 + below(file.dice, length);
    memcpy(to, file.content + from, length);
    return (ssize_t)length;
}

int flawed_memalign(void **memory, size_t alignment, size_t size)
{
    (void)alignment;
    *memory = file.no_memory ? NULL : malloc(size);
    return *memory ? 0 : ENOMEM;
}

static size_t random_size(struct dice *dice)
{
    static const size_t near[] = {0, 1, 64, LEAF, 2 * LEAF, 5 * LEAF, 16 * LEAF, 17 * LEAF, 40 * LEAF};
    size_t size = near[below(dice, COUNT(near))];
    switch (below(dice, 3)) {
    case 0: return size;
    case 1: return size + below(dice, 200);
    default: return size > 100 ? size - below(dice, 100) : below(dice, 3 * LEAF);
    }
}

static size_t random_piece_length(struct dice *dice)
{
    return below(dice, 2) ? (size_t)LEAF << below(dice, 6) : 1000 + below(dice, 70000);
}

static size_t digests_of(const uint8_t *content, size_t size, size_t each, size_t digest, uint8_t *out)
{
    size_t count = 0;
    for (size_t at = 0; at < size; at += each, count++) {
        size_t length = size - at < each ? size - at : each;
        if (digest == 20)
            reference_sha1(content + at, length, out + count * 20);
        else
            reference_sha256(content + at, length, out + count * 32);
    }
    return count;
}

/* A copy that ends at its last byte: what is written or read beyond is seen. */
static uint8_t *exactly(size_t size)
{
    uint8_t *memory = malloc(size ? size : 1);
    if (!memory) abort();
    return memory;
}

bool passes_agree(struct dice *dice, const struct choice *sha1_choice, const struct choice *sha256_choice)
{
    size_t size = random_size(dice), piece_length = random_piece_length(dice);
    bool can_be_hybrid = piece_length >= LEAF && !(piece_length & (piece_length - 1)); /* BEP 52 */
    bool hybrid = can_be_hybrid && below(dice, 2), from_file = below(dice, 2);
    size_t start = from_file ? below(dice, 100) : 0;
    size_t pieces = (size + piece_length - 1) / piece_length, leaves = (size + LEAF - 1) / LEAF;
    uint8_t *content = exactly(start + size), *expected = exactly(pieces * 20 + leaves * 32);
    uint8_t *one = exactly(pieces * 20), *two = exactly(leaves * 32), *three = exactly(leaves / 2 * 32);
    fill(dice, content, start + size);
    digests_of(content + start, size, piece_length, 20, expected);
    digests_of(content + start, size, LEAF, 32, expected + pieces * 20);

    file.dice = dice, file.content = content, file.length = start + size, file.fails_at = SIZE_MAX;
    file.no_memory = false;
    struct source source = {.base = from_file ? NULL : content, .fd = 7, .start = start, .size = size};
    bool right =
        hash_pieces(&source, sha1_choice, sha256_choice, piece_length, one, hybrid ? two : NULL) == HASHED;
    if (!hybrid) right = right && hash_leaves(&source, sha256_choice, two) == HASHED;
    right = right && !memcmp(one, expected, pieces * 20) && !memcmp(two, expected + pieces * 20, leaves * 32);
    hash_pairs(two, leaves / 2, sha256_choice, three);
    uint8_t *parents = exactly(leaves / 2 * 32);
    digests_of(two, leaves / 2 * 64, 64, 32, parents);
    right = right && !memcmp(three, parents, leaves / 2 * 32);
    free(content), free(expected), free(one), free(two), free(three), free(parents);
    return right;
}

bool file_leaves_agree(struct dice *dice, const struct choice *sha256_choice)
{
    size_t lengths[40], files = below(dice, COUNT(lengths) + 1), size = 0, leaves = 0;
    for (size_t i = 0; i < files; i++) {
        lengths[i] = below(dice, 4) ? below(dice, 2 * LEAF) : below(dice, 3) * LEAF;
        size += lengths[i];
        leaves += (lengths[i] + LEAF - 1) / LEAF;
    }
    uint8_t *content = exactly(size), *found = exactly(leaves * 32), *expected = exactly(leaves * 32);
    fill(dice, content, size);
    uint8_t *to = expected, *from = content;
    for (size_t i = 0; i < files; from += lengths[i++]) to += 32 * digests_of(from, lengths[i], LEAF, 32, to);
    hash_file_leaves(content, lengths, files, sha256_choice, found);
    bool right = !memcmp(found, expected, leaves * 32);
    free(content), free(found), free(expected);
    return right;
}

bool failures_are_told(struct dice *dice, const struct choice *sha1_choice, const struct choice *sha256_choice)
{
    enum { SIZE = 9 * LEAF + 77 };
    static uint8_t content[SIZE], one[10 * 20], two[10 * 32];
    bool right = true;
    for (int what = 0; what < 3; what++) {
        file.dice = dice, file.content = content, file.length = SIZE, file.fails_at = SIZE_MAX;
        file.no_memory = what == 2;
        if (what == 0) file.fails_at = below(dice, SIZE);
        if (what == 1) file.length = below(dice, SIZE);
        enum outcome expected = what == 2 ? NO_MEMORY : READ_FAILED;
        int error = what == 0 ? EIO : 0;
        struct source source = {.fd = 7, .size = SIZE};
        right = right && hash_pieces(&source, sha1_choice, sha256_choice, LEAF, one, two) == expected &&
                source.error == error && !source.buffer;
        source.error = 0;
        right = right && hash_leaves(&source, sha256_choice, two) == expected && source.error == error;
    }
    return right;
}
