#include "cases.h"

#include <string.h>

#include "reference.h"
#include "stream.h"

enum { MOST_BLOCKS = 8, MOST_MESSAGE = 5 * BLOCK, ROOM = MOST_BLOCKS * BLOCK + 64 };

uint64_t roll(struct dice *dice) /* xorshift64 */
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    return dice->state ^= dice->state << 17;
}

size_t below(struct dice *dice, size_t limit) { return (size_t)(roll(dice) >> 11) % limit; }

void fill(struct dice *dice, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        uint64_t eight = roll(dice);
        memcpy(bytes + i, &eight, length - i < 8 ? length - i : 8);
    }
}

static bool is_sha1(const struct algorithm *algorithm) { return algorithm->digest == 20; }

static void reference_digest(const struct algorithm *algorithm, const uint8_t *data, size_t length, uint8_t *out)
{
    if (is_sha1(algorithm))
        reference_sha1(data, length, out);
    else
        reference_sha256(data, length, out);
}

bool reference_is_right(void)
{
    static const char LONG[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const struct {
        const char *message;
        uint8_t sha1[20], sha256[32];
    } printed[] = {
        {"abc",
         {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0,
          0xd8, 0x9d},
         {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
          0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}},
        {LONG,
         {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae, 0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46,
          0x70, 0xf1},
         {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
          0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1}},
    };
    for (size_t i = 0; i < COUNT(printed); i++) {
        const uint8_t *message = (const uint8_t *)printed[i].message;
        uint8_t one[20], two[32];
        reference_sha1(message, strlen(printed[i].message), one);
        reference_sha256(message, strlen(printed[i].message), two);
        if (memcmp(one, printed[i].sha1, 20) || memcmp(two, printed[i].sha256, 32)) return false;
    }
    return true;
}

bool kernel_agrees(struct dice *dice, const struct algorithm *algorithm, const struct kernel *kernel)
{
    static uint8_t memory[MOST_LANES][ROOM], before[MOST_LANES][ROOM];
    sha_state found[MOST_LANES], expected[MOST_LANES];
    const uint8_t *data[MOST_LANES];
    size_t blocks = below(dice, MOST_BLOCKS + 1), words = algorithm->digest / 4;
    fill(dice, (uint8_t *)found, sizeof found);
    memcpy(expected, found, sizeof found);
    for (size_t lane = 0; lane < kernel->lanes; lane++) {
        data[lane] = memory[lane] + below(dice, 64);
        fill(dice, memory[lane], 64 + blocks * BLOCK);
        for (size_t i = 0; i < blocks; i++) {
            if (is_sha1(algorithm))
                reference_sha1_block(expected[lane], data[lane] + i * BLOCK);
            else
                reference_sha256_block(expected[lane], data[lane] + i * BLOCK);
        }
    }
    memcpy(before, memory, sizeof memory);
    kernel->advance(found, data, blocks);
    if (memcmp(before, memory, sizeof memory)) return false;
    for (size_t lane = 0; lane < MOST_LANES; lane++) /* beyond the kernel's lanes, too: left as they were */
        if (memcmp(found[lane], expected[lane], words * 4)) return false;
    return true;
}

bool messages_agree(struct dice *dice, const struct choice *choice)
{
    static uint8_t memory[MOST_LANES][MOST_MESSAGE + 64];
    const uint8_t *data[MOST_LANES];
    uint8_t found[MOST_LANES * MOST_DIGEST], expected[MOST_DIGEST];
    size_t lengths[MOST_LANES], count = 1 + below(dice, MOST_LANES);
    bool equal = below(dice, 2);
    fill(dice, (uint8_t *)memory, sizeof memory);
    for (size_t i = 0; i < count; i++) {
        lengths[i] = equal && i ? lengths[0] : below(dice, MOST_MESSAGE + 1);
        data[i] = memory[i] + below(dice, 64);
    }
    if (equal)
        digest_messages(choice, data, lengths[0], count, found);
    else
        digest_unequal(choice, data, lengths, count, found);
    for (size_t i = 0; i < count; i++) {
        reference_digest(choice->algorithm, data[i], lengths[i], expected);
        if (memcmp(found + i * choice->algorithm->digest, expected, choice->algorithm->digest)) return false;
    }
    return true;
}

bool streams_agree(struct dice *dice, const struct choice *sha1_choice)
{
    static uint8_t memory[MOST_LANES][MOST_MESSAGE];
    struct stream stream[MOST_LANES], *streams[MOST_LANES];
    const uint8_t *data[MOST_LANES];
    size_t lengths[MOST_LANES], so_far[MOST_LANES] = {0}, count = 1 + below(dice, MOST_LANES);
    uint8_t found[20], expected[20];
    fill(dice, (uint8_t *)memory, sizeof memory);
    for (size_t i = 0; i < count; i++) {
        stream_begin(sha1_choice, &stream[i]);
        streams[i] = &stream[i];
    }
    for (size_t updates = below(dice, 6); updates; updates--) {
        for (size_t i = 0; i < count; i++) {
            lengths[i] = below(dice, MOST_MESSAGE - so_far[i] + 1);
            data[i] = memory[i] + so_far[i];
            so_far[i] += lengths[i];
        }
        streams_update(sha1_choice, streams, data, lengths, count);
    }
    for (size_t i = 0; i < count; i++) {
        stream_digest(sha1_choice, &stream[i], found);
        reference_sha1(memory[i], so_far[i], expected);
        if (memcmp(found, expected, 20)) return false;
    }
    return true;
}
