/* What a call costs, in nanoseconds, half of them below: cost PACK AVATAR prints push, latest without a picture, and a lent and
   returned picture. */
#include "check.h"

#include <time.h>

#define ROUNDS 4000

/* 20 ms. */
#define CHUNK 480

static float hum[CHUNK];
static int64_t taken[ROUNDS];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int smaller(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static long long median(void) {
    qsort(taken, ROUNDS, sizeof *taken, smaller);
    return (long long)taken[ROUNDS / 2];
}

/* With room for all of it: nothing is to be refused because the engine is late. */
static musetalk_avatar *open_roomy(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = NULL;
    musetalk_avatar_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.buffer_seconds = 600;
    CHECK(musetalk_avatar_open(engine, asset, &options, &avatar, NULL) == MUSETALK_STATUS_OK);
    return avatar;
}

int main(int count, char **words) {
    musetalk_engine *engine;
    musetalk_avatar *avatar;
    musetalk_frame frame = empty_frame();
    int at;
    CHECK(count == 3);
    engine = load(words[1]);
    avatar = open_roomy(engine, words[2]);
    for (at = 0; at < ROUNDS; at++) {
        int64_t start = now();
        musetalk_status status = musetalk_avatar_push(avatar, hum, CHUNK, NULL);
        taken[at] = now() - start;
        CHECK(status == MUSETALK_STATUS_OK);
    }
    printf("%lld ", median());
    musetalk_avatar_free(avatar);
    avatar = open_avatar(engine, words[2], 0);
    for (at = 0; at < ROUNDS;) {
        int64_t start = now();
        musetalk_status status = musetalk_avatar_acquire_latest(avatar, NULL, &frame, NULL);
        taken[at] = now() - start;
        if (status == MUSETALK_STATUS_NO_FRAME) at++;
        else CHECK(status == MUSETALK_STATUS_OK && musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
    }
    printf("%lld ", median());
    for (at = 0; at < ROUNDS; at++) {
        int64_t start = now();
        musetalk_status status = musetalk_avatar_acquire_paced(avatar, &frame, NULL);
        musetalk_frame_release(&frame);
        taken[at] = now() - start;
        CHECK(status == MUSETALK_STATUS_OK);
    }
    printf("%lld\n", median());
    musetalk_avatar_free(avatar);
    musetalk_engine_free(engine);
    return 0;
}
