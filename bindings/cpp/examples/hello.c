/* A voice on a face: hello PACK AVATAR SECONDS prints every picture of so many seconds of a hum. */
#include <math.h>
#include <musetalk.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **words) {
    musetalk_error error;
    musetalk_engine *engine = NULL;
    musetalk_avatar *avatar = NULL;
    musetalk_engine_options options = {0};
    musetalk_frame frame = {0};
    size_t sample_count, at;
    float *pcm;

    if (count < 3) {
        fprintf(stderr, "hello PACK AVATAR [SECONDS]\n");
        return 2;
    }
    if (musetalk_abi_version() != MUSETALK_ABI_VERSION) {
        fprintf(stderr, "this program and libmusetalk %s were not made for each other\n", musetalk_version());
        return 1;
    }
    options.struct_size = sizeof options;
    options.pack_path = words[1];
    if (musetalk_engine_load(&options, &engine, &error) != MUSETALK_STATUS_OK ||
        musetalk_avatar_open(engine, words[2], NULL, &avatar, &error) != MUSETALK_STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        musetalk_engine_free(engine);
        return 1;
    }

    sample_count = (size_t)(24000 * (count > 3 ? atof(words[3]) : 2.0));
    pcm = malloc((sample_count + 1) * sizeof *pcm);
    for (at = 0; at < sample_count; at++)
        pcm[at] = 0.2f * sinf(0.04f * (float)at) * sinf(0.0005f * (float)at);
    if (musetalk_avatar_push(avatar, pcm, sample_count, &error) != MUSETALK_STATUS_OK)
        fprintf(stderr, "%s\n", error.message);
    free(pcm);
    musetalk_avatar_finish(avatar, NULL);

    frame.struct_size = sizeof frame;
    while (musetalk_avatar_acquire_next(avatar, -1, &frame, NULL) == MUSETALK_STATUS_OK) {
        printf("%ux%u at %lld ms\n", frame.width, frame.height, (long long)(frame.pts_nanos / 1000000));
        musetalk_frame_release(&frame);
    }
    musetalk_avatar_free(avatar);
    musetalk_engine_free(engine);
    return 0;
}
