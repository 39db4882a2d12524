/* same PACK AVATAR VOICE prints a line for every frame of the voice. */
#include <musetalk.h>

#include "hash.h"

int main(int count, char **words) {
    musetalk_error error;
    musetalk_engine *engine = NULL;
    musetalk_avatar *avatar = NULL;
    musetalk_engine_options options = {0};
    musetalk_frame frame = {0};
    size_t sample_count;
    int16_t *voice;
    if (count != 4) return 2;
    options.struct_size = sizeof options;
    options.pack_path = words[1];
    options.device = MUSETALK_DEVICE_CPU;
    voice = voice_of(words[3], &sample_count);
    if (musetalk_engine_load(&options, &engine, &error) != MUSETALK_STATUS_OK ||
        musetalk_avatar_open(engine, words[2], NULL, &avatar, &error) != MUSETALK_STATUS_OK ||
        musetalk_avatar_push_i16(avatar, voice, sample_count, &error) != MUSETALK_STATUS_OK ||
        musetalk_avatar_finish(avatar, &error) != MUSETALK_STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    frame.struct_size = sizeof frame;
    while (musetalk_avatar_acquire_next(avatar, -1, &frame, NULL) == MUSETALK_STATUS_OK) {
        printf("%llu %08x %08x\n", (unsigned long long)frame.utterance_frame,
               (unsigned)crc32_of(frame.pixels, (size_t)frame.stride * frame.height),
               (unsigned)crc32_of(frame.samples, frame.sample_count * sizeof *frame.samples));
        musetalk_frame_release(&frame);
    }
    musetalk_avatar_free(avatar);
    musetalk_engine_free(engine);
    free(voice);
    return 0;
}
