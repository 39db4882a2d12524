/* A check that says where it failed. */
#ifndef CHECK_H
#define CHECK_H
#include <musetalk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);            \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

/* The status a call gives, and a word its sentence holds. */
#define REFUSED(call, expected, word)                                                          \
    do {                                                                                       \
        musetalk_error error;                                                                  \
        musetalk_status got;                                                                   \
        memset(&error, 0xa5, sizeof error);                                                    \
        got = (call);                                                                          \
        if (got != (expected) || error.status != got || !memchr(error.message, 0, 508) ||      \
            !strstr(error.message, word)) {                                                    \
            fprintf(stderr, "%s:%d: %s gave %u: %.508s\n", __FILE__, __LINE__, #call,          \
                    (unsigned)got, error.message);                                             \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

#define INVALID MUSETALK_STATUS_INVALID_INPUT

static musetalk_engine *load(const char *pack) {
    musetalk_error error;
    musetalk_engine *engine = NULL;
    musetalk_engine_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.pack_path = pack;
    options.device = MUSETALK_DEVICE_CPU;
    options.threads = 1;
    if (musetalk_engine_load(&options, &engine, &error) != MUSETALK_STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    return engine;
}

static musetalk_avatar *open_avatar(const musetalk_engine *engine, const char *asset, uint32_t frames_lent) {
    musetalk_error error;
    musetalk_avatar *avatar = NULL;
    musetalk_avatar_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.buffer_seconds = 10;
    options.frames_lent = frames_lent;
    if (musetalk_avatar_open(engine, asset, &options, &avatar, &error) != MUSETALK_STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    return avatar;
}

static musetalk_frame empty_frame(void) {
    musetalk_frame frame;
    memset(&frame, 0, sizeof frame);
    frame.struct_size = sizeof frame;
    return frame;
}
#endif
