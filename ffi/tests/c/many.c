/* A thousand avatars come and go, and nothing grows: memory, threads, files. many PACK AVATAR */
#include "check.h"

#include <dirent.h>

static float hum[4800];

static long entries(const char *folder) {
    DIR *opened = opendir(folder);
    long found = 0;
    if (!opened) return -1;
    while (readdir(opened)) found++;
    closedir(opened);
    return found;
}

static long resident_kib(void) {
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmRSS:", 6) == 0) kib = atol(line + 6);
    if (status) fclose(status);
    return kib;
}

static void live(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 4);
    musetalk_frame frame = empty_frame();
    CHECK(musetalk_avatar_push(avatar, hum, 4800, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_finish(avatar, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_acquire_next(avatar, -1, &frame, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    CHECK(musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
}

int main(int count, char **words) {
    musetalk_engine *engine;
    long threads, files, kib;
    int at;
    CHECK(count == 3);
    for (at = 0; at < 4800; at++) hum[at] = (float)(at % 100) / 200.0f - 0.25f;
    engine = load(words[1]);
    for (at = 0; at < 100; at++) live(engine, words[2]);
    threads = entries("/proc/self/task");
    files = entries("/proc/self/fd");
    kib = resident_kib();
    for (at = 0; at < 1000; at++) live(engine, words[2]);
    printf("threads %ld to %ld, files %ld to %ld, memory %ld to %ld KiB\n", threads, entries("/proc/self/task"), files,
           entries("/proc/self/fd"), kib, resident_kib());
    CHECK(entries("/proc/self/task") == threads && entries("/proc/self/fd") == files);
    /* A leak of one second of samples per avatar would be 96 000 KiB. */
    CHECK(resident_kib() - kib < 4096);
    CHECK(musetalk_engine_free(engine) == MUSETALK_STATUS_OK);
    return 0;
}
