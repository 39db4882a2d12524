/* A wake-up comes with every frame, may call nothing, and its finalizer comes once and last. wake PACK AVATAR [ROUNDS] */
#include "check.h"

#include <pthread.h>
#include <time.h>

static float hum[24000];
static int rounds = 50; /* fewer where an instrument makes everything slow */

struct host {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long calls, ends, after_the_end;
    /* What the callback tries to misuse; NULL for nothing. */
    musetalk_avatar *avatar;
    int rung;
};

static void enter(struct host *host, musetalk_avatar *avatar) {
    memset(host, 0, sizeof *host);
    CHECK(pthread_mutex_init(&host->lock, NULL) == 0 && pthread_cond_init(&host->changed, NULL) == 0);
    /* Under the lock, as all that follows: the library's own order of things is made of atomics, which helgrind does not see. */
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    host->avatar = avatar;
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
}

static void leave(struct host *host) {
    CHECK(pthread_mutex_destroy(&host->lock) == 0 && pthread_cond_destroy(&host->changed) == 0);
}

static void let_go(void *user_data) { ++*(int *)user_data; }

static void woken(void *user_data) {
    struct host *host = user_data;
    musetalk_avatar *avatar;
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    avatar = host->avatar;
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
    if (avatar) {
        musetalk_frame frame = empty_frame();
        int refused = 0;
        /* None of these may work here: the thread makes the frames of all avatars. */
        REFUSED(musetalk_avatar_push(avatar, hum, 1, &error), INVALID, "wake-up");
        REFUSED(musetalk_avatar_acquire_next(avatar, -1, &frame, &error), INVALID, "wake-up");
        REFUSED(musetalk_avatar_set_wake(avatar, NULL, NULL, NULL, &error), INVALID, "wake-up");
        /* What is refused is let go nevertheless. */
        REFUSED(musetalk_avatar_set_wake(avatar, woken, &refused, let_go, &error), INVALID, "wake-up");
        CHECK(refused == 1);
        REFUSED(musetalk_log_set(1, NULL, &refused, let_go, &error), INVALID, "wake-up");
        CHECK(refused == 2);
        CHECK(musetalk_avatar_free(avatar) == INVALID);
        CHECK(musetalk_frame_release(&frame) == INVALID);
    }
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    host->calls++;
    host->after_the_end += host->ends;
    host->rung = 1;
    CHECK(pthread_cond_broadcast(&host->changed) == 0);
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
}

static void ended(void *user_data) {
    struct host *host = user_data;
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    host->ends++;
    CHECK(pthread_cond_broadcast(&host->changed) == 0);
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
}

/* Sleeps until the bell was rung. */
static void wait_for_news(struct host *host) {
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    while (!host->rung) CHECK(pthread_cond_wait(&host->changed, &host->lock) == 0);
    host->rung = 0;
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
}

/* The last word may come from a thread of the library. */
static void wait_for_end(struct host *host, long ends) {
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    while (host->ends < ends) CHECK(pthread_cond_wait(&host->changed, &host->lock) == 0);
    CHECK(host->ends == ends && host->after_the_end == 0);
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
}

static long calls_of(struct host *host) {
    long calls;
    CHECK(pthread_mutex_lock(&host->lock) == 0);
    calls = host->calls;
    CHECK(pthread_mutex_unlock(&host->lock) == 0);
    return calls;
}

/* A whole utterance without a wait inside the library. */
static void a_host_sleeps_until_it_is_woken(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 0);
    musetalk_frame frame = empty_frame();
    struct host host;
    int shown = 0, over = 0;
    enter(&host, avatar);
    CHECK(musetalk_avatar_set_wake(avatar, woken, &host, ended, NULL) == MUSETALK_STATUS_OK);
    CHECK(calls_of(&host) == 1); /* at once */
    CHECK(musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_finish(avatar, NULL) == MUSETALK_STATUS_OK);
    while (!over) {
        musetalk_status status;
        wait_for_news(&host);
        while ((status = musetalk_avatar_acquire_next(avatar, 0, &frame, NULL)) == MUSETALK_STATUS_OK) {
            CHECK(musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
            shown++;
        }
        CHECK(status == MUSETALK_STATUS_TIMED_OUT || status == MUSETALK_STATUS_END_OF_UTTERANCE);
        over = status == MUSETALK_STATUS_END_OF_UTTERANCE;
    }
    CHECK(shown == 25);
    CHECK(pthread_mutex_lock(&host.lock) == 0);
    host.rung = 0;
    CHECK(pthread_mutex_unlock(&host.lock) == 0);
    CHECK(musetalk_avatar_close(avatar, NULL) == MUSETALK_STATUS_OK);
    wait_for_news(&host);
    CHECK(musetalk_avatar_acquire_next(avatar, 0, &frame, NULL) == MUSETALK_STATUS_CLOSED);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    wait_for_end(&host, 1);
    printf("%ld wake-ups for %d frames\n", calls_of(&host), shown);
    leave(&host);
}

