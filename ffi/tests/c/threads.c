/* Two threads in one end are told, others in the other end notice nothing; closing and freeing race with everything. threads PACK AVATAR */
#include "check.h"

#include <pthread.h>
#include <time.h>

static float hum[480];
static musetalk_engine *engine;
static int rounds = 20; /* fewer where an instrument makes everything slow */

struct counts {
    musetalk_avatar *avatar;
    long taken, refused, other;
};

static void *push(void *argument) {
    struct counts *counts = argument;
    int at;
    for (at = 0; at < rounds * 1000; at++) {
        musetalk_status status = musetalk_avatar_push(counts->avatar, hum, 480, NULL);
        if (status == MUSETALK_STATUS_OK) counts->taken++;
        else if (status == MUSETALK_STATUS_INVALID_INPUT) counts->refused++;
        else counts->other++;
    }
    return NULL;
}

static void *read_latest(void *argument) {
    struct counts *counts = argument;
    musetalk_frame frame = empty_frame();
    int at;
    for (at = 0; at < rounds * 250; at++) {
        musetalk_heard heard;
        musetalk_status status;
        heard.utterance = 1;
        heard.samples = (uint64_t)at * 100;
        status = musetalk_avatar_acquire_latest(counts->avatar, &heard, &frame, NULL);
        if (status == MUSETALK_STATUS_OK) {
            CHECK(frame.pixels[0] <= 255 && musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
            counts->taken++;
        } else if (status == MUSETALK_STATUS_INVALID_INPUT) counts->refused++;
        else counts->other++;
    }
    return NULL;
}

static void *ask(void *argument) {
    struct counts *counts = argument;
    musetalk_stats stats;
    int at;
    for (at = 0; at < rounds * 100; at++) {
        memset(&stats, 0, sizeof stats);
        stats.struct_size = sizeof stats;
        CHECK(musetalk_avatar_stats(counts->avatar, &stats, NULL) == MUSETALK_STATUS_OK);
        if (at % 50 == 49) CHECK(musetalk_avatar_interrupt(counts->avatar, NULL, NULL) == MUSETALK_STATUS_OK);
    }
    return NULL;
}

static void *wait_for_frame(void *argument) {
    musetalk_frame frame = empty_frame();
    return (void *)(uintptr_t)musetalk_avatar_acquire_next(argument, -1, &frame, NULL);
}

static void *free_it(void *argument) {
    return (void *)(uintptr_t)musetalk_avatar_free(argument);
}

static void pause_millis(long millis) {
    struct timespec time = {0, 0};
    time.tv_nsec = millis * 1000000;
    nanosleep(&time, NULL);
}

/* Two push, two read, one asks and interrupts. */
static void race(const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 4);
    pthread_t threads[5];
    struct counts counts[5];
    void *(*work[5])(void *) = {push, push, read_latest, read_latest, ask};
    int at;
    memset(counts, 0, sizeof counts);
    for (at = 0; at < 5; at++) {
        counts[at].avatar = avatar;
        CHECK(pthread_create(&threads[at], NULL, work[at], &counts[at]) == 0);
    }
    for (at = 0; at < 5; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    printf("pushed %ld, two at once %ld, refused %ld; read %ld, two at once %ld, nothing new %ld\n",
           counts[0].taken + counts[1].taken, counts[0].refused + counts[1].refused, counts[0].other + counts[1].other,
           counts[2].taken + counts[3].taken, counts[2].refused + counts[3].refused, counts[2].other + counts[3].other);
    CHECK(counts[0].taken + counts[1].taken > 0 && counts[2].taken + counts[3].taken > 0);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
}

/* A waiting reader is woken by close, and by a free that does not wait for it. */
static void woken(const char *asset, int by_free) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 4);
    pthread_t thread;
    void *status;
    CHECK(pthread_create(&thread, NULL, wait_for_frame, avatar) == 0);
    pause_millis(30);
    if (by_free) CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    else CHECK(musetalk_avatar_close(avatar, NULL) == MUSETALK_STATUS_OK);
    CHECK(pthread_join(thread, &status) == 0 && (uintptr_t)status == MUSETALK_STATUS_CLOSED);
    CHECK(musetalk_avatar_free(avatar) == (by_free ? INVALID : MUSETALK_STATUS_OK));
}

/* Of two who free, one does. Frames are released on a third thread. */
static void freed_twice_at_once(const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 4);
    musetalk_frame frame = empty_frame();
    pthread_t first, second;
    void *one, *two;
    CHECK(musetalk_avatar_acquire_paced(avatar, &frame, NULL) == MUSETALK_STATUS_OK);
    CHECK(pthread_create(&first, NULL, free_it, avatar) == 0 && pthread_create(&second, NULL, free_it, avatar) == 0);
    CHECK(pthread_join(first, &one) == 0 && pthread_join(second, &two) == 0);
    CHECK((one == NULL) != (two == NULL));
    CHECK(frame.pixels[0] <= 255 && musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
}

int main(int count, char **words) {
    int at;
    CHECK(count >= 3);
    if (count > 3) rounds = atoi(words[3]);
    for (at = 0; at < 480; at++) hum[at] = (float)(at % 100) / 200.0f - 0.25f;
    engine = load(words[1]);
    race(words[2]);
    for (at = 0; at < rounds; at++) {
        woken(words[2], at % 2);
        freed_twice_at_once(words[2]);
    }
    CHECK(musetalk_engine_free(engine) == MUSETALK_STATUS_OK);
    return 0;
}
