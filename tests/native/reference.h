/* SHA-1 and SHA-256 as FIPS 180-4 writes them, one message, nothing clever: what the kernels are compared with.
 * Shares no line with them. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stddef.h>
#include <stdint.h>

void reference_sha1_block(uint32_t hash[5], const uint8_t block[64]);
void reference_sha256_block(uint32_t hash[8], const uint8_t block[64]);
void reference_sha1(const uint8_t *message, size_t length, uint8_t digest[20]);
void reference_sha256(const uint8_t *message, size_t length, uint8_t digest[32]);

#endif