static void one_replaces_another(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 0);
    struct host first, second;
    enter(&first, NULL);
    enter(&second, NULL);
    CHECK(musetalk_avatar_set_wake(avatar, woken, &first, ended, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_set_wake(avatar, woken, &second, ended, NULL) == MUSETALK_STATUS_OK);
    wait_for_end(&first, 1);
    CHECK(musetalk_avatar_set_wake(avatar, NULL, NULL, NULL, NULL) == MUSETALK_STATUS_OK);
    wait_for_end(&second, 1);
    REFUSED(musetalk_avatar_set_wake(NULL, woken, &second, ended, &error), INVALID, "avatar");
    wait_for_end(&second, 2); /* the data went with the call that failed */
    CHECK(musetalk_avatar_set_wake(avatar, woken, &second, NULL, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_set_wake(avatar, woken, &first, ended, &error), INVALID, "freed");
    wait_for_end(&first, 2);
    CHECK(second.ends == 2);
    leave(&first);
    leave(&second);
}

struct setter {
    musetalk_avatar *avatar;
    struct host *host;
};

static void *set_again_and_again(void *argument) {
    struct setter *setter = argument;
    int at;
    for (at = 0; at < 20; at++) musetalk_avatar_set_wake(setter->avatar, woken, setter->host, ended, NULL);
    return NULL;
}

/* Two threads set it, the library rings it, and the avatar is freed meanwhile: 41 were given, 41 end. */
static void race(const musetalk_engine *engine, const char *asset) {
    struct setter setter;
    struct host host;
    pthread_t threads[2];
    int at;
    setter.avatar = open_avatar(engine, asset, 0);
    setter.host = &host;
    enter(&host, NULL);
    CHECK(pthread_mutex_lock(&host.lock) == 0);
    host.ends = -41; /* so that only what comes after the last end counts as late */
    CHECK(pthread_mutex_unlock(&host.lock) == 0);
    CHECK(musetalk_avatar_set_wake(setter.avatar, woken, &host, ended, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_push(setter.avatar, hum, 4800, NULL) == MUSETALK_STATUS_OK);
    for (at = 0; at < 2; at++) CHECK(pthread_create(&threads[at], NULL, set_again_and_again, &setter) == 0);
    CHECK(musetalk_avatar_free(setter.avatar) == MUSETALK_STATUS_OK);
    for (at = 0; at < 2; at++) CHECK(pthread_join(threads[at], NULL) == 0);
    CHECK(pthread_mutex_lock(&host.lock) == 0);
    while (host.ends < 0) CHECK(pthread_cond_wait(&host.changed, &host.lock) == 0);
    CHECK(host.ends == 0);
    CHECK(pthread_mutex_unlock(&host.lock) == 0);
    leave(&host);
}

/* Nobody listens there: the end of the conversation is news too. */
static void a_conversation(void) {
    musetalk_conversation_options options;
    musetalk_conversation *conversation = NULL;
    musetalk_event event;
    musetalk_status status = MUSETALK_STATUS_OK;
    struct host host;
    enter(&host, NULL);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.provider = "ws://127.0.0.1:9";
    if (musetalk_conversation_start(&options, &conversation, NULL) == MUSETALK_STATUS_UNSUPPORTED) return;
    CHECK(musetalk_conversation_set_wake(conversation, woken, &host, ended, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_conversation_close(conversation, NULL) == MUSETALK_STATUS_OK);
    while (status != MUSETALK_STATUS_END_OF_CONVERSATION) {
        wait_for_news(&host);
        do {
            memset(&event, 0, sizeof event);
            event.struct_size = sizeof event;
            status = musetalk_conversation_acquire_event(conversation, 0, &event, NULL);
            CHECK(musetalk_event_release(&event) == MUSETALK_STATUS_OK);
        } while (status == MUSETALK_STATUS_OK);
        CHECK(status == MUSETALK_STATUS_TIMED_OUT || status == MUSETALK_STATUS_END_OF_CONVERSATION);
    }
    CHECK(musetalk_conversation_free(conversation) == MUSETALK_STATUS_OK);
    wait_for_end(&host, 1);
    REFUSED(musetalk_conversation_set_wake(conversation, woken, &host, ended, &error), INVALID, "freed");
    wait_for_end(&host, 2);
    leave(&host);
}

int main(int count, char **words) {
    musetalk_engine *engine;
    int at;
    CHECK(count >= 3);
    if (count > 3) rounds = atoi(words[3]);
    for (at = 0; at < 24000; at++) hum[at] = (float)(at % 200) / 400.0f - 0.25f;
    engine = load(words[1]);
    a_host_sleeps_until_it_is_woken(engine, words[2]);
    one_replaces_another(engine, words[2]);
    for (at = 0; at < rounds; at++) race(engine, words[2]);
    a_conversation();
    CHECK(musetalk_engine_free(engine) == MUSETALK_STATUS_OK);
    return 0;
}
