/* What a host does wrong comes back as a status. misuse PACK AVATAR */
#include "check.h"

static float hum[24000];

struct newer_options {
    musetalk_engine_options known;
    uint64_t later;
};

struct newer_frame {
    musetalk_frame known;
    uint64_t later;
};

static musetalk_event empty_event(void) {
    musetalk_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    return event;
}

static void null_everywhere(const musetalk_engine *engine, musetalk_avatar *avatar, const char *asset) {
    musetalk_engine_options options;
    musetalk_engine_description engine_description;
    musetalk_avatar_description description;
    musetalk_stats stats;
    musetalk_heard heard;
    musetalk_frame frame = empty_frame();
    musetalk_event event = empty_event();
    musetalk_engine *new_engine = (void *)&options;
    musetalk_avatar *new_avatar = NULL;
    musetalk_conversation *conversation = NULL;
    musetalk_conversation_options conversation_options;
    musetalk_conversation_description conversation_description;
    uint8_t pixels[16];
    musetalk_clip clip = {.struct_size = sizeof clip};
    uint64_t number = 77;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    memset(&conversation_options, 0, sizeof conversation_options);
    conversation_options.struct_size = sizeof conversation_options;
    engine_description.struct_size = sizeof engine_description;
    description.struct_size = sizeof description;
    stats.struct_size = sizeof stats;
    conversation_description.struct_size = sizeof conversation_description;

    REFUSED(musetalk_engine_load(NULL, &new_engine, &error), INVALID, "`options`");
    REFUSED(musetalk_engine_load(&options, NULL, &error), INVALID, "`engine_out`");
    REFUSED(musetalk_engine_load(&options, &new_engine, &error), INVALID, "pack_path");
    CHECK(new_engine == (void *)&options); /* a failure leaves it alone */
    CHECK(musetalk_engine_load(NULL, NULL, NULL) == INVALID);
    REFUSED(musetalk_engine_describe(NULL, &engine_description, &error), INVALID, "`engine`");
    REFUSED(musetalk_engine_describe(engine, NULL, &error), INVALID, "`description_out`");
    CHECK(musetalk_engine_free(NULL) == MUSETALK_STATUS_OK);

    REFUSED(musetalk_avatar_open(NULL, asset, NULL, &new_avatar, &error), INVALID, "`engine`");
    REFUSED(musetalk_avatar_open(engine, NULL, NULL, &new_avatar, &error), INVALID, "`asset_path`");
    REFUSED(musetalk_avatar_open(engine, "", NULL, &new_avatar, &error), INVALID, "`asset_path`");
    REFUSED(musetalk_avatar_open(engine, asset, NULL, NULL, &error), INVALID, "`avatar_out`");
    REFUSED(musetalk_avatar_describe(NULL, &description, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_describe(avatar, NULL, &error), INVALID, "`description_out`");
    REFUSED(musetalk_avatar_base_frame(NULL, 0, pixels, sizeof pixels, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_base_frame(avatar, 0, pixels, sizeof pixels, &error), INVALID, "`pixel_bytes`");
    REFUSED(musetalk_avatar_base_frame(avatar, 0, NULL, 64 * 64 * 3, &error), INVALID, "`pixels`");
    REFUSED(musetalk_avatar_base_frame(avatar, 4000000000u, pixels, sizeof pixels, &error), INVALID, "cycle_index");
    REFUSED(musetalk_avatar_clip(NULL, 0, &clip, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_clip(avatar, 0, NULL, &error), INVALID, "`clip_out`");
    REFUSED(musetalk_avatar_clip(avatar, 1000, &clip, &error), INVALID, "`clip_index`");
    REFUSED(musetalk_avatar_request_clip(NULL, "idle", &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_request_clip(avatar, NULL, &error), INVALID, "`name`");
    REFUSED(musetalk_avatar_request_clip(avatar, "no such clip", &error), INVALID, "it has");
    REFUSED(musetalk_avatar_begin(NULL, &number, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_push(NULL, hum, 1, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_push(avatar, NULL, 1, &error), INVALID, "`pcm`");
    REFUSED(musetalk_avatar_push_i16(NULL, NULL, 0, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_push_i16(avatar, NULL, 1, &error), INVALID, "`pcm`");
    CHECK(musetalk_avatar_push(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_push_i16(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_finish(NULL, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_interrupt(NULL, &number, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_interrupt_through(NULL, 1, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_interrupt_through(avatar, 0, &error), INVALID, "`utterance`");
    REFUSED(musetalk_avatar_ready(NULL, &heard, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_ready(avatar, NULL, &error), INVALID, "`heard_out`");
    REFUSED(musetalk_avatar_acquire_next(NULL, 0, &frame, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_acquire_next(avatar, 0, NULL, &error), INVALID, "`frame_out`");
    REFUSED(musetalk_avatar_acquire_latest(NULL, NULL, &frame, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_acquire_latest(avatar, NULL, NULL, &error), INVALID, "`frame_out`");
    REFUSED(musetalk_avatar_acquire_paced(NULL, &frame, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_acquire_paced(avatar, NULL, &error), INVALID, "`frame_out`");
    REFUSED(musetalk_avatar_stats(NULL, &stats, &error), INVALID, "`avatar`");
    REFUSED(musetalk_avatar_stats(avatar, NULL, &error), INVALID, "`stats_out`");
    REFUSED(musetalk_avatar_set_wake(NULL, NULL, NULL, NULL, &error), INVALID, "`avatar`");
    CHECK(musetalk_avatar_set_wake(avatar, NULL, NULL, NULL, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_close(NULL, &error), INVALID, "`avatar`");
    CHECK(musetalk_avatar_free(NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_frame_release(NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_event_release(NULL) == MUSETALK_STATUS_OK);

    REFUSED(musetalk_conversation_start(NULL, &conversation, &error), INVALID, "`options`");
    REFUSED(musetalk_conversation_start(&conversation_options, NULL, &error), INVALID, "`conversation_out`");
    REFUSED(musetalk_conversation_acquire_event(NULL, 0, &event, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_push(NULL, hum, 1, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_push_i16(NULL, NULL, 0, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_send_text(NULL, "a", &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_send_image(NULL, NULL, 0, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_send_pixels(NULL, NULL, 0, 0, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_talk_press(NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_talk_release(NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_interrupt(NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_heard(NULL, &heard, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_utterance(NULL, 1, &number, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_tool_output(NULL, "a", "b", 0, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_approve(NULL, "a", 1, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_respond(NULL, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_instruct(NULL, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_describe(NULL, &conversation_description, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_set_wake(NULL, NULL, NULL, NULL, &error), INVALID, "`conversation`");
    REFUSED(musetalk_conversation_close(NULL, &error), INVALID, "`conversation`");
    CHECK(musetalk_conversation_free(NULL) == MUSETALK_STATUS_OK);
    CHECK(number == 77 && new_avatar == NULL && conversation == NULL && frame.owner == 0);
}

static void wrong_sizes(const char *pack) {
    struct newer_options newer;
    musetalk_engine *engine = NULL;
    size_t sizes[] = {0, 1, 4, 8, 16, sizeof(musetalk_engine_options) - 1, 4097, SIZE_MAX};
    size_t at;
    memset(&newer, 0, sizeof newer);
    newer.known.pack_path = pack;
    newer.known.threads = 1;
    newer.known.device = MUSETALK_DEVICE_CPU;
    for (at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        newer.known.struct_size = sizes[at];
        REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "struct_size");
    }
    newer.known.struct_size = sizeof newer;
    newer.later = 1;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "newer");
    newer.later = 0;
    CHECK(musetalk_engine_load(&newer.known, &engine, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_engine_free(engine) == MUSETALK_STATUS_OK);
    newer.known.struct_size = sizeof newer.known;
    newer.known.device = 99;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "99");
    newer.known.device = MUSETALK_DEVICE_CPU;
    newer.known.spinning = 2;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "spinning");
    newer.known.spinning = 0;
    newer.known.threads = 100000;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "threads");
    newer.known.threads = 1;
    newer.known.max_batch = 65;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "max_batch");
    newer.known.max_batch = 0;
    newer.known.reserved = 1;
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "reserved");
    newer.known.reserved = 0;
    newer.known.pack_path = "/nowhere/at all";
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), MUSETALK_STATUS_NOT_FOUND, "/nowhere");
    newer.known.pack_path = "\xff\xfe";
    REFUSED(musetalk_engine_load(&newer.known, &engine, &error), INVALID, "UTF-8");
}

static void wrong_options(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar_options options;
    musetalk_avatar *avatar = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.format = 3;
    REFUSED(musetalk_avatar_open(engine, asset, &options, &avatar, &error), INVALID, "format");
    options.format = 0;
    options.sample_rate = 1;
    REFUSED(musetalk_avatar_open(engine, asset, &options, &avatar, &error), INVALID, "1");
    options.sample_rate = 0;
    options.frames_lent = 4000000000u;
    REFUSED(musetalk_avatar_open(engine, asset, &options, &avatar, &error), INVALID, "frames_lent");
    options.frames_lent = 0;
    options.buffer_seconds = 4000000000u;
    REFUSED(musetalk_avatar_open(engine, asset, &options, &avatar, &error), INVALID, "buffer_seconds");
    options.buffer_seconds = 0;
    REFUSED(musetalk_avatar_open(engine, "\xc3\x28", &options, &avatar, &error), INVALID, "UTF-8");
    REFUSED(musetalk_avatar_open(engine, "/nowhere.avatar", NULL, &avatar, &error), MUSETALK_STATUS_NOT_FOUND, "/nowhere");
    CHECK(avatar == NULL);
}

static void counts_and_samples(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 0);
    float bad[2] = {0.0f, 0.0f};
    union {
        float floats[2];
        char bytes[8];
    } shifted = {{0.0f, 0.0f}};
    size_t counts[] = {240001, SIZE_MAX, SIZE_MAX / 4, SIZE_MAX / 2, (size_t)1 << 40};
    size_t at;
    for (at = 0; at < sizeof counts / sizeof *counts; at++) {
        REFUSED(musetalk_avatar_push(avatar, hum, counts[at], &error), INVALID, "at most 240000 are taken at once; push them in parts");
        REFUSED(musetalk_avatar_push_i16(avatar, (const int16_t *)(const void *)hum, counts[at], &error), INVALID,
                "`pcm`");
    }
    memset(&bad[1], 0xff, sizeof bad[1]);
    REFUSED(musetalk_avatar_push(avatar, bad, 2, &error), INVALID, "1");
    REFUSED(musetalk_avatar_push(avatar, (const float *)(const void *)(shifted.bytes + 1), 1, &error), INVALID, "aligned");
    for (at = 0; at < 10; at++) CHECK(musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK);
    /* The worker takes some away while this pushes, so it fills in the end, and takes all or nothing. */
    for (at = 0; musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK; at++) CHECK(at < 100);
    /* Whoever pushes too much learns first that nothing is taken any more. */
    CHECK(musetalk_avatar_interrupt(avatar, NULL, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_push(avatar, hum, counts[0], &error), MUSETALK_STATUS_INTERRUPTED, "begin");
    CHECK(musetalk_avatar_push(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_close(avatar, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_push(avatar, hum, counts[0], &error), MUSETALK_STATUS_CLOSED, "closed");
    REFUSED(musetalk_avatar_push_i16(avatar, (const int16_t *)(const void *)hum, counts[1], &error), MUSETALK_STATUS_CLOSED, "closed");
    CHECK(musetalk_avatar_push(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_push_i16(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
}

static void freed_and_foreign(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 0), *other;
    musetalk_frame frame = empty_frame();
    uint64_t here = 5;
    size_t at;
    /* Any other pointer is found out, and never followed. */
    const void *strangers[] = {&here, &avatar, (const void *)(uintptr_t)8, (const void *)(uintptr_t)UINTPTR_MAX, hum, asset};
    for (at = 0; at < sizeof strangers / sizeof *strangers; at++) {
        musetalk_avatar *stranger = (musetalk_avatar *)(uintptr_t)strangers[at];
        REFUSED(musetalk_avatar_push(stranger, hum, 1, &error), INVALID, "avatar");
        CHECK(musetalk_avatar_free(stranger) == INVALID);
        CHECK(musetalk_engine_free((musetalk_engine *)stranger) == INVALID);
        CHECK(musetalk_conversation_free((musetalk_conversation *)stranger) == INVALID);
    }
    CHECK(musetalk_avatar_free((musetalk_avatar *)(uintptr_t)engine) == INVALID);
    REFUSED(musetalk_avatar_push((musetalk_avatar *)(uintptr_t)engine, hum, 1, &error), INVALID, "avatar");

    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_free(avatar) == INVALID);
    REFUSED(musetalk_avatar_push(avatar, hum, 1, &error), INVALID, "freed");
    REFUSED(musetalk_avatar_acquire_latest(avatar, NULL, &frame, &error), INVALID, "freed");
    REFUSED(musetalk_avatar_interrupt(avatar, NULL, &error), INVALID, "freed");
    other = open_avatar(engine, asset, 0); /* it may get the same place, and has another name */
    CHECK(other != avatar);
    REFUSED(musetalk_avatar_push(avatar, hum, 1, &error), INVALID, "freed");
    CHECK(musetalk_avatar_free(avatar) == INVALID);
    CHECK(musetalk_avatar_push(other, hum, 1, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_close(other, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_close(other, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_push(other, hum, 1, &error), MUSETALK_STATUS_CLOSED, "closed");
    REFUSED(musetalk_avatar_acquire_next(other, -1, &frame, &error), MUSETALK_STATUS_CLOSED, "closed");
    REFUSED(musetalk_avatar_acquire_paced(other, &frame, &error), MUSETALK_STATUS_CLOSED, "closed");
    CHECK(musetalk_avatar_free(other) == MUSETALK_STATUS_OK);
}

static void frames(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 2);
    musetalk_frame first = empty_frame(), second = empty_frame(), third = empty_frame(), copy, spare;
    struct newer_frame newer;
    const uint8_t *pixels;
    uint64_t sum = 0;
    size_t at;
    CHECK(musetalk_avatar_acquire_paced(avatar, &first, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_acquire_paced(avatar, &second, NULL) == MUSETALK_STATUS_OK);
    spare = second;
    REFUSED(musetalk_avatar_acquire_paced(avatar, &third, &error), MUSETALK_STATUS_BUFFER_FULL, "lent");
    CHECK(third.owner == 0 && third.pixels == NULL);
    copy = first;
    CHECK(musetalk_frame_release(&first) == MUSETALK_STATUS_OK && first.pixels == NULL && first.owner == 0);
    CHECK(musetalk_frame_release(&first) == MUSETALK_STATUS_OK);
    CHECK(musetalk_frame_release(&copy) == INVALID); /* the same frame through a copy */
    CHECK(musetalk_avatar_acquire_paced(avatar, &third, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_frame_release(&copy) == MUSETALK_STATUS_OK);
    second.owner ^= (uint64_t)1 << 40; /* damaged; `spare` is the sound copy */
    CHECK(musetalk_frame_release(&second) == INVALID);

    CHECK(musetalk_frame_release(&spare) == MUSETALK_STATUS_OK);
    first.struct_size = 8;
    REFUSED(musetalk_avatar_acquire_paced(avatar, &first, &error), INVALID, "struct_size");
    CHECK(musetalk_frame_release(&first) == INVALID);
    first.struct_size = sizeof first;
    CHECK(musetalk_frame_release(&third) == MUSETALK_STATUS_OK);
    memset(&newer, 0xa5, sizeof newer);
    newer.known.struct_size = sizeof newer;
    CHECK(musetalk_avatar_acquire_paced(avatar, &newer.known, NULL) == MUSETALK_STATUS_OK);
    CHECK(newer.later == 0 && newer.known.struct_size == sizeof newer && newer.known.clip == 0);
    CHECK(newer.known.width == 64 && newer.known.height == 64 && newer.known.stride == 192);
    CHECK(newer.known.sample_count == 960 && newer.known.samples[959] == 0.0f);

    /* A frame outlives its avatar, and may be read until it is released. */
    pixels = newer.known.pixels;
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    for (at = 0; at < (size_t)64 * 192; at++) sum += pixels[at];
    CHECK(sum > 0);
    CHECK(musetalk_frame_release(&newer.known) == MUSETALK_STATUS_OK);
    CHECK(musetalk_frame_release(&newer.known) == MUSETALK_STATUS_OK);
}

static void utterances(const musetalk_engine *engine, const char *asset) {
    musetalk_avatar *avatar = open_avatar(engine, asset, 0);
    musetalk_frame frame = empty_frame();
    musetalk_heard heard = {12345, 1}; /* never begun */
    uint64_t utterance = 0, cut = 9;
    int shown = 0;
    CHECK(musetalk_avatar_interrupt(avatar, &cut, NULL) == MUSETALK_STATUS_OK && cut == 0);
    CHECK(musetalk_avatar_begin(avatar, &utterance, NULL) == MUSETALK_STATUS_OK && utterance == 1);
    CHECK(musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_interrupt(avatar, &cut, NULL) == MUSETALK_STATUS_OK && cut == 1);
    REFUSED(musetalk_avatar_push(avatar, hum, 24000, &error), MUSETALK_STATUS_INTERRUPTED, "begin");
    REFUSED(musetalk_avatar_finish(avatar, &error), MUSETALK_STATUS_INTERRUPTED, "cut");
    CHECK(musetalk_avatar_begin(avatar, NULL, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_finish(avatar, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_acquire_next(avatar, -1, &frame, NULL) == MUSETALK_STATUS_END_OF_UTTERANCE);
    for (;;) {
        musetalk_status status = musetalk_avatar_acquire_next(avatar, INT64_MAX, &frame, NULL);
        if (status == MUSETALK_STATUS_END_OF_UTTERANCE) break;
        CHECK(status == MUSETALK_STATUS_OK && frame.utterance == 2 && frame.utterance_frame == (uint64_t)shown);
        CHECK(musetalk_frame_release(&frame) == MUSETALK_STATUS_OK);
        shown++;
    }
    CHECK(shown == 25);
    REFUSED(musetalk_avatar_acquire_next(avatar, 0, &frame, &error), MUSETALK_STATUS_TIMED_OUT, "again");
    REFUSED(musetalk_avatar_acquire_next(avatar, 1000000, &frame, &error), MUSETALK_STATUS_TIMED_OUT, "again");
    CHECK(musetalk_avatar_acquire_latest(avatar, &heard, &frame, NULL) < INVALID);
    musetalk_frame_release(&frame);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
}

/* ── the log ── */

static int lines, finalized;

static void deep(void *user_data, uint32_t level, const char *target, const char *message) {
    musetalk_engine *engine = NULL;
    musetalk_engine_options options;
    (void)level;
    CHECK(user_data == &lines && target[0] && message[0]);
    lines++;
    /* Back into the library, which logs and fails again, and even replaces this very callback. */
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.pack_path = "/nowhere";
    options.device = MUSETALK_DEVICE_AUTO;
    CHECK(musetalk_engine_load(&options, &engine, NULL) == MUSETALK_STATUS_NOT_FOUND);
    CHECK(musetalk_log_set(5, deep, user_data, NULL, NULL) == MUSETALK_STATUS_OK);
}

static void finalize(void *user_data) {
    CHECK(user_data == &lines);
    finalized++;
}

static void log_callback(const char *pack) {
    musetalk_conversation_options options;
    musetalk_conversation *conversation = NULL;
    musetalk_event event = empty_event();
    int looked = 0;
    REFUSED(musetalk_log_set(6, deep, &lines, finalize, &error), INVALID, "level");
    CHECK(finalized == 1); /* the data went with the call that failed */
    CHECK(musetalk_log_set(5, deep, &lines, finalize, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_log_set(5, deep, &lines, finalize, NULL) == MUSETALK_STATUS_OK && finalized == 2);
    /* ONNX Runtime and the network have something to say at this level, on whatever thread. */
    CHECK(musetalk_engine_free(load(pack)) == MUSETALK_STATUS_OK);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.provider = "ws://127.0.0.1:9";
    if (musetalk_conversation_start(&options, &conversation, NULL) == MUSETALK_STATUS_OK) {
        musetalk_status status;
        do {
            status = musetalk_conversation_acquire_event(conversation, 100000000, &event, NULL);
            musetalk_event_release(&event);
            if (++looked == 5) CHECK(musetalk_conversation_close(conversation, NULL) == MUSETALK_STATUS_OK);
        } while (status != MUSETALK_STATUS_END_OF_CONVERSATION && looked < 100);
        CHECK(status == MUSETALK_STATUS_END_OF_CONVERSATION);
        CHECK(musetalk_conversation_free(conversation) == MUSETALK_STATUS_OK);
        CHECK(musetalk_conversation_free(conversation) == INVALID);
    }
    CHECK(musetalk_log_set(0, NULL, NULL, NULL, NULL) == MUSETALK_STATUS_OK);
}

/* The same lines, fetched. */
static void kept_log(const char *pack) {
    musetalk_log_line line;
    uint64_t log = 77, later = 0;
    int read = 0;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    REFUSED(musetalk_log_keep(6, &log, &error), INVALID, "level");
    REFUSED(musetalk_log_keep(5, NULL, &error), INVALID, "`log_out`");
    CHECK(log == 77);
    REFUSED(musetalk_log_read(77, -1, &line, &error), MUSETALK_STATUS_CLOSED, "not kept");
    CHECK(musetalk_log_keep(5, &log, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_log_read(log, 0, NULL, &error), INVALID, "`line_out`");
    line.struct_size = 8;
    REFUSED(musetalk_log_read(log, 0, &line, &error), INVALID, "struct_size");
    line.struct_size = sizeof line;
    CHECK(musetalk_engine_free(load(pack)) == MUSETALK_STATUS_OK);
    while (musetalk_log_read(log, 0, &line, NULL) == MUSETALK_STATUS_OK) {
        CHECK(line.level >= 1 && line.level <= 5 && line.target[0] && line.message[0]);
        CHECK(memchr(line.target, 0, sizeof line.target) && memchr(line.message, 0, sizeof line.message));
        read++;
    }
    CHECK(read > 0);
    REFUSED(musetalk_log_read(log, 1000000, &line, &error), MUSETALK_STATUS_TIMED_OUT, "nothing");
    CHECK(musetalk_log_keep(5, &later, NULL) == MUSETALK_STATUS_OK && later != log);
    REFUSED(musetalk_log_read(log, -1, &line, &error), MUSETALK_STATUS_CLOSED, "not kept");
    CHECK(musetalk_log_set(0, NULL, NULL, NULL, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_log_read(later, -1, &line, &error), MUSETALK_STATUS_CLOSED, "not kept");
}

/* ── conversations that cannot be ── */

static void conversations(const musetalk_engine *engine, const char *asset) {
    musetalk_conversation_options options;
    musetalk_conversation *conversation = NULL;
    musetalk_avatar *avatar;
    musetalk_avatar_options slow;
    musetalk_error unsupported;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.provider = "ws://127.0.0.1:9";
    if (musetalk_conversation_start(&options, &conversation, &unsupported) == MUSETALK_STATUS_UNSUPPORTED) return;
    CHECK(musetalk_conversation_free(conversation) == MUSETALK_STATUS_OK);
    conversation = NULL;
    options.provider = "nobody";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "nobody");
    options.provider = "wss://host/v1?api_key=secret-key";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "header");
    options.provider = "ws://127.0.0.1:9";
    options.key = "secret\nkey";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "key");
    options.key = NULL;
    options.turn_detection = 4;
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "turn_detection");
    options.turn_detection = 0;
    options.tools_json = "{";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "tools_json");
    options.tools_json = "[{}]";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "name");
    options.tools_json = NULL;
    options.instructions = "\xff";
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "UTF-8");
    options.instructions = NULL;
    options.avatar = (const musetalk_avatar *)&options;
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "avatar");
    memset(&slow, 0, sizeof slow);
    slow.struct_size = sizeof slow;
    slow.sample_rate = 16000;
    CHECK(musetalk_avatar_open(engine, asset, &slow, &avatar, NULL) == MUSETALK_STATUS_OK);
    options.avatar = avatar;
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), INVALID, "16000");
    CHECK(musetalk_avatar_push(avatar, hum, 16000, NULL) == MUSETALK_STATUS_OK); /* it is still ours */
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);

    avatar = open_avatar(engine, asset, 0);
    options.avatar = avatar;
    CHECK(musetalk_avatar_close(avatar, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_conversation_start(&options, &conversation, &error), MUSETALK_STATUS_CLOSED, "closed");
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);

    avatar = open_avatar(engine, asset, 0);
    options.avatar = avatar;
    CHECK(musetalk_avatar_push(avatar, hum, 2400, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_interrupt(avatar, NULL, NULL) == MUSETALK_STATUS_OK); /* cut, and free to speak again */
    CHECK(musetalk_conversation_start(&options, &conversation, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_avatar_push(avatar, hum, 1, &error), INVALID, "conversation");
    CHECK(musetalk_avatar_push(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_push_i16(avatar, NULL, 0, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_conversation_push(conversation, hum, SIZE_MAX, NULL, &error), INVALID, "pcm");
    REFUSED(musetalk_conversation_send_text(conversation, "", &error), INVALID, "text");
    REFUSED(musetalk_conversation_send_text(conversation, "\xf0\x28", &error), INVALID, "UTF-8");
    REFUSED(musetalk_conversation_send_image(conversation, (const uint8_t *)"GIF89a", 6, NULL, &error), INVALID, "PNG");
    REFUSED(musetalk_conversation_send_pixels(conversation, (const uint8_t *)hum, 4000000000u, 4000000000u, NULL, &error),
            INVALID, "rgb");
    REFUSED(musetalk_conversation_send_pixels(conversation, NULL, 0, 0, NULL, &error), INVALID, "sides");
    REFUSED(musetalk_conversation_send_pixels(conversation, (const uint8_t *)hum, 9000, 1, NULL, &error), INVALID, "1 to 8192, not 9000");
    REFUSED(musetalk_conversation_talk_press(conversation, &error), INVALID, "turn");
    REFUSED(musetalk_conversation_heard(conversation, NULL, &error), INVALID, "heard");
    REFUSED(musetalk_conversation_tool_output(conversation, "never asked", "", 0, &error), MUSETALK_STATUS_NOT_FOUND, "never");
    REFUSED(musetalk_conversation_tool_output(conversation, "never asked", "", 2, &error), INVALID, "silent");
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK); /* before the conversation that speaks through it */
    CHECK(musetalk_conversation_interrupt(conversation, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_conversation_push(conversation, hum, 240, NULL, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_conversation_close(conversation, NULL) == MUSETALK_STATUS_OK);
    REFUSED(musetalk_conversation_push(conversation, hum, 240, NULL, &error), MUSETALK_STATUS_CLOSED, "over");
    REFUSED(musetalk_conversation_push_i16(conversation, (const int16_t *)(const void *)hum, 240, NULL, &error), MUSETALK_STATUS_CLOSED, "over");
    REFUSED(musetalk_conversation_send_text(conversation, "hello", &error), MUSETALK_STATUS_CLOSED, "");
    CHECK(musetalk_conversation_free(conversation) == MUSETALK_STATUS_OK);
    CHECK(musetalk_conversation_free(conversation) == INVALID);
}

int main(int count, char **words) {
    musetalk_engine *engine;
    musetalk_avatar *avatar;
    size_t at;
    CHECK(count >= 3);
    CHECK(musetalk_abi_version() == MUSETALK_ABI_VERSION && strlen(musetalk_version()) > 2);
    for (at = 0; at < 24000; at++) hum[at] = (float)(at % 200) / 400.0f - 0.25f;
    engine = load(words[1]);
    avatar = open_avatar(engine, words[2], 0);
    null_everywhere(engine, avatar, words[2]);
    wrong_sizes(words[1]);
    wrong_options(engine, words[2]);
    counts_and_samples(engine, words[2]);
    freed_and_foreign(engine, words[2]);
    frames(engine, words[2]);
    utterances(engine, words[2]);
    conversations(engine, words[2]);
    log_callback(words[1]);
    kept_log(words[1]);
    /* The engine goes first; the avatar keeps its share. */
    CHECK(musetalk_engine_free(engine) == MUSETALK_STATUS_OK && musetalk_engine_free(engine) == INVALID);
    CHECK(musetalk_avatar_push(avatar, hum, 24000, NULL) == MUSETALK_STATUS_OK);
    CHECK(musetalk_avatar_free(avatar) == MUSETALK_STATUS_OK);
    printf("%d lines of log, %d finalized\n", lines, finalized);
    return 0;
}
