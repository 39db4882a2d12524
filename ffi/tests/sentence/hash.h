/* What the programs of one sentence share: the voice of a WAV file, and CRC-32, which every language has. */
#ifndef HASH_H
#define HASH_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t crc32_of(const void *data, size_t count) {
    const uint8_t *bytes = (const uint8_t *)data;
    uint32_t table[256], crc = 0xffffffffu;
    uint32_t at, bit;
    size_t byte;
    for (at = 0; at < 256; at++) {
        table[at] = at;
        for (bit = 0; bit < 8; bit++) table[at] = table[at] >> 1 ^ (table[at] & 1 ? 0xedb88320u : 0);
    }
    for (byte = 0; byte < count; byte++) crc = crc >> 8 ^ table[(crc ^ bytes[byte]) & 255];
    return ~crc;
}

/* 16 bits mono, at 24 000 Hz, as the demonstration has it; ends the program where it is not. */
static int16_t *voice_of(const char *path, size_t *sample_count) {
    static uint8_t file[16 << 20];
    FILE *opened = fopen(path, "rb");
    size_t length = opened ? fread(file, 1, sizeof file, opened) : 0, at = 12;
    int16_t *samples;
    uint32_t size;
    if (opened) fclose(opened);
    for (; at + 8 <= length; at += 8 + size + (size & 1)) {
        memcpy(&size, file + at + 4, 4);
        if (memcmp(file + at, "data", 4) || at + 8 + size > length) continue;
        samples = (int16_t *)malloc(size + 2);
        if (!samples) break;
        memcpy(samples, file + at + 8, size);
        *sample_count = size / 2;
        return samples;
    }
    fprintf(stderr, "%s is no WAV file\n", path);
    exit(1);
}
#endif
